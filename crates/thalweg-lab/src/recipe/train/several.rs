//! Several runs side by side.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{RecipeError, Setup, TrainOptions, Trained, resolve, run};
use crate::interrupt;
use crate::progress::Progress;
use crate::recipe::setup::RunConfig;

/// A run among several.
#[derive(Clone, Debug)]
pub struct Named {
    /// What it is called on the display, and its folder in the one for all.
    pub name: String,
    /// What is trained.
    pub config: RunConfig,
}

/// How a run among several ended.
#[derive(Debug)]
pub struct Ended {
    /// What it is called.
    pub name: String,
    /// The run, or why it is none.
    pub outcome: Result<Trained, RecipeError>,
}

/// Trains all of them, as many at a time as there are threads, and with what threads there are for each; runs on fewer
/// threads come to the same bits. Data that they have in common are in memory once. All are looked through before the
/// first begins; one that fails later does not stop the others.
///
/// # Errors
/// A configuration that cannot be used. What happens later is in the outcomes, which come in the order of `runs`.
pub fn train_several(
    runs: &[Named],
    options: &TrainOptions,
    progress: &Progress,
) -> Result<Vec<Ended>, RecipeError> {
    let mut loaded = Vec::new();
    let setups: Vec<Setup> =
        runs.iter().map(|run| resolve(&run.config, options, &mut loaded)).collect::<Result<_, _>>()?;
    let threads = rayon::current_num_threads();
    let workers = threads.min(runs.len()).max(1);
    let folder = |name: &str| -> Option<PathBuf> { options.out.as_ref().map(|out| out.join(name)) };
    let all = progress.stage("runs", runs.len() as u64, "runs");
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<Option<Result<Trained, RecipeError>>>> =
        Mutex::new(runs.iter().map(|_| None).collect());
    let work = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((Named { name, .. }, setup)) = runs.get(index).zip(setups.get(index)) else { break };
            let train = || -> Result<Trained, RecipeError> {
                interrupt::check()?;
                run(setup, folder(name), options, progress, name)
            };
            // Without threads of its own a run shares those of all.
            let outcome = pool.as_ref().map_or_else(|_| train(), |pool| pool.install(train));
            outcomes.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
            all.inc(1);
        }
    };
    thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            // The first ones take what does not divide.
            let threads = threads / workers + usize::from(worker < threads % workers);
            scope.spawn(move || work(threads));
        }
    });
    all.finish();
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ended = runs.iter().zip(outcomes).map(|(run, outcome)| {
        let outcome = outcome.unwrap_or_else(|| Err(interrupt::Interrupted.into()));
        Ended { name: run.name.clone(), outcome }
    });
    Ok(ended.collect())
}
