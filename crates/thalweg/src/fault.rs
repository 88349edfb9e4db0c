//! What ends a command early, as a message, a hint and an exit code.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use thalweg_lab::config::ConfigError;
use thalweg_lab::data::FetchError;
use thalweg_lab::inspect::InspectError;
use thalweg_lab::interrupt::{CannotListen, EXIT_CODE, Interrupted};
use thalweg_lab::recipe::{CheckpointError, Divergence, RecipeError};
use thalweg_lab::store::StoreError;

/// Any error.
const ERROR: u8 = 1;
/// Training diverged: a result, and not the one that was hoped for.
pub(crate) const DIVERGED: u8 = 3;

/// Where all fields can be seen: of the verb that was called, or of the one whose configuration it takes.
fn fields() -> String {
    let called = std::env::args().nth(1);
    let verb = if called.as_deref() == Some("survey") { "survey" } else { "train" };
    format!("`thalweg {verb} --print-config` shows every field with its default")
}

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    help: Option<String>,
    code: u8,
}

impl Fault {
    fn new(message: impl Display, help: Option<&str>) -> Self {
        Self { message: message.to_string(), help: help.map(str::to_owned), code: ERROR }
    }

    pub(crate) fn threads(error: &rayon::ThreadPoolBuildError) -> Self {
        Self::new(format!("cannot start the threads: {error}"), Some("ask for fewer with --threads"))
    }

    pub(crate) fn output(error: &io::Error) -> Self {
        Self::new(format!("cannot write to stdout: {error}"), None)
    }

    pub(crate) fn diverged(divergence: &Divergence, kept: &Path) -> Self {
        let help = format!(
            "what was measured before is in {}; a lower learning rate (--set train.lr=…) may train",
            kept.display()
        );
        Self { message: divergence.to_string(), help: Some(help), code: DIVERGED }
    }

    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let help = is_there.then_some("nothing there was changed; name another file");
        Self::new(format!("cannot write {}: {error}", path.display()), help)
    }

    pub(crate) fn damaged(damage: &str) -> Self {
        Self::new(
            damage,
            Some("the command that made the run, with --repair, keeps them aside and makes them again"),
        )
    }

    pub(crate) fn not_here(set: &str) -> Self {
        let help =
            format!("`thalweg data fetch {set}` brings it to the first of the places that stdout names");
        Self::new(format!("{set} is not here"), Some(&help))
    }

    pub(crate) fn not_right(sets: &[String]) -> Self {
        let sets = sets.join(" ");
        let help = format!("`thalweg data fetch {sets}` brings what is missing or wrong where it is read");
        Self::new(format!("not here, or not right: {sets}"), Some(&help))
    }

    pub(crate) fn one_mirror(sets: usize) -> Self {
        let help = "name one set; files of different sets have the same names";
        Self::new(format!("expected one set for --url, found {sets}"), Some(help))
    }

    pub(crate) fn long_name(name: &str) -> Self {
        let start: String = name.chars().take(60).collect();
        let help = "vary a field whose values are shorter, or make that run alone with --set and --out";
        Self::new(format!("the folder of a run would be called {start}…, {} bytes", name.len()), Some(help))
    }

    pub(crate) fn varied_twice(field: &str) -> Self {
        let help = "name all its values in one --vary; --seeds varies `seed`";
        Self::new(format!("`{field}` is varied twice"), Some(help))
    }

    pub(crate) fn same_name(name: &str) -> Self {
        let help = "name each value once, and only one field of each name";
        Self::new(format!("two of the runs would be called {name}"), Some(help))
    }

    /// What ended a run among several.
    pub(crate) fn of_run(name: &str, error: &RecipeError) -> Self {
        let fault = Self::of(error);
        if fault.is_interrupt() {
            fault
        } else {
            Self { message: format!("{name}: {}", fault.message), ..fault }
        }
    }

    /// Several runs of which some came to nothing.
    pub(crate) fn failed(failed: usize, runs: usize) -> Self {
        let help = "the same command goes on with what is left; runs that are complete are not trained again";
        Self::new(format!("{failed} of {runs} runs failed, as said above"), Some(help))
    }

    pub(crate) fn is_interrupt(&self) -> bool {
        u8::try_from(EXIT_CODE) == Ok(self.code)
    }

    /// Writes it to stderr; the exit code that belongs to it.
    pub(crate) fn report(&self) -> ExitCode {
        let mut text = format!("error: {}\n", self.message);
        if let Some(help) = &self.help {
            text.push_str(&format!("help: {help}\n"));
        }
        // Nothing is left to tell it to if stderr is gone.
        let _ = io::stderr().write_all(text.as_bytes());
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::new(error, Some(&fields()))
    }
}

impl From<InspectError> for Fault {
    fn from(error: InspectError) -> Self {
        Self::new(error, None)
    }
}

impl From<CannotListen> for Fault {
    fn from(error: CannotListen) -> Self {
        Self::new(error, None)
    }
}

impl Fault {
    fn of(error: &RecipeError) -> Self {
        let help = match error {
            RecipeError::Interrupted(Interrupted) => {
                let code = u8::try_from(EXIT_CODE).unwrap_or(ERROR);
                return Self { message: error.to_string(), help: None, code };
            }
            error if error.missing_set().is_some() => {
                let set = error.missing_set().unwrap_or_default();
                let help = format!(
                    "`thalweg data fetch {set}` brings it; a folder that has it is named by --data-dir"
                );
                return Self::new(error, Some(&help));
            }
            error if error.is_of_settings() => return Self::new(error, Some(&fields())),
            RecipeError::Data(_) => Some(
                "nothing was written; mend the file or name another (of a published set: its folder, by --data-dir)",
            ),
            RecipeError::Checkpoint(CheckpointError::Torch { .. }) => {
                Some("save the module's state dict alone: torch.save(module.state_dict(), FILE)")
            }
            RecipeError::Checkpoint(_) => {
                Some("the network of `model` must be the one that the checkpoint was taken of")
            }
            RecipeError::Digest { .. } => Some("name the file that was meant, or leave the digest out"),
            RecipeError::Store(StoreError::Damaged { .. }) => {
                Some("run the same command with --repair; whole files and their stages are kept")
            }
            RecipeError::Store(
                StoreError::OtherRun { .. } | StoreError::NotARun { .. } | StoreError::NotOurs { .. },
            ) => Some("nothing there was changed; name another folder with --out"),
            _ => None,
        };
        Self::new(error, help)
    }
}

/// Whether there is no room for more.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl From<FetchError> for Fault {
    fn from(error: FetchError) -> Self {
        let help = match &error {
            FetchError::Interrupted(Interrupted) => {
                let code = u8::try_from(EXIT_CODE).unwrap_or(ERROR);
                return Self { message: error.to_string(), help: None, code };
            }
            FetchError::NoFolder => Some("name one with --data-dir"),
            FetchError::Write { source, .. } if is_full(source) => Some(
                "what came so far is kept; make room and run the same command again, or name another folder with --data-dir",
            ),
            FetchError::Write { .. } => Some("name a folder that can be written with --data-dir"),
            FetchError::Content { .. } | FetchError::Length { .. } => Some(
                "it may be a page in place of the file, or another version; take a mirror with --url, or the files from a folder with --from",
            ),
            FetchError::NotInFolder { .. } => {
                Some("name the folder that has the files as they are published, packed or not")
            }
            FetchError::NoClient { .. } => Some(
                "build with `--features fetch`, or download the files otherwise and name their folder with --from: \
                 `thalweg data list` says where they are",
            ),
            FetchError::Unreachable { .. } | FetchError::Status { .. } => Some(
                "a proxy is taken from HTTPS_PROXY and HTTP_PROXY; take a mirror with --url, or the files from a folder with --from",
            ),
            _ => None,
        };
        Self::new(error, help)
    }
}

impl From<RecipeError> for Fault {
    fn from(error: RecipeError) -> Self {
        Self::of(&error)
    }
}
