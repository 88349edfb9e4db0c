//! What goes to and comes from the disk: a data set, a checkpoint.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use thalweg_lab::store::write_atomic;
use thalweg_learn::checkpoint::{Checkpoint, Leaf};
use thalweg_learn::data::{Cifar, Folders, Mnist, Published, Scaling};
use thalweg_learn::optim::{Optimiser, OptimiserState, Sgd};

/// What is read or written, and how often.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Storage {
    /// A published set, from its files.
    Read {
        /// Its name.
        set: String,
        /// How often.
        repetitions: usize,
    },
    /// A checkpoint of so many parameters.
    Checkpoint {
        /// How many.
        parameters: usize,
        /// How often.
        repetitions: usize,
        /// Where.
        folder: PathBuf,
    },
}

/// What cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("storage: {0}")]
pub(crate) struct StorageError(String);

impl Storage {
    /// Does it so many times.
    pub(crate) fn measure(&self) -> Result<Value, StorageError> {
        match self {
            Self::Read { set, repetitions } => read(set, *repetitions),
            Self::Checkpoint { parameters, repetitions, folder } => {
                checkpoint(*parameters, *repetitions, folder)
            }
        }
        .map_err(StorageError)
    }
}

/// Sets by name.
const SETS: [Published; 5] = [
    Published::Mnist(Mnist::Digits),
    Published::Mnist(Mnist::Fashion),
    Published::Cifar(Cifar::Ten),
    Published::Cifar(Cifar::Hundred),
    Published::Cifar(Cifar::HundredCoarse),
];
/// Elements of a leaf at most: a large layer's.
const LEAF: usize = 1 << 20;

/// Reads a whole published set from its files, so many times: unpacked, checked, its pixels scaled and standardised.
fn read(set: &str, repetitions: usize) -> Result<Value, String> {
    let known = SETS.iter().find(|known| known.name() == set);
    let known = known
        .ok_or_else(|| format!("expected one of {:?}, found `{set}`", SETS.map(|known| known.name())))?;
    let mut examples = 0;
    let mut once = || -> Result<Duration, String> {
        let start = Instant::now();
        let mut split = known.load(&Folders::new(None)).map_err(|error| error.to_string())?;
        split.scale(Scaling::Standardised).map_err(|error| error.to_string())?;
        examples = split.train.examples() + split.test.examples();
        Ok(start.elapsed())
    };
    let times = (0..repetitions).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "examples": examples, "seconds": seconds(&times) }))
}

/// Writes a checkpoint of so many parameters durably, with or without momentum, and as many bytes by themselves, by turns:
/// what is more than the disk's own time is ours.
fn checkpoint(parameters: usize, repetitions: usize, folder: &Path) -> Result<Value, String> {
    let values = |count: usize| (0..count).map(|i| (i as f32).sin()).collect::<Vec<f32>>();
    let leaves = (0..parameters.div_ceil(LEAF)).map(|number| {
        let count = LEAF.min(parameters - number * LEAF);
        Leaf { name: format!("layers.{number}.weight"), shape: vec![count], values: values(count) }
    });
    let momentum = Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
    let whole = Checkpoint {
        step: 0,
        epoch: 0,
        seed: 0,
        architecture: "{}".to_owned(),
        leaves: leaves.collect(),
        buffers: Vec::new(),
        optimiser: Some(OptimiserState::new(momentum, parameters).map_err(|error| error.to_string())?),
    };
    let alone = Checkpoint { optimiser: None, ..whole.clone() };
    let mut answer = json!({ "parameters": parameters });
    for (name, checkpoint) in [("theta", alone), ("theta_and_momentum", whole)] {
        let (mut ours, mut disk, mut length) = (Vec::new(), Vec::new(), 0);
        for _ in 0..repetitions {
            let start = Instant::now();
            let bytes = checkpoint.to_bytes().map_err(|error| error.to_string())?;
            write_atomic(folder, "checkpoint", &bytes).map_err(|error| error.to_string())?;
            ours.push(start.elapsed());
            let start = Instant::now();
            bare(folder, &bytes).map_err(|error| format!("{}: {error}", folder.display()))?;
            disk.push(start.elapsed());
            length = bytes.len();
        }
        answer[name] = json!({ "bytes": length, "seconds": seconds(&ours), "disk_seconds": seconds(&disk) });
    }
    Ok(answer)
}

/// The bytes in a file of their own, on the disk when this returns.
fn bare(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join("bare");
    let mut file = File::create(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::remove_file(path)
}

/// The median, and all.
fn seconds(times: &[Duration]) -> Value {
    let mut all: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    let in_order = all.clone();
    all.sort_by(f64::total_cmp);
    json!({ "median": all.get(all.len() / 2), "all": in_order })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_checkpoint_is_written() {
        let folder = std::env::temp_dir().join(format!("thalweg-storage-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let answer = checkpoint(100, 2, &folder).unwrap();
        let bytes = fs::read(folder.join("checkpoint")).unwrap();
        assert_eq!(answer["theta_and_momentum"]["bytes"], bytes.len());
        assert!(answer["theta"]["bytes"].as_u64().unwrap() < bytes.len() as u64);
        assert!(!folder.join("bare").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_unknown_set_is_refused() {
        assert!(read("imagenet", 1).unwrap_err().contains("found `imagenet`"));
    }
}
