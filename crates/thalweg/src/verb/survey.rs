//! `thalweg survey`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thalweg_lab::recipe::survey::{Survey, SurveyConfig, SurveyOptions, doc, survey};
use thalweg_lab::{config, interrupt, progress::Progress};

use crate::fault::{DIVERGED, Fault};
use crate::table;

/// Train a network and survey the landscape that it walked through.
///
/// Without arguments: a small perceptron on handwritten digits, in well under a minute. Everything goes into one
/// folder, with a page (report.html) that explains it. Run again, it finds its results; stopped half-way, it goes on.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A TOML file laid over the defaults; --print-config shows them all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    // Not doc comments: brackets are links there, and backticks would be shown at the terminal.
    #[arg(
        long,
        value_name = "PATH=VALUE",
        help = "Sets one field over that, for example model.widths=[64,64]; may be given more than once"
    )]
    set: Vec<String>,

    #[arg(
        long,
        value_name = "DIR",
        help = "The folder for everything; runs/survey-<name of the run> if not given"
    )]
    out: Option<PathBuf>,

    /// A folder of data sets, looked in before THALWEG_DATA, the user's data folder and /usr/share/datasets.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Prints the whole configuration as TOML with a comment for every field, and does nothing else.
    #[arg(long)]
    print_config: bool,

    /// Prints errors only.
    #[arg(long)]
    quiet: bool,

    /// Threads to work on; all cores if not given. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// Keeps damaged files of the folder under another name, and does their stages again.
    #[arg(long)]
    repair: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    let config: SurveyConfig = config::load(arguments.config.as_deref(), &arguments.set)?;
    if arguments.print_config {
        let text = config::print_documented(&config, doc)?;
        say(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .map_err(|error| Fault::threads(&error))?;
    }
    interrupt::listen()?;
    let options = SurveyOptions {
        out: arguments.out.clone(),
        data_dir: arguments.data_dir.clone(),
        repair: arguments.repair,
    };
    let survey = survey(&config, &options, &Progress::new(arguments.quiet))?;
    if !arguments.quiet {
        say(&told(&survey))?;
    }
    Ok(match &survey.divergence {
        None => ExitCode::SUCCESS,
        Some(divergence) => {
            Fault::diverged(divergence, &survey.report).report();
            ExitCode::from(DIVERGED)
        }
    })
}

/// What is said at the end.
fn told(survey: &Survey) -> String {
    let report = survey.report.display();
    if survey.was_complete {
        return format!("nothing to do: this survey is complete\nreport: {report}\n");
    }
    let findings = table::findings(&survey.findings);
    format!("{findings}\nreport: {report}\n")
}

/// Writes to stdout. A reader that went away (`| head`) is no error.
fn say(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::output(&error)),
        _ => Ok(()),
    }
}
