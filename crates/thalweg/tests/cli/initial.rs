//! Initial weights that cannot be: told before anything is made, and no learning rate is blamed.

use std::fs;
use std::path::Path;

use crate::support::{Said, miniature, run};

/// A safetensors file of these arrays: name, type, shape, bytes.
fn safetensors(path: &Path, arrays: &[(&str, &str, &[usize], Vec<u8>)]) {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in arrays {
        let offsets = [data.len(), data.len() + bytes.len()];
        header.insert(
            (*name).to_owned(),
            serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": offsets}),
        );
        data.extend(bytes);
    }
    let text = serde_json::to_vec(&header).unwrap();
    fs::write(path, [&(text.len() as u64).to_le_bytes()[..], &text, &data].concat()).unwrap();
}

fn wide(count: usize, first: f64) -> Vec<u8> {
    (0..count).flat_map(|i| (if i == 0 { first } else { 0.01 }).to_le_bytes()).collect()
}

/// The miniature's network in f64, its first weight being `first`.
fn network(path: &Path, first: f64) {
    safetensors(
        path,
        &[
            ("layers.0.weight", "F64", &[4, 64], wide(256, first)),
            ("layers.0.bias", "F64", &[4], wide(4, 0.0)),
            ("layers.1.weight", "F64", &[10, 4], wide(40, 0.0)),
            ("layers.1.bias", "F64", &[10], wide(10, 0.0)),
        ],
    );
}

fn refused(out: &Path, more: &[&str], expected: &str) {
    let Said { code, stdout, stderr } = run(&mut miniature(out, more));
    assert_eq!((code, &stdout[..]), (Some(1), ""), "{stderr}");
    let help = "help: `thalweg survey --print-config` shows every field with its default\n";
    assert_eq!(stderr, format!("error: {expected}\n{help}"));
    assert!(!out.exists(), "a folder was made for a run that cannot be");
}

#[test]
fn weights_that_are_no_numbers_are_named_and_nothing_is_made() {
    let temporary = tempfile::tempdir().unwrap();
    let (out, file) = (temporary.path().join("run"), temporary.path().join("w.safetensors"));
    let (place, initial) = (file.display(), format!("initial.path={}", file.display()));
    let set = ["--set", &initial];
    let message = |found: &str, dtype: &str| {
        format!(
            "`initial.path`: expected finite numbers in {dtype}, found {found} at place 0 of layers.0.weight in {place}"
        )
    };
    network(&file, f64::NAN);
    refused(&out, &set, &message("NaN", "f32"));
    network(&file, 1e300);
    refused(&out, &set, &message("inf", "f32"));
    // In f64 that is a number, and so is the loss of it.
    let said = run(&mut miniature(&out, &[&set[..], &["--set", "dtype=f64"]].concat()));
    assert_ne!(said.code, Some(1), "{said:?}");
}

#[test]
fn weights_without_a_loss_are_not_trained() {
    let temporary = tempfile::tempdir().unwrap();
    let (out, file) = (temporary.path().join("run"), temporary.path().join("w.safetensors"));
    network(&file, 0.5);
    let finite = fs::read(&file).unwrap();
    safetensors(
        &file,
        &[
            ("layers.0.weight", "F64", &[4, 64], wide(256, 1e30)),
            ("layers.0.bias", "F64", &[4], [3e38f64; 4].iter().flat_map(|x| x.to_le_bytes()).collect()),
            (
                "layers.1.weight",
                "F64",
                &[10, 4],
                [1e38f64; 40].iter().flat_map(|x| x.to_le_bytes()).collect(),
            ),
            ("layers.1.bias", "F64", &[10], wide(10, 0.0)),
        ],
    );
    let initial = format!("initial.path={}", file.display());
    let said = run(&mut miniature(&out, &["--set", &initial]));
    assert_eq!(said.code, Some(1), "{said:?}");
    let expected = "error: `initial.path`: expected initial weights with a finite loss in f32, found ";
    assert!(said.stderr.starts_with(expected), "{said:?}");
    assert!(!out.exists());
    let drawn = "model.init={kind=\"mean_field\", sigma_w=1e30, sigma_b=0.1}";
    let said = run(&mut miniature(&out, &["--set", drawn]));
    assert_eq!(said.code, Some(1), "{said:?}");
    let expected = "error: `model.init`: expected initial weights with a finite loss in f32, found ";
    assert!(said.stderr.starts_with(expected), "{said:?}");
    assert!(!out.exists());
    fs::write(&file, finite).unwrap();
    assert_eq!(run(&mut miniature(&out, &["--set", &initial])).code, Some(0));
}

#[test]
fn arrays_of_another_kind_or_name_are_listed_with_what_was_expected() {
    let temporary = tempfile::tempdir().unwrap();
    let (out, file) = (temporary.path().join("run"), temporary.path().join("w.safetensors"));
    let (place, initial) = (file.display(), format!("initial.path={}", file.display()));
    let set = ["--set", &initial];
    let refused_kind = |found: &str| {
        let expected = format!(
            "`initial.path`: expected arrays that are all in F32 or all in F64, found {found} in {place}"
        );
        refused(&out, &set, &expected);
    };
    for (dtype, bytes) in [("F16", 512), ("I32", 1024)] {
        safetensors(&file, &[("layers.0.weight", dtype, &[4, 64], vec![0; bytes])]);
        refused_kind(&format!("layers.0.weight in {dtype}"));
    }
    safetensors(
        &file,
        &[("layers.0.weight", "F32", &[4, 64], vec![0; 1024]), ("layers.0.bias", "F64", &[4], wide(4, 0.0))],
    );
    refused_kind("layers.0.weight in F32 and layers.0.bias in F64");

    let sequential = [("0.weight", [4, 64]), ("2.weight", [10, 4])]
        .map(|(name, shape)| (name, "F64", shape, wide(shape[0] * shape[1], 0.0)));
    let arrays: Vec<_> = sequential.iter().map(|(n, d, s, b)| (*n, *d, &s[..], b.clone())).collect();
    safetensors(&file, &arrays);
    let expected = format!(
        "`initial.path`: expected the arrays layers.0.weight [4, 64], layers.0.bias [4], layers.1.weight [10, 4], \
         layers.1.bias [10], found 0.weight, 2.weight in {place}"
    );
    refused(&out, &set, &expected);
}
