//! Layers that do not fit.

/// A layer that cannot be what it says, or not where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}expected {expected}, found {found}", place(path, text))]
pub struct LayerError {
    /// Where it stands: its name, under the names of what it is part of, as in PyTorch's names of its leaves. Layers of
    /// a list are named by their positions, from 0. Empty if the network as a whole is at fault.
    pub path: String,
    /// The layer in words.
    pub text: String,
    /// What would fit.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl LayerError {
    /// Of the network as a whole.
    pub(in crate::arch) fn of_network(expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (path, text) = (String::new(), String::new());
        Self { path, text, expected: expected.into(), found: found.into() }
    }
}

fn place(path: &str, text: &str) -> String {
    match (path, text) {
        ("", _) => String::new(),
        (path, "") => format!("layer {path}: "),
        (path, text) => format!("layer {path} (`{text}`): "),
    }
}
