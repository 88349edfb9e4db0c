//! `thalweg inspect`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thalweg_lab::inspect::{Inspection, Run, Weights, inspect};

use super::common::say;
use crate::fault::Fault;
use crate::table;

/// Say what is in a file of weights or in a run's folder.
///
/// Of a file (a checkpoint, a safetensors file, a state dict of PyTorch's): every array with its shape, count, norm and
/// digest. Of a folder: the run, and whether its files are as they were written.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The file or folder.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    match inspect(&arguments.path)? {
        Inspection::Weights(found) => {
            say(&weights(&found))?;
            Ok(ExitCode::SUCCESS)
        }
        Inspection::Run(found) => {
            say(&folder(&found))?;
            match found.damage {
                None => Ok(ExitCode::SUCCESS),
                Some(damage) => Err(Fault::damaged(&damage)),
            }
        }
    }
}

fn weights(found: &Weights) -> String {
    let line = |name: &str, value: String| [name.to_owned(), value];
    let mut head = vec![line("file", found.kind.to_owned()), line("BLAKE3", found.blake3.clone())];
    if let Some(description) = &found.description {
        head.push(line("network", description.architecture.clone()));
        head.push(line("precision", description.dtype.clone()));
        head.push(line("steps", format!("{}, of epoch {} the next", description.step, description.epoch)));
        head.push(line("seed", description.seed.to_string()));
        let state = description
            .optimiser
            .map_or_else(|| "none".to_owned(), |(optimiser, _)| optimiser.kind().to_owned());
        head.push(line("optimiser's state", state));
    }
    let leaves =
        found.description.as_ref().map_or(found.arrays.len(), |description| description.leaves.len());
    let parameters: usize = found.arrays[..leaves].iter().map(|array| array.count).sum();
    head.push(line(
        if found.description.is_some() { "parameters" } else { "numbers" },
        parameters.to_string(),
    ));
    let mut rows = vec![["array", "shape", "count", "‖·‖₂", "BLAKE3", ""].map(str::to_owned)];
    for (index, array) in found.arrays.iter().enumerate() {
        let shape: Vec<String> = array.shape.iter().map(usize::to_string).collect();
        let shape = brief(&format!("[{}]", shape.join(", ")));
        let note = match array.not_finite {
            0 if index >= leaves => "running statistic".to_owned(),
            0 => String::new(),
            count => format!("{count} not finite"),
        };
        rows.push([
            brief(&array.name),
            shape,
            array.count.to_string(),
            format!("{:.6e}", array.norm),
            array.blake3[..12].to_owned(),
            note,
        ]);
    }
    format!("{}\n{}", table::aligned(&head), table::aligned(&rows))
}

/// A text from a file as one line that a terminal can be given: nothing that steers it, and no more than a name needs.
fn brief(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn folder(found: &Run) -> String {
    let line = |name: &str, value: String| [name.to_owned(), value];
    let head = [
        line("recipe", format!("{}, version {}", found.recipe.0, found.recipe.1)),
        line("run", found.id.clone()),
        line("configuration", found.config.clone()),
        line(
            "state",
            if found.is_complete { "complete" } else { "not complete: the same command goes on" }.to_owned(),
        ),
        line("files", if found.damage.is_none() { "all as they were written" } else { "damaged" }.to_owned()),
    ];
    let mut rows = vec![["stage", "file", "bytes"].map(str::to_owned)];
    rows.extend(
        found.files.iter().map(|(stage, file, bytes)| [stage.clone(), file.clone(), bytes.to_string()]),
    );
    format!("{}\n{}", table::aligned(&head), table::aligned(&rows))
}
