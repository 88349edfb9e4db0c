//! The crates and the direction of their dependencies are those that ARCHITECTURE.md draws.

use std::collections::BTreeMap;
use std::process::Command;

/// For each crate the thalweg crates that it may be built on. What is not listed must be impossible.
const ARROWS: [(&str, &[&str]); 7] = [
    ("thalweg-kernel", &[]),
    ("thalweg-program", &["thalweg-kernel"]),
    ("thalweg-learn", &["thalweg-kernel", "thalweg-program"]),
    ("thalweg-geometry", &["thalweg-kernel", "thalweg-program"]),
    ("thalweg-report", &[]),
    (
        "thalweg-lab",
        &["thalweg-geometry", "thalweg-kernel", "thalweg-learn", "thalweg-program", "thalweg-report"],
    ),
    ("thalweg", &["thalweg-lab"]),
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let own = list(&package["dependencies"])
                .iter()
                // Tests may look further than the crate itself.
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| name.starts_with("thalweg"))
                .collect();
            (text(&package["name"]), own)
        })
        .collect()
}

#[test]
fn dependencies_point_the_way_that_the_architecture_draws() {
    let found = dependencies();
    for (name, allowed) in ARROWS {
        let own = found.get(name).unwrap_or_else(|| panic!("the workspace has no crate {name}"));
        for dependency in own {
            assert!(allowed.contains(&&dependency[..]), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn every_crate_of_the_product_has_its_place_in_the_architecture() {
    for name in dependencies().keys().filter(|name| *name != "thalweg-bench") {
        assert!(ARROWS.iter().any(|(known, _)| known == name), "{name} is not in ARCHITECTURE.md's graph");
    }
}

#[test]
fn unsafe_code_is_the_kernels_alone() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "thalweg-kernel") {
        let mut folders = vec![std::path::Path::new(root).join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("sources are readable").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    assert!(!text.contains("unsafe_code"), "{} lifts the ban on unsafe code", path.display());
                }
            }
        }
    }
}
