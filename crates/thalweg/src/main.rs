//! The command line: translation between words and recipes, nothing else.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done, or already done before |
//! | 1 | any other error, a configuration that makes no sense included; stderr says which, and what to do about it |
//! | 2 | the command line cannot be parsed |
//! | 3 | done, but training diverged |
//! | 130 | interrupted; the same command goes on from there |
//!
//! Results go to stdout, everything else to stderr.

mod fault;
mod table;
mod verb;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Trains networks and surveys their loss landscapes.
#[derive(Parser)]
#[command(name = "thalweg", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Train(verb::train::Arguments),
    Survey(verb::survey::Arguments),
    Data(verb::data::Arguments),
    Inspect(verb::inspect::Arguments),
    Export(verb::export::Arguments),
    Import(verb::import::Arguments),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().verb {
        Verb::Train(arguments) => verb::train::run(&arguments),
        Verb::Survey(arguments) => verb::survey::run(&arguments),
        Verb::Data(arguments) => verb::data::run(&arguments),
        Verb::Inspect(arguments) => verb::inspect::run(&arguments),
        Verb::Export(arguments) => verb::export::run(&arguments),
        Verb::Import(arguments) => verb::import::run(&arguments),
    };
    match ended {
        Ok(code) => code,
        Err(fault) => fault.report(),
    }
}
