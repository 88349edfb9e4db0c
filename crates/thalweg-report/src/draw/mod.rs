//! From a record to a drawing. Every figure has the same parts from top to bottom: title, legend, plot, caption, and a
//! note about what could not be drawn.

mod color_bar;
mod contour_labels;
mod curves;
mod frame;
mod legend;
mod spectrum;
pub(crate) mod style;
mod surface;

pub(crate) use curves::needs_legend;
pub(crate) use surface::bands_on;

use crate::font::{self, Weight};
use crate::palette::{INK, MUTED};
use crate::record::Figure;
use crate::scene::{Scene, Word};

/// What is drawn around a plot. A picture that travels alone should explain itself; one that is set into a paper has
/// its caption there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dress {
    /// Draw the title above the plot.
    pub title: bool,
    /// Draw the caption below the plot.
    pub caption: bool,
    /// Draw the notes about what could not be drawn.
    pub notes: bool,
}

impl Default for Dress {
    fn default() -> Self {
        Self { title: true, caption: true, notes: true }
    }
}

impl Dress {
    /// The plot alone, with the notes that keep it honest.
    pub const PLAIN: Self = Self { title: false, caption: false, notes: true };
}

/// The rim of a figure.
const MARGIN: f64 = 16.0;
/// The width of figures that are not bound to an aspect ratio, in CSS pixels.
const WIDTH: f64 = 720.0;
const TITLE_SIZE: f64 = 16.0;
const TITLE_LINE: f64 = 21.0;
const CAPTION_SIZE: f64 = 12.5;
const CAPTION_LINE: f64 = 17.5;

/// Draws a record.
pub(crate) fn scene(figure: &Figure, dress: Dress) -> Scene {
    let mut scene = match figure {
        Figure::Curves(record) => curves::draw(record, dress),
        Figure::Surface(record) => surface::draw(record, dress),
        Figure::Spectrum(record) => spectrum::draw(record, dress),
    };
    figure.title().clone_into(&mut scene.title);
    figure.caption().clone_into(&mut scene.description);
    scene
}

/// Starts a drawing with its title; returns it and where the next part begins.
fn begin(width: f64, title: &str, dress: Dress) -> (Scene, f64) {
    let mut scene = Scene { width, ..Scene::default() };
    let mut y = MARGIN;
    if dress.title && !title.trim().is_empty() {
        for line in font::wrap(title, TITLE_SIZE, Weight::Medium, width - 2.0 * MARGIN) {
            scene.word(Word::new(line, MARGIN, y + 14.0, TITLE_SIZE, INK).weight(Weight::Medium));
            y += TITLE_LINE;
        }
        y += 6.0;
    }
    (scene, y)
}

/// Ends a drawing below `y` with the notes and the caption, and fixes its height.
fn finish(mut scene: Scene, y: f64, caption: &str, notes: Vec<String>, dress: Dress) -> Scene {
    let mut y = y;
    scene.notes = notes;
    let notes = if dress.notes { scene.notes.clone() } else { Vec::new() };
    let room = scene.width - 2.0 * MARGIN;
    let caption = if dress.caption { caption } else { "" };
    for (text, color) in notes.iter().map(|note| (&note[..], MUTED)).chain([(caption, INK)]) {
        let lines = font::wrap(text, CAPTION_SIZE, Weight::Regular, room);
        if !lines.is_empty() {
            y += 6.0;
        }
        for line in lines {
            scene.word(Word::new(line, MARGIN, y + 12.0, CAPTION_SIZE, color));
            y += CAPTION_LINE;
        }
    }
    scene.height = (y + MARGIN - 4.0).ceil();
    scene
}

/// Splits places into runs without gaps.
fn runs(places: impl Iterator<Item = Option<(f64, f64)>>) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for place in places {
        match place {
            Some(at) => {
                if let Some(run) = runs.last_mut() {
                    run.push(at);
                }
            }
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
