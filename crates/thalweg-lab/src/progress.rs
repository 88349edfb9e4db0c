//! What a person at a terminal sees of long work.
//!
//! Bars on a terminal; elsewhere (a log, a pipe) a plain line at the start and the end of a stage and a few between.
//! Only on stderr: stdout belongs to results. Nothing here ever fails: a display that cannot be written must not end
//! a run.

use std::io::{IsTerminal as _, Write, stderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// Plain lines within a stage come at most this often, and then only if a tenth of the work was done since.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// However slow the work, a sign of life comes this often.
const LINE_AT_LEAST_EVERY: Duration = Duration::from_secs(60);

/// The unit of what is read and written.
const BYTES: &str = "bytes";

/// The display of a process. Clones share it.
#[derive(Clone)]
pub struct Progress {
    display: Display,
}

#[derive(Clone)]
enum Display {
    Quiet,
    Bars(MultiProgress),
    Lines(Arc<Mutex<dyn Write + Send>>),
}

impl Progress {
    /// Nothing if `quiet`, bars if stderr is a terminal, else plain lines.
    pub fn new(quiet: bool) -> Self {
        let display = match (quiet, stderr().is_terminal()) {
            (true, _) => Display::Quiet,
            (false, true) => Display::Bars(MultiProgress::new()),
            (false, false) => Display::Lines(Arc::new(Mutex::new(stderr()))),
        };
        Self { display }
    }

    /// Begins a stage of `total` steps; `unit` is the plural of a step's name. A total of 0 means unknown. Of "bytes" there are many:
    /// they are shown in kB, MB and so on.
    pub fn stage(&self, name: &str, total: u64, unit: &str) -> Stage {
        let bar = match &self.display {
            Display::Bars(all) => all.add(bar(name, total, unit)),
            _ => ProgressBar::hidden(),
        };
        let stage = Stage {
            display: self.display.clone(),
            bar,
            name: name.to_owned(),
            unit: unit.to_owned(),
            total,
            started: Instant::now(),
            state: Mutex::new(State {
                done: 0,
                resumed: 0,
                message: String::new(),
                line_at: Instant::now(),
                line_done: 0,
            }),
            ended: false,
        };
        match total {
            0 => stage.line(&format!("{name} …")),
            _ => stage.line(&format!("{name}: {} …", amount(total, unit))),
        }
        stage
    }

    /// Writes one line above the bars.
    pub fn note(&self, line: &str) {
        self.display.line(line);
    }
}

impl Display {
    fn line(&self, line: &str) {
        match self {
            Self::Quiet => {}
            Self::Bars(all) => {
                let _ = all.println(line);
            }
            Self::Lines(sink) => {
                let _ = writeln!(sink.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            }
        }
    }
}

fn bar(name: &str, total: u64, unit: &str) -> ProgressBar {
    let unit = unit.to_owned();
    let template = match total {
        _ if unit == BYTES => {
            "{prefix} {bar:30} {decimal_bytes}/{decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left  {msg}"
        }
        0 => "{prefix} {spinner} {pos} {unit}, {elapsed}  {msg}",
        _ => "{prefix} {bar:30} {pos}/{len} {unit}, {rate}/s, {eta} left  {msg}",
    };
    let style = ProgressStyle::with_template(template)
        .expect("the template is ours")
        .with_key("unit", move |_: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = text.write_str(&unit);
        })
        .with_key("rate", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            // About three digits: more only flicker.
            let rate = state.per_sec();
            let digits = if rate >= 100.0 { 0 } else { 2 };
            let _ = write!(text, "{rate:.digits$}");
        });
    ProgressBar::new(total).with_style(style).with_prefix(name.to_owned())
}

/// A stage on the display; any thread may report to it.
pub struct Stage {
    display: Display,
    bar: ProgressBar,
    name: String,
    unit: String,
    total: u64,
    started: Instant,
    state: Mutex<State>,
    ended: bool,
}

struct State {
    done: u64,
    resumed: u64,
    message: String,
    line_at: Instant,
    line_done: u64,
}

impl Stage {
    /// `steps` more are done.
    pub fn inc(&self, steps: u64) {
        self.bar.inc(steps);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += steps;
        let waited = state.line_at.elapsed();
        let moved = (state.done - state.line_done) * 10 >= self.total.max(1);
        if (waited >= LINE_EVERY && moved) || waited >= LINE_AT_LEAST_EVERY {
            state.line_at = Instant::now();
            state.line_done = state.done;
            self.line(&self.midway(&state));
        }
    }

    /// The first `steps` steps were done by an earlier process: they count, but not in the rate.
    pub fn resume_at(&self, steps: u64) {
        self.bar.set_position(steps);
        self.bar.reset_eta();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done = steps;
        state.resumed = steps;
        state.line_done = steps;
    }

    /// What to show beside the bar, for example the current loss.
    pub fn message(&self, message: impl Into<String>) {
        let message = message.into();
        self.bar.set_message(message.clone());
        self.state.lock().unwrap_or_else(PoisonError::into_inner).message = message;
    }

    /// Ends the stage with a line that says how much it did and how long it took.
    pub fn finish(mut self) {
        self.end("");
    }

    fn end(&mut self, how: &str) {
        self.ended = true;
        self.bar.finish_and_clear();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let message = if state.message.is_empty() { String::new() } else { format!("  {}", state.message) };
        let took = spelled(self.started.elapsed());
        let done = amount(state.done, &self.unit);
        let summary = format!("{}: {how}{done} in {took}{message}", self.name);
        self.display.line(&summary);
    }

    fn midway(&self, state: &State) -> String {
        let elapsed = self.started.elapsed();
        let message = if state.message.is_empty() { String::new() } else { format!("  {}", state.message) };
        let left = match state.done {
            done if done > state.resumed && self.total > done => {
                let here = (done - state.resumed) as f64;
                let seconds = elapsed.as_secs_f64() * (self.total - done) as f64 / here;
                // Beyond a century nobody waits, and a duration has an end.
                format!(", {} left", spelled(Duration::from_secs_f64(seconds.min(3.2e9))))
            }
            _ => String::new(),
        };
        let done = match (self.total, &self.unit[..]) {
            (0, unit) => amount(state.done, unit),
            (total, BYTES) => format!("{} of {}", amount(state.done, BYTES), amount(total, BYTES)),
            (total, unit) => format!("{} of {total} {unit}", state.done),
        };
        let rate = match (&self.unit[..], elapsed.as_secs_f64()) {
            (BYTES, seconds) if seconds > 0.0 => {
                let here = state.done.saturating_sub(state.resumed) as f64;
                format!(", {}/s", amount((here / seconds) as u64, BYTES))
            }
            _ => String::new(),
        };
        format!("{}: {done} after {}{rate}{left}{message}", self.name, spelled(elapsed))
    }

    /// A line of the plain display only.
    fn line(&self, line: &str) {
        if matches!(self.display, Display::Lines(_)) {
            self.display.line(line);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.ended {
            self.end("stopped after ");
        }
    }
}

/// So many steps with their unit: `12 epochs`, `9.91 MB`.
fn amount(count: u64, unit: &str) -> String {
    if unit == BYTES { size(count) } else { format!("{count} {unit}") }
}

/// A number of bytes with about three digits, in powers of 1000: `512 bytes`, `9.91 MB`, `170 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut unit = 0;
    let mut number = bytes as f64 / 1e3;
    // From here on three digits would be 1000.
    while number >= 999.5 && unit + 1 < UNITS.len() {
        number /= 1e3;
        unit += 1;
    }
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {}", UNITS[unit])
}

/// A wall time with about three digits: `0.41 s`, `12.3 s`, `3 min 12 s`, `2 h 03 min`.
fn spelled(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.2} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests;
