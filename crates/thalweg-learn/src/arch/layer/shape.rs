//! What flows from layer to layer.

use std::fmt;

/// Shape of one example, or of what a layer makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// So many numbers.
    Features(usize),
    /// Channels of an image. In a data set they lie as in PyTorch, `[channels, height, width]`; between layers, channels
    /// last.
    Image {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
}

impl Shape {
    /// Numbers in all; `usize::MAX` if there are more.
    pub fn elements(self) -> usize {
        match self {
            Self::Features(features) => features,
            Self::Image { channels, height, width } => channels.saturating_mul(height).saturating_mul(width),
        }
    }

    /// Features or channels.
    pub(super) fn units(self) -> usize {
        match self {
            Self::Features(units) | Self::Image { channels: units, .. } => units,
        }
    }
}

impl From<usize> for Shape {
    fn from(features: usize) -> Self {
        Self::Features(features)
    }
}

impl From<&[usize]> for Shape {
    /// Three axes are those of an image, channels first; any others are features.
    fn from(axes: &[usize]) -> Self {
        match *axes {
            [channels, height, width] => Self::Image { channels, height, width },
            _ => Self::Features(axes.iter().fold(1, |product, &axis| product.saturating_mul(axis))),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Features(features) => write!(f, "{features}"),
            Self::Image { channels, height, width } => write!(f, "{channels}×{height}×{width}"),
        }
    }
}
