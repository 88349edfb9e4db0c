//! Records: what was measured, as plain values that go to JSON and back unchanged.
//!
//! A record's arrays fit each other by construction (reading one from JSON goes through the same checks), so drawing
//! cannot fail. Its numbers may be anything: what is not finite is a gap in the picture, and the picture says so.

mod axis;
mod curves;
mod error;
mod number;
mod page;
mod spectrum;
mod surface;

use serde::{Deserialize, Serialize};

pub use axis::{Axis, Scale};
pub use curves::{At, Curves, Dash, Mark, Marker, Series, Style};
pub use error::RecordError;
pub use page::{Convention, Entry, Finding, Page, Section};
pub use spectrum::{Eigenvalues, Spectrum, Threshold};
pub use surface::{Path, Point, Surface};

/// Anything that can be drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Figure {
    /// Lines over common axes.
    Curves(Curves),
    /// A height over a plane.
    Surface(Surface),
    /// Rows of eigenvalues.
    Spectrum(Spectrum),
}

impl Figure {
    /// The few words above the plot.
    pub fn title(&self) -> &str {
        match self {
            Self::Curves(curves) => &curves.title,
            Self::Surface(surface) => &surface.title,
            Self::Spectrum(spectrum) => &spectrum.title,
        }
    }

    /// What is to be seen, in sentences.
    pub fn caption(&self) -> &str {
        match self {
            Self::Curves(curves) => &curves.caption,
            Self::Surface(surface) => &surface.caption,
            Self::Spectrum(spectrum) => &spectrum.caption,
        }
    }
}

impl From<Curves> for Figure {
    fn from(curves: Curves) -> Self {
        Self::Curves(curves)
    }
}

impl From<Surface> for Figure {
    fn from(surface: Surface) -> Self {
        Self::Surface(surface)
    }
}

impl From<Spectrum> for Figure {
    fn from(spectrum: Spectrum) -> Self {
        Self::Spectrum(spectrum)
    }
}
