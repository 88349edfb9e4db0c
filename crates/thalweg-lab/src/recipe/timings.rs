//! How long the stages took.
//!
//! Beside the readings and not among them: a time is no result and never the same twice.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::RecipeError;
use crate::store::Folder;

const FILE: &str = "timings.json";

/// Wall time of each part in seconds, over all processes that worked on it.
pub(super) type Timings = BTreeMap<String, f64>;

/// What is known; nothing if the file is not there or not readable.
pub(super) fn read(folder: &Folder) -> Timings {
    let bytes = fs::read(folder.path().join(FILE)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Adds to a part's time. A file that is there and holds no times is kept under another name.
pub(super) fn add(folder: &mut Folder, part: &str, time: Duration) -> Result<(), RecipeError> {
    let mut timings = read(folder);
    if timings.is_empty() {
        folder.set_aside(FILE)?;
    }
    *timings.entry(part.to_owned()).or_default() += time.as_secs_f64();
    let mut text = serde_json::to_vec_pretty(&timings).expect("names and numbers are plain data");
    text.push(b'\n');
    Ok(folder.write_atomic(FILE, &text)?)
}
