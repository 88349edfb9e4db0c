//! `thalweg train`.

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use thalweg_lab::recipe::setup::RunConfig;
use thalweg_lab::recipe::train::{Ended, Named, TrainOptions, Trained, doc, train, train_several};
use thalweg_lab::{config, progress::Progress};

use super::common::{Common, say};
use crate::fault::{DIVERGED, Fault};
use crate::table;

/// Train a network, or several side by side.
///
/// Everything goes into one folder: checkpoints, metrics.csv (a row an epoch) and result.json. Run again, it finds its
/// results; stopped or killed half-way, it goes on to the same bits.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,

    #[arg(
        long,
        value_name = "DIR",
        help = "The folder for everything; runs/train-<name of the run> if not given. Of several runs, with a folder in it for each"
    )]
    out: Option<PathBuf>,

    /// Trains a run for each of these seeds, as many at a time as there are threads: 0..8 is eight of them, 0 to 7.
    #[arg(long, value_name = "FROM..TO")]
    seeds: Option<Seeds>,

    #[arg(
        long,
        value_name = "PATH=[VALUES]",
        help = "Trains a run for each of these values, for example train.lr=[0.1,0.01]; several and --seeds are combined"
    )]
    vary: Vec<String>,

    /// Seconds between two saved states: what a killed run loses at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    save_every: u32,

    /// Writes events for TensorBoard into the folder, too.
    #[arg(long)]
    tensorboard: bool,

    /// Keeps damaged files of the folder under another name, and does their stages again.
    #[arg(long)]
    repair: bool,
}

/// Seeds, the last one not included.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seeds(Range<u64>);

/// More runs than anyone means to begin.
const SEEDS_MAX: u64 = 100_000;
/// Bytes of the name of a folder, with room for systems that allow 255.
const NAME_MAX: usize = 200;

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected FROM..TO with FROM below TO and at most {SEEDS_MAX} seeds");
        let (from, to) = text.split_once("..").ok_or_else(expected)?;
        match (from.parse::<u64>(), to.parse::<u64>()) {
            (Ok(from), Ok(to)) if from < to && to - from <= SEEDS_MAX => Ok(Self(from..to)),
            _ => Err(expected()),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    let Arguments { common, out, repair, .. } = arguments;
    let config: RunConfig = common.configured.load()?;
    if common.print_config {
        say(&config::print_documented(&config, doc)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = TrainOptions {
        out: out.clone(),
        data_dir: common.configured.data_dir.clone(),
        repair: *repair,
        save_every: Duration::from_secs(arguments.save_every.into()),
        tensorboard: arguments.tensorboard,
    };
    let progress = Progress::new(common.quiet);
    if arguments.seeds.is_some() || !arguments.vary.is_empty() {
        let runs = named(arguments)?;
        let ended = common.work(|| train_several(&runs, &options, &progress))??;
        return tell_all(&ended, common.quiet);
    }
    let trained = common.work(|| train(&config, &options, &progress))??;
    if !common.quiet {
        say(&told(&trained))?;
    }
    Ok(match &trained.result.divergence {
        None => ExitCode::SUCCESS,
        Some(divergence) => {
            Fault::diverged(divergence, &trained.folder).report();
            ExitCode::from(DIVERGED)
        }
    })
}

/// The runs that are asked for, each named after what it differs in.
fn named(arguments: &Arguments) -> Result<Vec<Named>, Fault> {
    let mut runs: Vec<(Vec<String>, Vec<String>)> = vec![(Vec::new(), Vec::new())];
    let mut choices: Vec<Vec<String>> = Vec::new();
    for varied in &arguments.vary {
        choices.push(config::variants(varied)?);
    }
    if let Some(Seeds(seeds)) = &arguments.seeds {
        choices.push(seeds.clone().map(|seed| format!("seed={seed}")).collect());
    }
    let field = |set: &String| set.split_once('=').map_or(set.clone(), |(path, _)| path.to_owned());
    let mut fields: Vec<String> = choices.iter().filter_map(|values| values.first()).map(field).collect();
    fields.sort();
    if let Some(pair) = fields.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Fault::varied_twice(&pair[0]));
    }
    for values in choices {
        let with = |(names, sets): &(Vec<String>, Vec<String>), value: &String| {
            let name = [&names[..], &[plain_name(value)]].concat();
            (name, [&sets[..], std::slice::from_ref(value)].concat())
        };
        runs = runs.iter().flat_map(|run| values.iter().map(move |value| with(run, value))).collect();
    }
    let mut all: Vec<Named> = Vec::with_capacity(runs.len());
    for (names, sets) in runs {
        let config = arguments.common.configured.load_with(&sets)?;
        let name = names.join("_");
        if name.len() > NAME_MAX {
            return Err(Fault::long_name(&name));
        }
        if all.iter().any(|run| run.name == name) {
            return Err(Fault::same_name(&name));
        }
        all.push(Named { name, config });
    }
    Ok(all)
}

/// `train.lr=0.1` as the name of a folder: `lr-0.1`.
fn plain_name(set: &str) -> String {
    let (path, value) = set.split_once('=').unwrap_or((set, ""));
    let field = path.rsplit('.').next().unwrap_or(path);
    let kept = |c: char| if c.is_ascii_alphanumeric() || "._-+".contains(c) { c } else { ' ' };
    let value: String = value.chars().map(kept).collect();
    format!("{field}-{}", value.split_whitespace().collect::<Vec<_>>().join("-"))
}

/// What is said of one run.
fn told(trained: &Trained) -> String {
    let folder = trained.folder.display();
    if trained.was_complete {
        return format!("nothing to do: this run is complete\nfolder: {folder}\n");
    }
    let result = &trained.result;
    let mut lines = vec![
        ["trained".to_owned(), format!("{} steps, {} epochs", result.steps, short(result.epochs))],
        ["loss".to_owned(), format!("train {}, test {}", short(result.loss_train), short(result.loss_test))],
    ];
    if !result.error_test.is_nan() {
        let text = format!("train {}, test {}", percent(result.error_train), percent(result.error_test));
        lines.push(["error".to_owned(), text]);
    }
    if let Some(stopped) = &result.stopped {
        lines.push(["early stop".to_owned(), stopped.to_string()]);
    }
    if let Some(rate) = trained.rate {
        lines.push(["speed".to_owned(), format!("{rate:.0} examples/s, looks at the held-out set included")]);
    }
    format!("{}folder: {folder}\n", table::aligned(&lines))
}

/// What is said of several, and how it ended: badly if one of them did.
fn tell_all(ended: &[Ended], quiet: bool) -> Result<ExitCode, Fault> {
    let head = ["run", "steps", "loss, train", "loss, test", "error, train", "error, test", ""];
    let mut lines = vec![head.map(str::to_owned)];
    let (mut failed, mut diverged) = (0, false);
    for Ended { name, outcome } in ended {
        match outcome {
            Ok(Trained { result, .. }) => {
                diverged |= result.divergence.is_some();
                lines.push([
                    name.clone(),
                    result.steps.to_string(),
                    short(result.loss_train),
                    short(result.loss_test),
                    percent(result.error_train),
                    percent(result.error_test),
                    match (&result.divergence, &result.stopped) {
                        (Some(_), _) => "diverged".to_owned(),
                        (None, Some(_)) => "stopped early".to_owned(),
                        (None, None) => String::new(),
                    },
                ]);
            }
            Err(_) => failed += 1,
        }
    }
    if !quiet && lines.len() > 1 {
        say(&table::aligned(&lines))?;
    }
    let faults: Vec<Fault> =
        ended.iter().filter_map(|run| Some(Fault::of_run(&run.name, run.outcome.as_ref().err()?))).collect();
    // An interrupt ends all of them, and is said once.
    if let Some(interrupt) = faults.iter().find(|fault| fault.is_interrupt()) {
        return Ok(interrupt.report());
    }
    for fault in &faults {
        fault.report();
    }
    match (failed, diverged) {
        (0, false) => Ok(ExitCode::SUCCESS),
        (0, true) => Ok(ExitCode::from(DIVERGED)),
        _ => Err(Fault::failed(failed, ended.len())),
    }
}

/// About four digits.
fn short(number: f64) -> String {
    match number.abs() {
        x if x.is_nan() => "–".to_owned(),
        0.0 => "0".to_owned(),
        x if !(1e-3..1e5).contains(&x) => format!("{number:.3e}"),
        x => {
            let digits = (3 - x.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{number:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    }
}

fn percent(share: f64) -> String {
    if share.is_nan() { "–".to_owned() } else { format!("{:.2} %", 100.0 * share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range() {
        assert_eq!("0..8".parse(), Ok(Seeds(0..8)));
        assert_eq!("5..6".parse(), Ok(Seeds(5..6)));
        for text in ["", "8", "0..0", "3..1", "-1..2", "0..", "0...8", "0..9999999999"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }

    #[test]
    fn runs_are_named_after_what_they_differ_in() {
        assert_eq!(plain_name("train.lr=0.1"), "lr-0.1");
        assert_eq!(plain_name("model.widths=[64, 32]"), "widths-64-32");
        assert_eq!(plain_name("model.kind='resnet20'"), "kind-resnet20");
        assert_eq!(plain_name("data.path='../x'"), "path-..-x");
    }

    #[test]
    fn numbers_have_about_four_digits() {
        let texts = [1234.0, 0.012345, 12.0, 2e-5, 0.0, f64::NAN].map(short);
        assert_eq!(texts, ["1234", "0.01235", "12", "2.000e-5", "0", "–"]);
    }
}
