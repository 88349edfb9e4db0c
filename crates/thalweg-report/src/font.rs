//! The embedded face: widths for the layout, outlines for pixels, bytes for an SVG.
//!
//! Text is laid out glyph by glyph without kerning, and the SVG asks for the same, so that both backends agree on
//! where a word ends.

use std::sync::OnceLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::typeset::{self, SUBSCRIPT_DROP, SUBSCRIPT_SIZE};

const REGULAR: &[u8] = include_bytes!("../assets/font/Roboto-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../assets/font/Roboto-Medium.ttf");
/// The same two faces, packed for the web.
pub(crate) const REGULAR_WOFF2: &[u8] = include_bytes!("../assets/font/Roboto-Regular.woff2");
pub(crate) const MEDIUM_WOFF2: &[u8] = include_bytes!("../assets/font/Roboto-Medium.woff2");

/// How heavy the letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Medium,
}

fn face(weight: Weight) -> &'static Face<'static> {
    static FACES: OnceLock<[Face<'static>; 2]> = OnceLock::new();
    let parse = |bytes| Face::parse(bytes, 0).expect("the embedded face is a valid TrueType font");
    let faces = FACES.get_or_init(|| [parse(REGULAR), parse(MEDIUM)]);
    match weight {
        Weight::Regular => &faces[0],
        Weight::Medium => &faces[1],
    }
}

fn glyph(face: &Face<'_>, c: char) -> GlyphId {
    // No-break spaces of other widths are spaces here; what the face lacks is its box.
    let c = if matches!(c, '\u{202f}' | '\u{2009}' | '\t' | '\n') { ' ' } else { c };
    face.glyph_index(c).unwrap_or(GlyphId(0))
}

/// The width of `text` set at `size`, in the unit of `size`, its subscripts set as such.
pub(crate) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let face = face(weight);
    let advance = |c: char| u32::from(face.glyph_hor_advance(glyph(face, c)).unwrap_or(0));
    let run = |run: &typeset::Run<'_>| {
        let units: u32 = run.text.chars().map(advance).sum();
        f64::from(units) * if run.is_subscript { SUBSCRIPT_SIZE } else { 1.0 }
    };
    typeset::runs(text).iter().map(run).sum::<f64>() * size / f64::from(face.units_per_em())
}

/// Feeds the outlines of `text` to `pen`, set at `size` from the origin along the positive x axis, y down.
pub(crate) fn outline(text: &str, size: f64, weight: Weight, pen: &mut impl Pen) {
    let face = face(weight);
    let scale = (size / f64::from(face.units_per_em())) as f32;
    let mut x = 0.0;
    for run in typeset::runs(text) {
        let (scale, y) = match run.is_subscript {
            true => (scale * SUBSCRIPT_SIZE as f32, (size * SUBSCRIPT_DROP) as f32),
            false => (scale, 0.0),
        };
        for c in run.text.chars() {
            let id = glyph(face, c);
            // A glyph without outline (a space) draws nothing, which is right.
            let _ = face.outline_glyph(id, &mut Placed { pen, scale, x, y });
            x += f32::from(face.glyph_hor_advance(id).unwrap_or(0)) * scale;
        }
    }
}

/// What draws an outline.
pub(crate) trait Pen {
    fn move_to(&mut self, x: f32, y: f32);
    fn line_to(&mut self, x: f32, y: f32);
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32);
    fn close(&mut self);
}

struct Placed<'a, P> {
    pen: &'a mut P,
    scale: f32,
    x: f32,
    y: f32,
}

impl<P> Placed<'_, P> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl<P: Pen> OutlineBuilder for Placed<'_, P> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.pen.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.pen.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {
        unreachable!("TrueType outlines have no cubic curves");
    }
    fn close(&mut self) {
        self.pen.close();
    }
}

/// `text` broken into lines no wider than `room`, not at no-break spaces. A word that is too long is broken where it
/// must be.
pub(crate) fn wrap(text: &str, size: f64, weight: Weight, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let tied = typeset::tied(text);
    for word in tied.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&joined, size, weight) <= room {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(&line, size, weight) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_add_up_and_scale() {
        let w = |text, size| width(text, size, Weight::Regular);
        assert!((w("ab", 10.0) - w("a", 10.0) - w("b", 10.0)).abs() < 1e-12);
        assert!((w("loss", 24.0) - 2.0 * w("loss", 12.0)).abs() < 1e-12);
        assert_eq!(w("", 12.0), 0.0);
        let set = w("λ", 10.0) + SUBSCRIPT_SIZE * w("max", 10.0);
        assert!((w("λ_max", 10.0) - set).abs() < 1e-12);
    }

    #[test]
    fn the_face_has_the_signs_that_we_write() {
        for weight in [Weight::Regular, Weight::Medium] {
            for c in "αβθλησχκρξ∇∂∑√∞‖⟨⟩⊙∈→←↑↓∼≤≥≠≈±×·−⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂–—“”’½°\u{a0}".chars()
            {
                assert!(face(weight).glyph_index(c).is_some(), "{c} {weight:?}");
            }
        }
    }

    #[test]
    fn lines_fit_and_lose_nothing() {
        let text =
            "The loss along the segment between two solutions, evaluated at 51 points; supercalifragilistic";
        let lines = wrap(text, 12.0, Weight::Regular, 90.0);
        assert!(lines.iter().all(|line| width(line, 12.0, Weight::Regular) <= 90.0), "{lines:?}");
        let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(letters(&lines.concat()), letters(text));
        assert!(wrap("", 12.0, Weight::Regular, 90.0).is_empty());
        assert_eq!(wrap("ab", 12.0, Weight::Regular, 1.0), ["a", "b"]);
        let narrow = wrap("about 90.3 % of it", 12.0, Weight::Regular, 68.0);
        assert_eq!(narrow, ["about", "90.3\u{a0}% of it"], "a plain space would break after 90.3");
    }
}
