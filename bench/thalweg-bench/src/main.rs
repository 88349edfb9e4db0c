//! Times named pieces of work on request, and hands out their operands and results.
//!
//! One request a line on standard input, one JSON object a line on standard output:
//!
//! | request | answer |
//! |---|---|
//! | `machine` | threads, vector instructions, and of each work its name and kind |
//! | `NAME REPETITIONS` | a [`measure::Timing`] after a warm-up |
//! | `memory NAME REPETITIONS` | a [`memory::Memory`], of use only from a process that was asked for nothing else |
//! | `arrays NAME PATH` | what the operands are, and where in the file PATH each of them and each result lies, see [`arrays`] |
//! | `logits JSON` | what a trained network answers, into a file: see [`logits`] |
//! | `storage JSON` | how long it takes to read a data set, or to write a checkpoint: see [`storage`] |
//!
//! What cannot be done is answered by `{"error": …}`, and the next request is read. Works stay prepared between
//! requests. The number of threads is `RAYON_NUM_THREADS`.

mod arrays;
mod logits;
mod measure;
mod memory;
mod network;
mod problem;
mod request;
mod storage;
mod works;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::Path;

use serde_json::{Value, json};

use request::{Request, RequestError};
use works::{Prepared, WORKS, Work};

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
            "works": WORKS.iter().map(Work::describe).collect::<Vec<_>>(),
        })),
        Request::Time { work, repetitions } => {
            let prepared = prepared.entry(work.name).or_insert_with(|| work.prepare());
            Ok(json!(measure::time(work.name, repetitions, &mut || prepared.task.run())))
        }
        Request::Memory { work, repetitions } => {
            let prepared = prepared.entry(work.name).or_insert_with(|| work.prepare());
            let mut run = || (0..repetitions).for_each(|_| prepared.task.run());
            Ok(json!(memory::watch(work.name, &mut run)?))
        }
        Request::Arrays { work, path } => {
            let prepared = prepared.entry(work.name).or_insert_with(|| work.prepare());
            prepared.write(Path::new(&path)).map_err(|error| RequestError::Write { path, error })
        }
        Request::Logits(question) => Ok(question.answer()?),
        Request::Storage(storage) => Ok(storage.measure()?),
    }
}
