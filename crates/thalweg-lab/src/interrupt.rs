//! Ctrl-C and SIGTERM ask; they do not cut.
//!
//! The first sets a flag, which long work looks at between steps, so that it can save its state and leave an orderly
//! folder. A second ends the process at once, with exit code 130 as shells expect: the store holds at every instant,
//! so that costs at most the work since the last saved state.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of a process that an interrupt ended: 128 + SIGINT.
pub const EXIT_CODE: i32 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);

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

/// Starts to listen, once for the process; further calls change nothing.
///
/// # Errors
/// The system refuses, or another part of the program has a handler.
pub fn listen() -> Result<(), CannotListen> {
    static LISTENING: OnceLock<Result<(), CannotListen>> = OnceLock::new();
    let set = || {
        ctrlc::try_set_handler(|| {
            if REQUESTED.swap(true, Ordering::Relaxed) {
                std::process::exit(EXIT_CODE);
            }
        })
        .map_err(|error| CannotListen { reason: error.to_string() })
    };
    LISTENING.get_or_init(set).clone()
}

/// Whether an end was asked for. One relaxed load: cheap enough for every training step.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// The same as an error, for `?`.
///
/// # Errors
/// [`Interrupted`] if an end was asked for.
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
