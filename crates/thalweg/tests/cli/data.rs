//! `thalweg data`: what it says of sets, where it finds them, and what it refuses to bring.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Said, run};

/// `thalweg data` with these arguments, where no set of this machine's is found but Debian's.
pub(crate) fn data(arguments: &[&str], home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command
        .arg("data")
        .args(arguments)
        .env("HOME", home)
        .env_remove("XDG_DATA_HOME")
        .env_remove("THALWEG_DATA");
    // Nothing here is asked of anyone but this machine.
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

#[test]
fn the_list_says_what_each_set_is_and_where() {
    let home = tempfile::tempdir().unwrap();
    let said = run(&mut data(&["list"], home.path()));
    assert_eq!((said.code, &said.stderr[..]), (Some(0), ""));
    for part in [
        "digits\n  data.kind  digits\n",
        "mnist\n  data.kind  mnist\n  what       60,000 and 10,000 handwritten digits, [1, 28, 28], 10 classes\n",
        "  download   11.6 MB from https://ossci-datasets.s3.amazonaws.com/mnist/\n  here       no\n",
        "  download   30.9 MB from http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/\n",
        "cifar-10\n  data.kind  cifar10\n",
        "  download   170 MB from https://www.cs.toronto.edu/~kriz/\n",
        "cifar-100\n  data.kind  cifar100, cifar100_coarse\n",
        "  here       yes, built in\n",
    ] {
        assert!(said.stdout.contains(part), "{part}:\n{}", said.stdout);
    }
    // Three of four files are not a set.
    let folder = home.path().join("mnist");
    fs::create_dir(&folder).unwrap();
    let list = || run(&mut data(&["list", "--data-dir", home.path().to_str().unwrap()], home.path())).stdout;
    NAMES[..3].iter().for_each(|name| fs::write(folder.join(name), "").unwrap());
    assert!(list().contains(&format!("  here       no: 3 of 4 files, in {}\n", folder.display())));
    fs::write(folder.join(format!("{}.gz", NAMES[3])), "").unwrap();
    assert!(list().contains(&format!("  here       yes, in {}\n", folder.display())));
}

#[test]
fn paths_are_for_scripts() {
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join(".local/share/thalweg");
    let lines = |paths: &[std::path::PathBuf]| -> String {
        paths.iter().map(|path| format!("{}\n", path.display())).collect()
    };
    let system = Path::new("/usr/share/datasets").to_owned();
    let said = run(&mut data(&["path"], home.path()));
    assert_eq!((said.code, said.stdout), (Some(0), lines(&[own.clone(), system.clone()])));

    let said = run(&mut data(&["path", "cifar-10"], home.path()));
    let places = [own.join("cifar-10"), own.clone(), system.join("cifar-10"), system];
    assert_eq!((said.code, said.stdout), (Some(1), lines(&places)));
    let help = "help: `thalweg data fetch cifar-10` brings it to the first of the places that stdout names\n";
    assert_eq!(said.stderr, format!("error: cifar-10 is not here\n{help}"));

    fs::create_dir_all(own.join("mnist")).unwrap();
    let files = NAMES.map(|name| own.join("mnist").join(name));
    files.iter().for_each(|file| fs::write(file, "").unwrap());
    let said = run(&mut data(&["path", "mnist"], home.path()));
    assert_eq!((said.code, said.stdout, &said.stderr[..]), (Some(0), lines(&files), ""));
    let said = run(&mut data(&["path", "digits"], home.path()));
    assert_eq!((said.code, &said.stdout[..]), (Some(0), ""));
}

#[test]
fn wrong_files_are_found_and_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mnist");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(NAMES[1]), "spoilt").unwrap();
    let place = home.path().to_str().unwrap();
    let said = run(&mut data(&["verify", "mnist", "digits", "mnist", "--data-dir", place], home.path()));
    assert_eq!(said.code, Some(1), "{said:?}");
    let line = said.stdout.lines().next().unwrap().split("  ").filter(|cell| !cell.is_empty());
    let cells: Vec<&str> = line.map(str::trim).collect();
    let place_of_labels = folder.join(NAMES[1]).display().to_string();
    let wrong = "wrong: expected 60008 bytes with MD5 a25bea736e30d166cdddb491f175f624, found 6 bytes";
    assert_eq!(cells, ["mnist", &place_of_labels, wrong], "{}", said.stdout);
    assert_eq!(said.stdout.matches("  missing\n").count(), 3, "{}", said.stdout);
    assert!(said.stdout.ends_with("  built in\n"), "{}", said.stdout);
    assert!(said.stderr.ends_with(
        "error: not here, or not right: mnist\nhelp: `thalweg data fetch mnist` brings what is missing or wrong where it is read\n"
    ));
    let said = run(&mut data(&["verify", "mnist", "--data-dir", place, "--quiet"], home.path()));
    assert_eq!((said.code, &said.stdout[..]), (Some(1), ""));
    assert!(said.stderr.starts_with("error: not here, or not right: mnist\n"), "{}", said.stderr);
}

#[test]
fn sets_that_nobody_knows_are_refused_with_the_nearest() {
    let home = tempfile::tempdir().unwrap();
    for verb in ["path", "fetch", "verify"] {
        let Said { code, stderr, .. } = run(&mut data(&[verb, "cifar-11"], home.path()));
        assert_eq!(code, Some(2));
        let expected = "expected one of the data sets digits, mnist, fashion-mnist, cifar-10, cifar-100, found \"cifar-11\"; did you mean \"cifar-10\"?";
        assert!(stderr.contains(expected), "{stderr}");
    }
    assert_eq!(run(&mut data(&["fetch"], home.path())).code, Some(2));
    let said = run(&mut data(&["fetch", "mnist", "--from", "x", "--url", "http://x"], home.path()));
    assert_eq!(said.code, Some(2), "{said:?}");
    let said = run(&mut data(&["fetch", "mnist", "fashion-mnist", "--url", "http://x"], home.path()));
    assert_eq!(
        (said.code, &said.stderr[..]),
        (
            Some(1),
            "error: expected one set for --url, found 2\nhelp: name one set; files of different sets have the same names\n"
        )
    );
}

#[test]
fn files_from_a_folder_are_not_believed() {
    let [home, from] = ["home", "from"].map(|_| tempfile::tempdir().unwrap());
    let from = from.path().to_str().unwrap();
    let fetch = || run(&mut data(&["fetch", "mnist", "--from", from], home.path()));
    let begin =
        format!("error: mnist: expected {0}.gz or {0} in {from}, itself or under mnist, found ", NAMES[0]);
    let said = fetch();
    assert_eq!((said.code, &said.stdout[..]), (Some(1), ""));
    assert!(said.stderr.starts_with(&format!("{begin}none\nhelp: ")), "{}", said.stderr);
    // Fashion-MNIST's files have the names of MNIST's, and their lengths.
    fs::write(Path::new(from).join(NAMES[0]), vec![0; 47_040_016]).unwrap();
    let said = fetch();
    let found = format!(
        "{begin}{from}/{}, not of 47040016 bytes with MD5 6bbc9ace898e44ae57da46a324031adb but of MD5 ",
        NAMES[0]
    );
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.starts_with(&found), "{}", said.stderr);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "no folder is left where nothing came");
    let said = run(&mut data(&["fetch", "digits"], home.path()));
    assert_eq!((said.code, &said.stdout[..]), (Some(0), "digits: nothing to do, it is built in\n"));
}

#[cfg(not(feature = "fetch"))]
#[test]
fn a_build_without_the_network_says_so() {
    let home = tempfile::tempdir().unwrap();
    let said = run(&mut data(&["fetch", "cifar-10"], home.path()));
    assert_eq!(said.code, Some(1));
    assert_eq!(
        said.stderr,
        "error: cifar-10 is not here, and this build cannot download it: it is without the feature `fetch`\n\
         help: build with `--features fetch`, or download the files otherwise and name their folder with --from: \
         `thalweg data list` says where they are\n"
    );
}

#[test]
fn a_run_whose_data_are_not_here_says_how_they_come() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["train", "--set", "data.kind=cifar100_coarse", "--out"]).arg(home.path().join("run"));
    command.env("HOME", home.path()).env_remove("XDG_DATA_HOME").env_remove("THALWEG_DATA");
    let said = run(&mut command);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.ends_with(
        "\nhelp: `thalweg data fetch cifar-100` brings it; a folder that has it is named by --data-dir\n"
    ));
}
