//! `thalweg import`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thalweg_lab::recipe::setup::{InitialConfig, RunConfig, import};

use super::common::{Configured, put, say};
use crate::fault::Fault;

/// Make a checkpoint of a network that was trained elsewhere.
///
/// Takes a state dict of PyTorch's (.pt or .pth, of which nothing is executed; or safetensors) whose names and shapes are
/// those of the configured network for the configured data.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The state dict.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The file to write; one that is there is not replaced.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,

    #[command(flatten)]
    configured: Configured,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    let config: RunConfig = arguments.configured.load()?;
    let initial = InitialConfig { path: Some(arguments.file.clone()), blake3: None };
    let bytes = import(&RunConfig { initial, ..config }, arguments.configured.data_dir.as_deref())?;
    put(&arguments.checkpoint, &bytes)?;
    say(&format!("{}\n", arguments.checkpoint.display()))?;
    Ok(ExitCode::SUCCESS)
}
