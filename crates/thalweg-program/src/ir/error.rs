//! What is said when shapes do not fit.

/// A primitive was given operands that it is not defined for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{primitive}: {message}")]
pub struct ShapeError {
    /// The primitive's name.
    pub primitive: &'static str,
    /// What was expected and what was found.
    pub message: String,
}

impl ShapeError {
    pub(crate) fn new(primitive: &'static str, message: impl Into<String>) -> Self {
        Self { primitive, message: message.into() }
    }
}
