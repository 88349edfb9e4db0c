//! What may be asked for.

use crate::logits::{LogitsError, Question};
use crate::memory::MemoryError;
use crate::storage::{Storage, StorageError};
use crate::works::{WORKS, Work};

/// A line of standard input, understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// What the process runs on.
    Machine,
    /// How long a work takes.
    Time {
        /// The work.
        work: &'static Work,
        /// How often to time it, at least once.
        repetitions: usize,
    },
    /// How much memory a work takes.
    Memory {
        /// The work.
        work: &'static Work,
        /// How often to do it, at least once.
        repetitions: usize,
    },
    /// A work's operands and results.
    Arrays {
        /// The work.
        work: &'static Work,
        /// The file to write.
        path: String,
    },
    /// What a network answers.
    Logits(Question),
    /// How long the disk takes.
    Storage(Storage),
}

/// A line that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// No request looks like this.
    #[error(
        "expected `machine`, `NAME REPETITIONS`, `memory NAME REPETITIONS`, `arrays NAME PATH`, `logits JSON` or `storage JSON`, found `{found}`"
    )]
    Form {
        /// The line.
        found: String,
    },
    /// There is no such work.
    #[error("expected one of {expected:?}, found `{found}`")]
    Name {
        /// The works that there are.
        expected: Vec<&'static str>,
        /// The name given.
        found: String,
    },
    /// Not a number of repetitions.
    #[error("expected a number of repetitions from 1, found `{found}`")]
    Repetitions {
        /// What was given.
        found: String,
    },
    /// Not what `logits` takes.
    #[error(
        "logits: expected an object with model, input, outputs, checkpoint, inputs and results, found {0}"
    )]
    Question(serde_json::Error),
    /// Not what `storage` takes.
    #[error("storage: expected an object with read or checkpoint, found {0}")]
    NoStorage(serde_json::Error),
    /// What cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A network without an answer.
    #[error(transparent)]
    Logits(#[from] LogitsError),
    /// The system does not tell.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The file could not be written.
    #[error("{path}: {error}")]
    Write {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: std::io::Error,
    },
}

impl Request {
    /// Understands a line.
    pub(crate) fn parse(line: &str) -> Result<Self, RequestError> {
        if let Some(question) = line.trim().strip_prefix("logits ") {
            return serde_json::from_str(question).map(Self::Logits).map_err(RequestError::Question);
        }
        if let Some(storage) = line.trim().strip_prefix("storage ") {
            return serde_json::from_str(storage).map(Self::Storage).map_err(RequestError::NoStorage);
        }
        let words: Vec<&str> = line.trim().splitn(3, ' ').collect();
        match words[..] {
            ["machine"] => Ok(Self::Machine),
            ["arrays", name, path] => Ok(Self::Arrays { work: find(name)?, path: path.to_owned() }),
            ["memory", name, count] => {
                Ok(Self::Memory { repetitions: repetitions(count)?, work: find(name)? })
            }
            [name, count] if !["arrays", "memory"].contains(&name) => {
                Ok(Self::Time { repetitions: repetitions(count)?, work: find(name)? })
            }
            _ => Err(RequestError::Form { found: line.to_owned() }),
        }
    }
}

fn repetitions(count: &str) -> Result<usize, RequestError> {
    let parsed = count.parse().ok().filter(|&repetitions| repetitions > 0);
    parsed.ok_or_else(|| RequestError::Repetitions { found: count.to_owned() })
}

fn find(name: &str) -> Result<&'static Work, RequestError> {
    let expected = || WORKS.iter().map(|work| work.name).collect();
    let unknown = || RequestError::Name { expected: expected(), found: name.to_owned() };
    WORKS.iter().find(|work| work.name == name).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_understood() {
        assert_eq!(Request::parse("machine\n").unwrap(), Request::Machine);
        let Request::Time { work, repetitions } = Request::parse("step_64 20").unwrap() else { panic!() };
        assert_eq!((work.name, repetitions), ("step_64", 20));
        let Request::Memory { work, repetitions } = Request::parse("memory step_64 3").unwrap() else {
            panic!()
        };
        assert_eq!((work.name, repetitions), ("step_64", 3));
        let Request::Arrays { work, path } = Request::parse("arrays line_51 /a b/c").unwrap() else {
            panic!()
        };
        assert_eq!((work.name, &path[..]), ("line_51", "/a b/c"));
    }

    #[test]
    fn errors_say_what_was_expected_and_what_was_found() {
        let refused = |line: &str| Request::parse(line).unwrap_err().to_string();
        assert_eq!(
            refused("step_64"),
            "expected `machine`, `NAME REPETITIONS`, `memory NAME REPETITIONS`, `arrays NAME PATH`, `logits JSON` or `storage JSON`, found `step_64`"
        );
        assert!(refused("arrays step_64").ends_with("found `arrays step_64`"));
        assert!(refused("memory step_64").ends_with("found `memory step_64`"));
        assert!(refused("logits").ends_with("found `logits`"));
        let expected =
            "logits: expected an object with model, input, outputs, checkpoint, inputs and results, found ";
        assert_eq!(
            refused("logits 3"),
            format!("{expected}invalid type: integer `3`, expected struct Question at line 1 column 1")
        );
        assert!(refused(r#"logits {"model": {"kind": "lenet6"}}"#).contains("unknown variant `lenet6`"));
        assert_eq!(refused("step_64 0"), "expected a number of repetitions from 1, found `0`");
        assert!(refused("step_65 3").starts_with("expected one of [\"step_784\", "));
        assert!(refused("step_65 3").ends_with("found `step_65`"));
    }
}
