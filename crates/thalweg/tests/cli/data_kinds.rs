//! Data of the user's own and drawn data, kind by kind: a few steps of training, what the run keeps of them, and one mistake each.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use crate::support::{Said, run};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// `thalweg train` for five steps on those data.
fn train(out: &Path, data: &str, more: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["train", "--quiet", "--out", out.to_str().unwrap(), "--set", data]);
    for field in ["model.widths=[4]", "train.steps=5", "train.batch_size=4"].iter().chain(more) {
        command.args(["--set", field]);
    }
    run(&mut command)
}

/// Trains, and the header's shape of each array that the run keeps of its data.
fn shapes(folder: &TempDir, data: &str, more: &[&str]) -> Vec<(String, String)> {
    let out = folder.path().join("run");
    let said = train(&out, data, more);
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut archive = ZipArchive::new(Cursor::new(fs::read(out.join("data.npz")).unwrap())).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let shape = |name: String| {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let shape = text.split_once('(').unwrap().1.split_once(')').unwrap().0.to_owned();
        (name.trim_end_matches(".npy").to_owned(), shape)
    };
    names.into_iter().map(shape).collect()
}

fn expected(shapes: &[(&str, &str)]) -> Vec<(String, String)> {
    shapes.iter().map(|&(name, shape)| (name.to_owned(), shape.to_owned())).collect()
}

/// Refused with that message, before a folder is made.
fn refused(folder: &TempDir, data: &str, more: &[&str], message: &str) {
    let out = folder.path().join("refused");
    let said = train(&out, data, more);
    assert_eq!((said.code, &said.stdout[..]), (Some(1), ""), "{said:?}");
    let found = said.stderr.split("\nhelp: ").next().unwrap().trim_end();
    assert_eq!(found, format!("error: {message}"));
    assert!(!out.exists());
}

/// An array of bytes as NumPy writes it, its example `i` counting up from `40·i`.
fn bytes(examples: usize, shape: &str, features: usize) -> Vec<u8> {
    let elements: Vec<u8> =
        (0..examples).flat_map(|i| (0..features).map(move |j| (40 * i + j * j) as u8)).collect();
    npy("|u1", shape, &elements)
}

fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
}

fn labels(examples: usize, classes: usize) -> Vec<u8> {
    let elements: Vec<u8> = (0..examples).flat_map(|i| ((i % classes) as i64).to_le_bytes()).collect();
    npy("<i8", &format!("({examples},)"), &elements)
}

fn npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    fs::write(path, archive.finish().unwrap().into_inner()).unwrap();
}

#[test]
fn arrays_of_numpy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.npz");
    let mut arrays = vec![("x_train", bytes(12, "(12, 3, 2, 2)", 12)), ("y_train", labels(12, 2))];
    npz(&file, &arrays);
    let data =
        format!("data={{kind='npz', path={file:?}, scaling='standardised_by_channel', test_examples=4}}");
    let found = shapes(&folder, &data, &[]);
    let three = [("mean", "3,"), ("deviation", "3,")];
    let parts = [
        ("input_train", "8, 12"),
        ("label_train", "8,"),
        ("row_train", "8,"),
        ("input_test", "4, 12"),
        ("label_test", "4,"),
        ("row_test", "4,"),
    ];
    assert_eq!(found, expected(&[&parts[..], &three].concat()));
    // The file is part of the run by its content.
    let config = fs::read_to_string(folder.path().join("run/manifest.json")).unwrap();
    let digest = blake3::hash(&fs::read(&file).unwrap()).to_hex().to_string();
    assert!(config.contains(&digest), "{config}");
    arrays[0].1.truncate(150);
    npz(&file, &arrays);
    let short = arrays[0].1.len() - (bytes(12, "(12, 3, 2, 2)", 12).len() - 144);
    let message = format!(
        "data: {}, x_train: expected 144 bytes behind the header, for the shape [12, 3, 2, 2] of u1, found {short}",
        file.display()
    );
    refused(&folder, &data, &[], &message);
    arrays[0].0 = "images";
    npz(&file, &arrays);
    let message = format!("data: {}: expected an array \"x_train\", found images, y_train", file.display());
    refused(&folder, &data, &[], &message);
}

#[test]
fn tokens_of_numpy_are_for_language_models() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.npz");
    let tokens = |next: usize| {
        let elements: Vec<u8> = (0..80).map(|i| ((i + next) * 7 % 5) as u8).collect();
        npy("|u1", "(10, 8)", &elements)
    };
    npz(&file, &[("x_train", tokens(0)), ("y_train", tokens(1))]);
    let gpt = ["model={kind='gpt', width=8, depth=1, heads=2, mlp_width=8}"];
    let command = |data: &str, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
        let out = folder.path().join(name);
        command.args(["train", "--quiet", "--out", out.to_str().unwrap(), "--set", data, "--set", gpt[0]]);
        run(command.args(["--set", "train.steps=3", "--set", "train.batch_size=4"]))
    };
    let said = command(&format!("data={{kind='npz', path={file:?}, scaling='as_given'}}"), "run");
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = command(&format!("data={{kind='npz', path={file:?}}}"), "refused");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.starts_with("error: `data`: expected inputs of whole numbers from 0 to 4"),
        "{said:?}"
    );
    let data = format!("data={{kind='npz', path={file:?}, scaling='as_given'}}");
    let said = train(&folder.path().join("refused"), &data, &[]);
    let message = "error: `data`: expected 1 labels an example, as many as the network of `model` gives answers, found 8 in ";
    assert!(said.code == Some(1) && said.stderr.starts_with(message), "{said:?}");
}

#[test]
fn tables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    let row = |i: usize| format!("{},{}.5,{},{}\n", i % 3, i * i % 7, i * 5 % 11, i as f64 / 4.0 - 2.0);
    let rows: String = (0..40).map(row).collect();
    fs::write(&file, format!("class,a,b,c\n{rows}")).unwrap();
    let data =
        format!("data={{kind='csv', path={file:?}, label='class', scaling='standardised_by_channel'}}");
    let found = shapes(&folder, &data, &[]);
    for (name, shape) in
        [("input_train", "36, 3"), ("input_test", "4, 3"), ("row_test", "4,"), ("mean", "3,")]
    {
        assert!(found.contains(&(name.to_owned(), shape.to_owned())), "{name}: {found:?}");
    }
    fs::write(&file, format!("class,a,b,c\n{}", rows.replacen("0,0.5,", "0,NaN,", 1))).unwrap();
    let message =
        format!("data: {}, line 2, field 2: expected a finite number, found \"NaN\"", file.display());
    refused(&folder, &data, &[], &message);
    fs::write(&file, format!("class,a,b,c\n{rows}")).unwrap();
    refused(
        &folder,
        &data,
        &["data.label=kind"],
        &format!("data: {}: expected a column \"kind\", found class, a, b, c", file.display()),
    );
    refused(
        &folder,
        &data,
        &["data.scaling=unit_interval"],
        &format!(
            "data: {}/train, example 0: expected inputs from 0 to 1, as in scaling \"unit_interval\", found -2 at feature 2",
            file.display()
        ),
    );
}

fn png(path: &Path, [width, height]: [u32; 2], seed: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixels: Vec<u8> = (0..3 * width * height).map(|i| (i * i + seed * 50) as u8).collect();
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

#[test]
fn folders_of_images() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    for (at, class) in ["cat", "dog"].into_iter().enumerate() {
        for image in 0..4 {
            png(&images.join(format!("train/{class}/{image}.png")), [5, 4], 4 * at as u32 + image);
        }
        png(&images.join(format!("test/{class}/0.png")), [5, 4], at as u32);
    }
    let data = format!("data={{kind='image_folder', path={images:?}, scaling='standardised_by_channel'}}");
    let found = shapes(&folder, &data, &[]);
    for (name, shape) in [("input_train", "8, 60"), ("input_test", "2, 60"), ("deviation", "3,")] {
        assert!(found.contains(&(name.to_owned(), shape.to_owned())), "{name}: {found:?}");
    }
    // What was trained on is pinned; another pixel is other data.
    let again = train(&folder.path().join("run"), &data, &[]);
    assert!(again.stdout.starts_with("nothing to do") || again.code == Some(0), "{again:?}");
    png(&images.join("train/dog/3.png"), [5, 4], 99);
    let changed = train(&folder.path().join("run"), &data, &[]);
    assert_eq!(changed.code, Some(1), "{changed:?}");
    let odd = images.join("train/dog/2.png");
    png(&odd, [4, 5], 0);
    let first = images.join("train/cat/0.png");
    let message =
        format!("data: {}: expected 5×4 pixels as in {}, found 4×5", odd.display(), first.display());
    refused(&folder, &data, &[], &message);
    let none = folder.path().join("none");
    let message = format!("`data.path`: expected a folder, found {}, which is none", none.display());
    refused(&folder, &format!("data={{kind='image_folder', path={none:?}}}"), &[], &message);
}

#[test]
fn students_of_a_teacher() {
    let folder = tempfile::tempdir().unwrap();
    let data = |classes: usize| {
        format!(
            "data={{kind='synthetic', set={{kind='teacher_student', features=6, hidden=20, classes={classes}, \
             activation='tanh'}}, train_examples=30, test_examples=10}}"
        )
    };
    let found = shapes(&folder, &data(3), &[]);
    for (name, shape) in [("input_train", "30, 6"), ("input_test", "10, 6"), ("mean", "")] {
        assert!(found.contains(&(name.to_owned(), shape.to_owned())), "{name}: {found:?}");
    }
    let message = "data: teacher_student: expected classes to be at least 2, found 1";
    refused(&folder, &data(1), &[], message);
}
