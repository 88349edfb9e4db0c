//! `thalweg survey`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use thalweg_lab::recipe::survey::{Survey, SurveyConfig, SurveyOptions, doc, survey};
use thalweg_lab::{config, progress::Progress};

use super::common::{Common, say};
use crate::fault::{DIVERGED, Fault};
use crate::table;

/// Train a network and survey the landscape that it walked through.
///
/// Without arguments: a small perceptron on handwritten digits, in well under a minute. Everything goes into one
/// folder, with a page (report.html) that explains it. Run again, it finds its results; stopped half-way, it goes on.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,

    #[arg(
        long,
        value_name = "DIR",
        help = "The folder for everything; runs/survey-<name of the run> if not given"
    )]
    out: Option<PathBuf>,

    /// Keeps damaged files of the folder under another name, and does their stages again.
    #[arg(long)]
    repair: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    let Arguments { common, .. } = arguments;
    let config: SurveyConfig = common.configured.load()?;
    if common.print_config {
        let text = config::print_documented(&config, doc)?;
        say(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = SurveyOptions {
        out: arguments.out.clone(),
        data_dir: common.configured.data_dir.clone(),
        repair: arguments.repair,
    };
    let progress = Progress::new(common.quiet);
    let survey = common.work(|| survey(&config, &options, &progress))??;
    if !common.quiet {
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
