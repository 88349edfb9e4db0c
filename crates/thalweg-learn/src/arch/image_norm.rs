//! The norms that convolutional networks have.

use serde::{Deserialize, Serialize};

use super::layer::{Layer, Norm, NormOver};

/// What stands between a convolution and its activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageNorm {
    /// Nothing.
    None,
    /// A batch norm.
    Batch,
    /// A group norm.
    Group,
}

impl ImageNorm {
    /// The layer, with so many groups of channels if it is a group norm.
    pub(super) fn layer(self, groups: usize) -> Option<Layer> {
        let over = match self {
            Self::None => return None,
            Self::Batch => NormOver::Batch,
            Self::Group => NormOver::Groups(groups),
        };
        Some(Norm { over, affine: true }.into())
    }

    /// In words, such as `, group norm 8`.
    pub(super) fn note(self, groups: usize) -> String {
        match self {
            Self::None => String::new(),
            Self::Batch => ", batch norm".to_owned(),
            Self::Group => format!(", group norm {groups}"),
        }
    }
}
