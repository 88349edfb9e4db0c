//! Times named pieces of work on request, and hands out their operands and results.
//!
//! One request a line on standard input, one JSON object a line on standard output:
//!
//! | request | answer |
//! |---|---|
//! | `machine` | threads, vector instructions, names of the works |
//! | `NAME REPETITIONS` | a [`measure::Timing`] after a warm-up |
//! | `arrays NAME PATH` | where in the file PATH each operand and result of the work lies, see [`arrays`] |
//!
//! What cannot be done is answered by `{"error": …}`, and the next request is read. Works stay prepared between
//! requests. The number of threads is `RAYON_NUM_THREADS`.

mod arrays;
mod measure;
mod problem;
mod request;
mod works;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::Path;

use serde_json::{Value, json};

use request::{Request, RequestError};
use works::{Prepared, WORKS};

fn main() -> io::Result<()> {
    let mut prepared = BTreeMap::new();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer =
            answer(&line?, &mut prepared).unwrap_or_else(|error| json!({"error": error.to_string()}));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str, prepared: &mut BTreeMap<&'static str, Prepared>) -> Result<Value, RequestError> {
    match Request::parse(line)? {
        Request::Machine => Ok(json!({
            "threads": rayon::current_num_threads(),
            "instruction_set": thalweg_kernel::instruction_set(),
            "works": WORKS.map(|work| work.name),
        })),
        Request::Time { work, repetitions } => {
            let prepared = prepared.entry(work.name).or_insert_with(|| work.prepare());
            Ok(json!(measure::time(work.name, repetitions, &mut || prepared.task.run())))
        }
        Request::Arrays { work, path } => {
            let prepared = prepared.entry(work.name).or_insert_with(|| work.prepare());
            let written = prepared.with_arrays(|arrays| arrays::write(Path::new(&path), arrays));
            written.map_err(|error| RequestError::Write { path, error })
        }
    }
}
