//! What every verb that follows a recipe is told.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thalweg_lab::{config, interrupt};

use crate::fault::Fault;

/// Bytes of stack of a thread, as many as the first one of a process has: a thread is given less if nothing is said.
const STACK: usize = 8 << 20;

#[derive(Args)]
pub(crate) struct Configured {
    /// A TOML file laid over the defaults; --print-config shows them all.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    // Not doc comments: brackets are links there, and backticks would be shown at the terminal.
    #[arg(
        long,
        value_name = "PATH=VALUE",
        help = "Sets one field over that, for example model.widths=[64,64]; may be given more than once"
    )]
    pub(crate) set: Vec<String>,

    /// A folder of data sets, looked in before THALWEG_DATA, the user's data folder and /usr/share/datasets.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) configured: Configured,

    /// Prints the whole configuration as TOML with a comment for every field, and does nothing else.
    #[arg(long)]
    pub(crate) print_config: bool,

    /// Prints errors only.
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Threads to work on; all cores if not given. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl Configured {
    /// The configuration: defaults, the file over them, and what was set over that.
    pub(crate) fn load<C: DeserializeOwned + Serialize + Default>(&self) -> Result<C, Fault> {
        self.load_with(&[])
    }

    /// The same, with more set over it.
    pub(crate) fn load_with<C: DeserializeOwned + Serialize + Default>(
        &self,
        more: &[String],
    ) -> Result<C, Fault> {
        Ok(config::load(self.config.as_deref(), &[&self.set[..], more].concat())?)
    }
}

impl Common {
    /// Does the work of a verb, with an ear for interrupts. It is done by one of the threads that share work: from outside,
    /// each piece of work to share would put the one who asks to sleep.
    pub(crate) fn work<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, Fault> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.map_or(0, usize::from))
            .stack_size(STACK)
            .build_global()
            .map_err(|error| Fault::threads(&error))?;
        interrupt::listen()?;
        Ok(rayon::scope(|_| work()))
    }
}

/// Writes a file that is not there yet.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let write = || -> io::Result<()> {
        let mut file = File::create_new(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        // Half a file under this name would pass for the whole.
        written.inspect_err(|_| drop(fs::remove_file(path)))
    };
    write().map_err(|error| Fault::file(path, &error))
}

/// Writes to stdout. A reader that went away (`| head`) is no error.
pub(crate) fn say(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::output(&error)),
        _ => Ok(()),
    }
}
