//! From records to figures (SVG, PNG) and self-contained interactive pages. No tensors.
//!
//! A record says what was measured: [`Curves`], a [`Surface`], a [`Spectrum`], or a whole [`Page`] of them. It is a
//! plain value that goes to JSON and back unchanged. A [`Figure`] is any of the first three; it draws itself as SVG and
//! as PNG from one and the same drawing. A page becomes one HTML file that opens from disk, asks no network, and in
//! which every plot can be hovered, zoomed, panned and switched between scales.
//!
//! ```
//! use thalweg_report::{Axis, Curves, Figure, Page, Series};
//!
//! let alpha: Vec<f64> = (0..=20).map(|k| f64::from(k) / 20.0).collect();
//! let loss = alpha.iter().map(|a| 0.1 + 1.6 * a * (1.0 - a)).collect();
//! let figure: Figure = Curves::new("A barrier", Axis::new("α"), Axis::new("loss").unit("nats"))
//!     .caption("Cross-entropy along the segment between two solutions.")
//!     .with(Series::new("train", alpha, loss)?)
//!     .into();
//! assert!(figure.svg().starts_with("<svg"));
//! let page = Page::new("Two solutions", "one segment").section("Along the segment", "It rises.", [figure]);
//! assert!(page.html().contains("A barrier"));
//! # Ok::<(), thalweg_report::RecordError>(())
//! ```
//!
//! **What is drawn is never silently less than what was measured.** Numbers that are not finite, or that have no place on
//! a logarithmic axis, are gaps, and a note under the plot counts them.
//!
//! **The same record gives the same bytes**, on every machine: no clock, no random ids, no system fonts.
//!
//! Pictures are drawn by a small scene of our own rather than by a plotting library: measured text (so that nothing
//! is cut off or overlaps), contours without seams, and one drawing behind both formats were not to be had together.

mod contour;
mod draw;
mod font;
mod html;
mod number_text;
mod palette;
mod record;
mod scale;
mod scene;
mod ticks;
mod typeset;

pub use draw::Dress;
pub use number_text::humane;
pub use record::{
    At, Axis, Convention, Curves, Dash, Eigenvalues, Entry, Figure, Finding, Mark, Marker, Page, Path, Point,
    RecordError, Scale, Section, Series, Spectrum, Style, Surface, Threshold,
};

impl Figure {
    /// The picture as SVG 1.1, face included, with title and caption.
    pub fn svg(&self) -> String {
        self.svg_dressed(Dress::default())
    }

    /// The picture as SVG 1.1 with what `dress` asks for around the plot.
    pub fn svg_dressed(&self, dress: Dress) -> String {
        draw::scene(self, dress).svg()
    }

    /// The picture as PNG, with title and caption, `scale` pixels for each CSS pixel (2 for screens, 4 for print). The
    /// scale is kept where no side exceeds 16 384 pixels.
    pub fn png(&self, scale: f64) -> Vec<u8> {
        self.png_dressed(scale, Dress::default())
    }

    /// The picture as PNG with what `dress` asks for around the plot.
    pub fn png_dressed(&self, scale: f64, dress: Dress) -> Vec<u8> {
        draw::scene(self, dress).png(scale)
    }
}

impl Page {
    /// The page as one HTML file that needs nothing else: styles, scripts, faces, data and pictures are inside, and its
    /// content security policy forbids any request. About 2 MB, most of it plotly.js.
    pub fn html(&self) -> String {
        html::page(self)
    }
}
