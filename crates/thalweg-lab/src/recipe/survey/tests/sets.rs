//! Published and synthetic sets.

use std::fs;
use std::path::Path;

use thalweg_learn::data::{Scale, Standardisation};

use super::super::SurveyConfig;
use super::{DataSource, Folders, Identity, Inputs, NAME, Setup, VERSION, loaded};

/// Fashion-MNIST's files in a folder of its name, each pixel a function of its place; `shift` is added to every one.
fn fashion(folder: &Path, shift: usize) {
    let folder = folder.join("fashion-mnist");
    fs::create_dir_all(&folder).unwrap();
    for (part, examples) in [("train", 60_000_usize), ("t10k", 10_000)] {
        let count = u32::try_from(examples).unwrap().to_be_bytes();
        let mut images = [&[0, 0, 8, 3][..], &count, &28_u32.to_be_bytes(), &28_u32.to_be_bytes()].concat();
        images.extend((0..examples * 784).map(|at| ((at / 784 + 7 * (at % 784) + shift) % 251) as u8));
        let mut labels = [&[0, 0, 8, 1][..], &count].concat();
        labels.extend((0..examples).map(|example| (example % 10) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

#[test]
fn a_published_set_is_found_scaled_and_selected_from() {
    let folder = tempfile::tempdir().unwrap();
    fashion(folder.path(), 0);
    let folders = Folders::new(Some(folder.path()));
    let resolve = |more: &[&str]| {
        let all = [&["data.kind=fashion_mnist", "model.kind=lenet_300_100"], more].concat();
        Inputs::resolve(&loaded(&all), &folders)
    };
    let part = ["data.classes=[7, 2]", "data.train_examples=100", "data.test_examples=30"];
    let Inputs { config, setup: Setup { data, source, architecture, .. } } = resolve(&part).unwrap();
    assert_eq!((data.train.examples(), data.test.examples(), architecture.outputs()), (100, 30, 2));
    assert_eq!(data.train.class_counts(), [50, 50]);
    assert!(!source.has_inputs, "such a set is not written once more");
    // As `docs/readings.md` says it.
    for (example, &row) in source.train.iter().enumerate() {
        let row = usize::try_from(row).unwrap();
        for pixel in [0, 300, 783] {
            let raw = f64::from(((row + 7 * pixel) % 251) as f32 / 255.0);
            let Scale::Together(Standardisation { mean, deviation }) = source.scale else { panic!() };
            let input = ((raw - mean) / deviation) as f32;
            assert_eq!(data.train.input(example)[pixel], input);
        }
        assert_eq!(data.train.labels()[example], i32::from(row % 10 == 2));
    }
    // The scale is that of all, and who trains on fewer trains on the same numbers.
    let all = resolve(&[]).unwrap();
    assert_eq!((all.setup.data.train.examples(), all.setup.data.test.examples()), (60_000, 10_000));
    assert_eq!(all.setup.source.scale, source.scale);
    let row = usize::try_from(source.train[3]).unwrap();
    assert_eq!(all.setup.data.train.input(row), data.train.input(3));
    let other = resolve(&[&part[..], &["data.seed=1"]].concat()).unwrap();
    assert_ne!(other.setup.source.train, source.train);
    let error = resolve(&["data.classes=[1, 10]"]).err().unwrap().to_string();
    assert!(
        error.ends_with("fashion-mnist/train: expected classes from 0 to 9, each once, found [1, 10]"),
        "{error}"
    );

    // The digest is of what the set holds.
    let DataSource::FashionMnist(images) = &config.data else { panic!("another set") };
    let digest = images.blake3.clone().unwrap();
    let id = |config| Identity::new(NAME, VERSION, config).unwrap().id();
    fashion(folder.path(), 1);
    let changed = resolve(&part).unwrap().config;
    assert_ne!(id(&config), id(&changed));
    let error = Inputs::resolve(&config, &folders).err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("`data.blake3`: expected fashion-mnist to have the digest {digest}")),
        "{error}"
    );

    let nowhere = Folders::new(Some(Path::new("/nowhere")));
    let error = Inputs::resolve(&loaded(&["data.kind=cifar10"]), &nowhere).err().unwrap().to_string();
    assert!(error.contains("data_batch_1.bin") && error.contains("/nowhere"), "{error}");
}

#[test]
fn synthetic_examples_are_of_the_seed_of_the_data() {
    let resolve = |more: &[&str]| {
        let set = "data={kind='synthetic', set={kind='spirals', arms=3, noise=0.05}, train_examples=90, test_examples=30}";
        Inputs::resolve(&loaded(&[&[set, "train.batch_size=16"], more].concat()), &Folders::new(None))
    };
    let plain = resolve(&[]).unwrap();
    assert_eq!((plain.setup.data.train.features(), plain.setup.data.train.class_counts()), (2, vec![30; 3]));
    assert_eq!(plain.setup.data, resolve(&["seed=5"]).unwrap().setup.data);
    assert_ne!(plain.setup.data.train.inputs(), resolve(&["data.seed=5"]).unwrap().setup.data.train.inputs());
    let noisy = resolve(&["data.random_labels=1.0"]).unwrap();
    assert_eq!(noisy.setup.data.train.inputs(), plain.setup.data.train.inputs());
    assert_ne!(noisy.setup.data.train.labels(), plain.setup.data.train.labels());
    assert_eq!(noisy.setup.data.test, plain.setup.data.test);
    let error = |field: &str| {
        let error = resolve(&[field]).err().unwrap();
        assert!(error.is_of_settings(), "no file mends that: {error}");
        error.to_string()
    };
    assert!(error("data.random_labels=1.5").ends_with("expected a share of labels from 0 to 1, found 1.5"));
    assert!(error("data.set.arms=0").ends_with("spirals: expected arms to be at least 1, found 0"));
}

#[test]
fn a_file_is_part_of_the_identity_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digits.csv");
    let rows: String = (0..40).map(|i| format!("{}{}\n", "3,5,".repeat(32), i % 10)).collect();
    std::fs::write(&path, rows.replacen("3,", "9,", 1)).unwrap();
    let file = format!("data.path={}", path.display());
    let overrides = ["data.kind=digits_file", &file, "data.test_examples=10", "train.batch_size=8"];
    let before = Inputs::resolve(&loaded(&overrides), &Folders::new(None)).unwrap().config;
    std::fs::write(&path, rows.replacen("3,", "8,", 1)).unwrap();
    let after = Inputs::resolve(&loaded(&overrides), &Folders::new(None)).unwrap().config;
    let id = |config: &SurveyConfig| Identity::new(NAME, VERSION, config).unwrap().id();
    assert_ne!(id(&before), id(&after));
    // Pinned to the old content, the new is refused.
    let DataSource::DigitsFile(file) = &before.data else { panic!("not a file") };
    let error = Inputs::resolve(&before, &Folders::new(None)).err().unwrap().to_string();
    let expected = format!(
        "`data.blake3`: expected {} to have the digest {}",
        path.display(),
        file.blake3.as_ref().unwrap()
    );
    assert!(error.starts_with(&expected), "{error}");
}
