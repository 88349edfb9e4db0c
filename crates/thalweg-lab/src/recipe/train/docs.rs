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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, print_documented};
    use crate::recipe::setup::RunConfig;

    #[test]
    fn every_field_has_a_comment_and_what_is_printed_reads_back() {
        let kinds = ["sam", "lbfgs", "gradient_flow"].map(|kind| [format!("train.optimiser.kind={kind}")]);
        let set = [
            "noise_seed=1",
            "checkpoints.at=['5it', '1ep']",
            "train.clip_norm=1.0",
            "train.augment={crop=1}",
            "train.label_smoothing=0.1",
        ]
        .map(str::to_owned);
        for overrides in [&[][..], &set].into_iter().chain(kinds.iter().map(|kind| &kind[..])) {
            let config: RunConfig = load(None, overrides).unwrap();
            let text = print_documented(&config, doc).unwrap();
            let mut before = "";
            for line in text.lines() {
                let is_field = line.starts_with('[') || line.contains(" = ") && !line.starts_with('#');
                if is_field || line.ends_with(" is not set") {
                    let is_comment = before.starts_with("# ") && !before.ends_with(" is not set");
                    assert!(is_comment, "{line} has no comment");
                }
                before = line;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("train.toml");
            std::fs::write(&path, text).unwrap();
            assert_eq!(load::<RunConfig>(Some(&path), &[]).unwrap(), config);
        }
    }
}
