//! `thalweg data`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use thalweg_lab::data::{
    Condition, Fetched, Folders, Origin, Set, Verified, catalogue, fetch, named, verify, whereabouts,
};
use thalweg_lab::interrupt;
use thalweg_lab::progress::{Progress, size};

use super::common::say;
use crate::fault::Fault;
use crate::table;

/// Bring published data sets here, and say which there are and where they lie.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(List),
    Path(Where),
    Fetch(Fetch),
    Verify(Verify),
}

/// Say of every data set what it is, how it is licensed, and whether it is here.
#[derive(Args)]
struct List {
    #[command(flatten)]
    places: Places,
}

/// Print where a data set lies, one path a line.
///
/// If it is here, the files that are read. If not, the places where it is looked for, the first of which is the one that
/// fetch brings it to, and the exit code is 1. Without a set, the folders of all data sets.
#[derive(Args)]
struct Where {
    /// The data set.
    #[arg(value_name = "SET", value_parser = known)]
    set: Option<Set>,

    #[command(flatten)]
    places: Places,
}

/// Bring data sets here, from where they are published unless told otherwise.
///
/// Every file is checked by its digest before it gets its name. A download that was stopped goes on where it was. Nothing is done
/// for a set whose files are here and right.
#[derive(Args)]
struct Fetch {
    /// Data sets.
    #[arg(value_name = "SET", required = true, value_parser = known)]
    sets: Vec<Set>,

    /// Takes the files from this folder (itself, or one of the set's name in it), packed or not, in place of the network.
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    from: Option<PathBuf>,

    /// Takes them from a mirror: the address in front of the names of the files.
    #[arg(long, value_name = "BASE")]
    url: Option<String>,

    /// The folder to bring them to, and the only one looked in; if not given, the one that THALWEG_DATA names, else the user's data folder.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Prints errors only.
    #[arg(long)]
    quiet: bool,
}

/// Take the digests of all files that are here, packed and unpacked.
///
/// The exit code is 1 if a file is wrong, or if a set that was named is not here.
#[derive(Args)]
struct Verify {
    /// Data sets; all that are here if none is named.
    #[arg(value_name = "SET", value_parser = known)]
    sets: Vec<Set>,

    #[command(flatten)]
    places: Places,

    /// Prints errors only.
    #[arg(long)]
    quiet: bool,
}

#[derive(Args)]
struct Places {
    /// A folder of data sets, looked in before THALWEG_DATA, the user's data folder and /usr/share/datasets.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Places {
    fn folders(&self) -> Folders {
        Folders::new(self.data_dir.as_deref())
    }
}

fn known(name: &str) -> Result<Set, String> {
    named(name).map_err(|error| error.to_string())
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Fault> {
    match &arguments.what {
        What::List(List { places }) => list(&places.folders()),
        What::Path(Where { set: None, places }) => {
            say(&lines(places.folders().all()))?;
            Ok(ExitCode::SUCCESS)
        }
        What::Path(Where { set: Some(set), places }) => path(set, &places.folders()),
        What::Fetch(arguments) => bring(arguments),
        What::Verify(arguments) => check(arguments),
    }
}

fn list(folders: &Folders) -> Result<ExitCode, Fault> {
    let paragraph = |set: &Set| {
        let line = |name: &str, text: String| [name.to_owned(), text];
        let download = match &set.publication {
            None => "none: built in".to_owned(),
            Some(publication) => format!("{} from {}", size(publication.bytes()), publication.address),
        };
        let rows = [
            line("data.kind", set.kinds.join(", ")),
            line("what", set.what.clone()),
            line("licence", set.licence.clone()),
            line("download", download),
            line("here", here(set, folders)),
        ];
        format!("{}\n{}", set.name, table::aligned(&rows))
    };
    say(&catalogue().iter().map(paragraph).collect::<Vec<_>>().join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// In one line where a set lies.
fn here(set: &Set, folders: &Folders) -> String {
    let files = whereabouts(set, folders);
    let mut parents: Vec<String> = files
        .iter()
        .flatten()
        .map(|found| found.path.parent().map_or(String::new(), |parent| parent.display().to_string()))
        .collect();
    parents.dedup();
    let there = files.iter().flatten().count();
    match (there, files.len()) {
        (_, 0) => "yes, built in".to_owned(),
        (0, _) => "no".to_owned(),
        (there, all) if there == all => format!("yes, in {}", parents.join(", ")),
        (there, all) => format!("no: {there} of {all} files, in {}", parents.join(", ")),
    }
}

fn lines(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("{}\n", path.display())).collect()
}

fn path(set: &Set, folders: &Folders) -> Result<ExitCode, Fault> {
    let files = whereabouts(set, folders);
    match files.iter().cloned().collect::<Option<Vec<_>>>() {
        Some(files) => {
            say(&lines(&files.into_iter().map(|found| found.path).collect::<Vec<_>>()))?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            say(&lines(&folders.places(&set.name)))?;
            Err(Fault::not_here(&set.name))
        }
    }
}

fn bring(arguments: &Fetch) -> Result<ExitCode, Fault> {
    let Fetch { sets, from, url, data_dir, quiet } = arguments;
    if url.is_some() && sets.len() > 1 {
        return Err(Fault::one_mirror(sets.len()));
    }
    let origin = match (from, url) {
        (Some(from), _) => Origin::Folder(from.clone()),
        (None, Some(url)) => Origin::Mirror(url.clone()),
        (None, None) => Origin::Published,
    };
    let folders = match data_dir {
        // Whoever names a folder wants the files in it, wherever else they lie.
        Some(folder) => Folders::only(folder),
        None => Folders::new(None),
    };
    let progress = Progress::new(*quiet);
    interrupt::listen()?;
    for set in sets {
        let told = match fetch(set, &folders, &origin, &progress)? {
            Fetched::BuiltIn => format!("{}: nothing to do, it is built in\n", set.name),
            Fetched::WasHere => {
                format!("{}: nothing to do, its files are right; here: {}\n", set.name, here(set, &folders))
            }
            Fetched::Brought { files, aside } => {
                for path in aside {
                    progress.note(&format!("a file that was wrong is now {}", path.display()));
                }
                lines(&files)
            }
        };
        if !quiet {
            say(&told)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(arguments: &Verify) -> Result<ExitCode, Fault> {
    let Verify { sets, places, quiet } = arguments;
    let folders = places.folders();
    let progress = Progress::new(*quiet);
    interrupt::listen()?;
    let is_asked_for = !sets.is_empty();
    let mut sets = if is_asked_for { sets.clone() } else { catalogue() };
    // Who names one twice does not want it twice.
    let mut seen = BTreeSet::new();
    sets.retain(|set| seen.insert(set.name.clone()));
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    for set in &sets {
        let verified = verify(set, &folders, &progress)?;
        if !is_asked_for && verified.files.is_empty() {
            continue;
        }
        if !verified.is_right() {
            wrong.push(set.name.clone());
        }
        rows.extend(verdicts(set, &verified));
    }
    if !quiet {
        say(&table::aligned(&rows))?;
    }
    if wrong.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Fault::not_right(&wrong)) }
}

/// A row for each file of a set, and for each that is missing.
fn verdicts(set: &Set, verified: &Verified) -> Vec<[String; 3]> {
    let row = |file: String, verdict: String| [set.name.clone(), file, verdict];
    if set.publication.is_none() {
        return vec![row(String::new(), "built in".to_owned())];
    }
    let verdict = |condition: &Condition| match condition {
        Condition::Right => "right".to_owned(),
        Condition::RightWithin => "right, packed by another than its publisher".to_owned(),
        Condition::Wrong { expected, found } => format!("wrong: expected {expected}, found {found}"),
    };
    let files =
        verified.files.iter().map(|(path, condition)| row(path.display().to_string(), verdict(condition)));
    let missing = verified.missing.iter().map(|names| row(names.join(" or "), "missing".to_owned()));
    files.chain(missing).collect()
}
