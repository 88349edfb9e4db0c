//! `thalweg export`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thalweg_lab::inspect::export;

use super::common::{put, say};
use crate::fault::Fault;

/// Write the network of a checkpoint as a state dict for PyTorch.
///
/// A safetensors file with parameters and running statistics under PyTorch's names, and nothing else:
/// module.load_state_dict(safetensors.torch.load_file(FILE)).
#[derive(Args)]
pub(crate) struct Arguments {
    /// A checkpoint.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,

    /// The file to write; one that is there is not replaced.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    put(&arguments.file, &export(&arguments.checkpoint)?)?;
    say(&format!("{}\n", arguments.file.display()))?;
    Ok(ExitCode::SUCCESS)
}
