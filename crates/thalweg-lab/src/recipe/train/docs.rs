//! The comments of a printed configuration.

use crate::recipe::setup::documentation;

/// The comment of the field at that dotted path.
pub fn doc(path: &str) -> Option<&'static str> {
    Some(match path {
        "seed" => {
            "From it come the initial weights and, without a noise_seed, the order of examples and what dropout drops."
        }
        "dtype" => "Precision of training: \"f32\" or \"f64\".",
        _ => return documentation(path),
    })
}
