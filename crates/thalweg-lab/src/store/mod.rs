//! A run's folder.
//!
//! What holds at every instant, also the one at which the machine stops:
//! - a file is whole under its name, or is not there under its name (see [`write_atomic`]);
//! - what the manifest lists was whole and on the disk before it was listed, with its length and digest;
//! - a stage that the manifest lists as finished is never done again; a stage that was cut off starts again, from
//!   its last saved state if it saved one;
//! - one process at a time works in a folder (the system lets go of the lock when the process dies, however it
//!   dies);
//! - nothing that holds results is deleted: a damaged file is kept under another name, and so is a file that somebody
//!   else has put where a stage writes.
//!
//! Beside the manifest a folder is flat: stages name their files, and a name is letters, digits and `. _ - + =`.
//!
//! ```
//! use thalweg_lab::identity::Identity;
//! use thalweg_lab::store::{Array, Folder, StoreError};
//!
//! # let temporary = tempfile::tempdir()?;
//! # let path = temporary.path().join("run");
//! let identity = Identity::new("line", 1, &("tanh", 51))?;
//! let mut folder = Folder::open_or_create(&path, &identity)?;
//! folder.verify()?;
//! folder.stage::<StoreError>("line", |stage| {
//!     let losses = vec![0.5, 0.0, 0.5];
//!     stage.write_npz("losses.npz", &[("loss", Array::new([3], losses))])?;
//!     stage.write_json("barrier.json", &0.5)
//! })?;
//! assert_eq!(folder.read_json::<f64>("barrier.json")?, 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The design that lost: a database file. One torn page costs all results, and none opens in a text editor.

mod atomic;
mod error;
mod folder;
mod lock;
mod manifest;
mod npz;
mod reading;
mod repair;
mod stage;

pub use atomic::write_atomic;
pub use error::{Damage, DamageKind, Difference, StoreError};
pub use folder::Folder;
pub use manifest::{FileRecord, StageRecord};
pub use npz::{Array, Data};
pub use stage::{Stage, StageOutcome};

#[cfg(test)]
mod tests;
