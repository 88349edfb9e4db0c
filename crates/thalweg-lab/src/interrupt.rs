//! Ctrl-C, SIGTERM and SIGHUP ask; they do not cut.
//!
//! The first sets a flag, which long work looks at between steps, so that it can save its state and leave an orderly
//! folder. A second ends the process at once, with exit code 130 as shells expect: the store holds at every instant,
//! so that costs at most the work since the last saved state.
//!
//! A signal that whoever started the process has told it to ignore stays ignored: `nohup` means that the end of a
//! session is no reason to stop, and a script's `&` that a Ctrl-C is meant for another.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a process that an interrupt ended: 128 + SIGINT.
pub const EXIT_CODE: i32 = 130;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The handler could not be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen for interrupts: {reason}")]
pub struct CannotListen {
    reason: String,
}

/// Work stopped because the user asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; what was finished is kept, the same command goes on from there")]
pub struct Interrupted;

/// Starts to listen, once for the process; further calls change nothing. Whether a signal was inherited as ignored
/// can be asked on Linux only; elsewhere all are listened to.
///
/// # Errors
/// The system refuses.
pub fn listen() -> Result<(), CannotListen> {
    static LISTENING: OnceLock<Result<(), CannotListen>> = OnceLock::new();
    LISTENING.get_or_init(|| set().map_err(|error| CannotListen { reason: error.to_string() })).clone()
}

fn set() -> io::Result<()> {
    let requested = REQUESTED.get_or_init(Arc::default);
    let ignored = ignored();
    for signal in SIGNALS.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0) {
        // In this order: the first signal finds the flag down and raises it, the second finds it up.
        flag::register_conditional_shutdown(signal, EXIT_CODE, Arc::clone(requested))?;
        flag::register(signal, Arc::clone(requested))?;
    }
    Ok(())
}

/// The signals that the process was started to ignore: bit n − 1 for signal n.
fn ignored() -> u64 {
    // The system call that asks needs `unsafe`; this says the same.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether an end was asked for. Two loads: cheap enough for every training step.
pub fn requested() -> bool {
    REQUESTED.get().is_some_and(|requested| requested.load(Ordering::Relaxed))
}

/// The same as an error, for `?`.
///
/// # Errors
/// [`Interrupted`] if an end was asked for.
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
