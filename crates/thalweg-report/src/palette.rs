//! Colours that colour-blind readers can tell apart, and that survive a print in grey.

use serde::Serialize;

/// An opaque colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Color {
    /// `#rrggbb`.
    pub(crate) fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// How light it looks, 0 to 1: relative luminance (WCAG 2.2, "relative luminance").
    pub(crate) fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }
}

impl Serialize for Color {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

pub(crate) const INK: Color = Color(0x22, 0x26, 0x2b);
pub(crate) const MUTED: Color = Color(0x5b, 0x63, 0x6c);
pub(crate) const GRID: Color = Color(0xe6, 0xe8, 0xeb);
pub(crate) const GAP: Color = Color(0xee, 0xef, 0xf1);
pub(crate) const WHITE: Color = Color(0xff, 0xff, 0xff);

/// Okabe & Ito (2008), "Color universal design", without its yellow, which is too light for a line on white.
const LINES: [Color; 7] = [
    Color(0x00, 0x72, 0xb2),
    Color(0xd5, 0x5e, 0x00),
    Color(0x00, 0x9e, 0x73),
    Color(0xcc, 0x79, 0xa7),
    Color(0xe6, 0x9f, 0x00),
    Color(0x56, 0xb4, 0xe9),
    Color(0x22, 0x26, 0x2b),
];

/// On a surface, whose greens and blues are taken.
const PATHS: [Color; 4] = [WHITE, Color(0xff, 0x8a, 0x3d), Color(0xf4, 0xb8, 0xdc), Color(0x9a, 0xd9, 0xff)];

/// The colour of the line at this position; they repeat.
pub(crate) fn line(slot: usize) -> Color {
    LINES[slot % LINES.len()]
}

/// The colour of the path at this position; they repeat.
pub(crate) fn path(slot: usize) -> Color {
    PATHS[slot % PATHS.len()]
}

/// Viridis (van der Walt & Smith 2015) at a share of the way from dark to light.
pub(crate) fn viridis(share: f64) -> Color {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let color = colorous::VIRIDIS.eval_continuous(share);
    Color(color.r, color.g, color.b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_only_gets_lighter() {
        let light: Vec<f64> = (0..=64).map(|k| viridis(f64::from(k) / 64.0).luminance()).collect();
        assert!(light.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(viridis(f64::NAN), viridis(-1.0));
    }

    #[test]
    fn lines_stand_out_from_white() {
        for color in LINES {
            let contrast = 1.05 / (color.luminance() + 0.05);
            assert!(contrast > 2.0, "{} {contrast}", color.hex());
        }
        assert_eq!(Color(0, 114, 178).hex(), "#0072b2");
    }
}
