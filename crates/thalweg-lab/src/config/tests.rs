use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, load, print, print_documented};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Study {
    seed: u64,
    label: Option<String>,
    small: f32,
    model: Model,
    optimiser: Optimiser,
    grid: Vec<Axis>,
    weights: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    widths: Vec<usize>,
    activation: Activation,
    bias: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Activation {
    Relu,
    Tanh,
    HardTanh,
    Leaky { slope: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Optimiser {
    Sgd {
        #[serde(default = "tenth")]
        lr: f64,
        #[serde(default)]
        momentum: f64,
    },
    Adam {
        #[serde(default = "thousandth")]
        lr: f64,
        #[serde(default)]
        clip: Option<f64>,
    },
    Newton,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Axis {
    from: f64,
    points: u32,
}

fn tenth() -> f64 {
    0.1
}

fn thousandth() -> f64 {
    1e-3
}

impl Default for Study {
    fn default() -> Self {
        Self {
            seed: u64::MAX,
            label: None,
            small: 0.1,
            model: Model { widths: vec![784, 10], activation: Activation::Tanh, bias: true },
            optimiser: Optimiser::Sgd { lr: 0.1, momentum: 0.9 },
            grid: vec![Axis { from: -1.0, points: 51 }],
            weights: BTreeMap::from([("a b".to_owned(), 1e-300)]),
        }
    }
}

struct Case {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Case {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("survey.toml");
        fs::write(&file, text).unwrap();
        Self { file, _folder: folder }
    }

    fn load(&self, overrides: &[&str]) -> Result<Study, ConfigError> {
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        load(Some(&self.file), &overrides)
    }

    /// The error's text, with the folder of the file left out.
    fn error(&self, overrides: &[&str]) -> String {
        let text = self.load(overrides).expect_err("the configuration is wrong").to_string();
        text.replace(&format!("{}/", self.file.parent().unwrap().display()), "")
    }
}

fn error(text: &str) -> String {
    Case::new(text).error(&[])
}

fn set(overrides: &[&str]) -> Result<Study, ConfigError> {
    Case::new("").load(overrides)
}

fn set_error(overrides: &[&str]) -> String {
    Case::new("").error(overrides)
}

#[test]
fn nothing_said_gives_the_defaults() {
    assert_eq!(load::<Study>(None, &[]).unwrap(), Study::default());
    assert_eq!(Case::new("").load(&[]).unwrap(), Study::default());
}

#[test]
fn tables_merge_and_the_rest_replaces() {
    let case = Case::new("seed = 7\n[model]\nwidths = [2, 64, 3]\n[weights]\nnew = 2\n");
    let study = case.load(&[]).unwrap();
    let mut expected = Study { seed: 7, ..Study::default() };
    expected.model.widths = vec![2, 64, 3];
    expected.weights.insert("new".to_owned(), 2.0);
    assert_eq!(study, expected);
}

#[test]
fn overrides_go_over_the_file() {
    let case = Case::new("seed = 7\n[model]\nbias = false\n");
    let study =
        case.load(&["seed = 8", "model.widths=[1,2]", "model.activation=hard-tanh", "small=.5"]).unwrap();
    assert_eq!(study.seed, 8);
    assert_eq!(study.model, Model { widths: vec![1, 2], activation: Activation::HardTanh, bias: false });
    assert_eq!(study.small, 0.5);
    assert_eq!(set(&["label=run-7"]).unwrap().label.as_deref(), Some("run-7"));
    assert_eq!(set(&["label='3'"]).unwrap().label.as_deref(), Some("3"));
    assert_eq!(set(&["seed=1", "seed=2"]).unwrap().seed, 2);
    assert_eq!(set(&["seed=18446744073709551615"]).unwrap().seed, u64::MAX);
    assert_eq!(set(&["seed=0x10"]).unwrap().seed, 16);
}

#[test]
fn another_kind_leaves_nothing_of_the_default_behind() {
    let adam = Optimiser::Adam { lr: 1e-3, clip: None };
    assert_eq!(Case::new("[optimiser]\nkind = \"adam\"\n").load(&[]).unwrap().optimiser, adam);
    assert_eq!(set(&["optimiser.kind=newton"]).unwrap().optimiser, Optimiser::Newton);
    // In whichever order they are given.
    let both = Optimiser::Adam { lr: 0.5, clip: None };
    assert_eq!(set(&["optimiser.lr=0.5", "optimiser.kind=adam"]).unwrap().optimiser, both);
    assert_eq!(set(&["optimiser.kind=adam", "optimiser.lr=0.5"]).unwrap().optimiser, both);
    // The default's own kind keeps the default's fields.
    let sgd = Optimiser::Sgd { lr: 0.5, momentum: 0.9 };
    assert_eq!(set(&["optimiser.kind=sgd", "optimiser.lr=0.5"]).unwrap().optimiser, sgd);
    let unset_by_default = set(&["optimiser.kind=adam", "optimiser.clip=2"]).unwrap().optimiser;
    assert_eq!(unset_by_default, Optimiser::Adam { lr: 1e-3, clip: Some(2.0) });
}

#[test]
fn a_variant_with_fields_replaces_a_bare_one() {
    let study = set(&["model.activation.leaky.slope=0.01"]).unwrap();
    assert_eq!(study.model.activation, Activation::Leaky { slope: 0.01 });
    let case = Case::new("[model.activation.leaky]\nslope = 0.2\n");
    assert_eq!(case.load(&["model.activation=relu"]).unwrap().model.activation, Activation::Relu);
}

#[test]
fn misspelt_fields_are_named_with_the_nearest() {
    assert_eq!(
        error("seed = 1\n\n[model]\nwidhts = [1]\n"),
        "unknown field `model.widhts` in survey.toml line 4; did you mean `model.widths`?"
    );
    assert_eq!(
        set_error(&["seed=1", "model.biass=true"]),
        "unknown field `model.biass` in `--set model.biass=true`; did you mean `model.bias`?"
    );
    // The right name at the wrong level.
    assert_eq!(
        error("widths = [1]\n"),
        "unknown field `widths` in survey.toml line 1; did you mean `model.widths`?"
    );
    assert_eq!(
        error("[model]\nqqqqqq = 1\n"),
        "unknown field `model.qqqqqq` in survey.toml line 2; known here: widths, activation, bias"
    );
    // A field that is unset by default is known all the same.
    assert!(error("lable = 'x'").ends_with("did you mean `label`?"));
    assert_eq!(
        error("[modle]\nbias = true\n"),
        "unknown field `modle` in survey.toml line 1; did you mean `model`?"
    );
}

#[test]
fn fields_inside_tagged_enums_and_arrays_are_checked_too() {
    assert_eq!(
        error("[optimiser]\nkind = 'sgd'\nmomentun = 0.5\n"),
        "unknown field `optimiser.momentun` in survey.toml line 3; did you mean `optimiser.momentum`?"
    );
    // Momentum belongs to another kind.
    assert_eq!(
        error("[optimiser]\nkind = 'adam'\nmomentum = 0.5\n"),
        "unknown field `optimiser.momentum` in survey.toml line 3; known here: lr, clip"
    );
    assert_eq!(
        error("[[grid]]\nfrom = 0\npoints = 3\n[[grid]]\nfrom = 0\npoint = 3\n"),
        "unknown field `grid.1.point` in survey.toml line 6; did you mean `grid.1.points`?"
    );
}

#[test]
fn wrong_types_say_what_was_expected() {
    assert_eq!(
        error("[model]\nwidths = 3\n"),
        "`model.widths` in survey.toml line 2: expected an array, found the integer 3"
    );
    assert_eq!(
        error("[model]\nwidths = [\n  1,\n  'two',\n]\n"),
        "`model.widths.1` in survey.toml line 4: expected an integer, 0 or more, found the string \"two\""
    );
    assert_eq!(
        set_error(&["model.bias=yes"]),
        "`model.bias` in `--set model.bias=yes`: expected true or false, found the string \"yes\""
    );
    assert_eq!(
        error("seed = -3\n"),
        "`seed` in survey.toml line 1: expected an integer, 0 or more, found the integer -3"
    );
    assert_eq!(
        error("[[grid]]\nfrom = 0\npoints = 5000000000\n"),
        "`grid.0.points` in survey.toml line 3: expected an integer from 0 to 4294967295, found the integer 5000000000"
    );
    assert_eq!(error("model = 3\n"), "`model` in survey.toml line 1: expected a table, found the integer 3");
    // serde reads tagged enums from a copy and forgets where it was; the field is named all the same.
    assert_eq!(
        error("[optimiser]\nkind = 'sgd'\nlr = 'fast'\nmomentum = 0\n"),
        "`optimiser.lr` in survey.toml line 3: expected a number, found the string \"fast\""
    );
}

#[test]
fn unknown_variants_list_the_known_ones() {
    assert_eq!(
        error("[model]\nactivation = 'tahn'\n"),
        "unknown value \"tahn\" for `model.activation` in survey.toml line 2: expected one of relu, tanh, \
         hard-tanh, leaky; did you mean `tanh`?"
    );
    assert_eq!(
        error("[optimiser]\nkind = 'adm'\n"),
        "unknown value \"adm\" for `optimiser.kind` in survey.toml line 2: expected one of sgd, adam, newton; \
         did you mean `adam`?"
    );
    assert_eq!(
        set_error(&["optimiser.kind=zzz"]),
        "unknown value \"zzz\" for `optimiser.kind` in `--set optimiser.kind=zzz`: expected one of sgd, adam, newton"
    );
}

#[test]
fn missing_fields_are_named() {
    assert_eq!(
        error("[[grid]]\nfrom = 0\n"),
        "missing field `grid.0.points` of the table in survey.toml line 1"
    );
}

#[test]
fn what_is_no_toml_says_where() {
    let text = error("seed = 1\n[model\n");
    assert!(text.starts_with("survey.toml line 2 is not valid TOML: "), "{text}");
    assert!(error("seed = 1\nseed = 2\n").contains("line 2 is not valid TOML"));
    let text = set_error(&["model.widths=[1,"]);
    assert!(text.starts_with("`--set model.widths=[1,`: the value is not valid TOML"), "{text}");
    assert!(set_error(&["seed"]).contains("there is no `=`"));
    assert!(set_error(&["seed="]).contains("there is no value"));
    assert!(set_error(&["model..bias=true"]).contains("empty part"));
    assert!(set_error(&["=3"]).contains("empty part"));
    let missing = load::<Study>(Some("/nowhere/survey.toml".as_ref()), &[]).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read the configuration /nowhere/survey.toml: "), "{missing}");
    let case = Case::new("");
    fs::write(&case.file, [0xff, 0xfe]).unwrap();
    assert!(case.error(&[]).starts_with("cannot read the configuration survey.toml: "));
}

#[test]
fn what_is_printed_loads_back() {
    let mut other = Study {
        label: Some("two\nlines \"quoted\" \u{7f} ü".to_owned()),
        small: 1e-7,
        optimiser: Optimiser::Adam { lr: 1e16, clip: Some(0.1) },
        ..Study::default()
    };
    other.model.activation = Activation::Leaky { slope: f64::INFINITY };
    other.grid.push(Axis { from: -0.0, points: 0 });
    other.weights.insert("c.d".to_owned(), 1.0 / 3.0);
    for study in [Study::default(), other] {
        let printed = print(&study).unwrap();
        assert_eq!(Case::new(&printed).load(&[]).unwrap(), study, "{printed}");
    }
}

#[test]
fn printing_shows_every_field_in_declared_order_with_its_comment() {
    let doc = |path: &str| match path {
        "seed" => Some("Of all random numbers."),
        "model" => Some("The network."),
        "model.bias" => Some("Whether layers have one.\nNorms always have."),
        _ => None,
    };
    let expected = "\
# Of all random numbers.
seed = 18446744073709551615
# label is not set
small = 0.1
grid = [{ from = -1.0, points = 51 }]

# The network.
[model]
widths = [784, 10]
activation = \"tanh\"
# Whether layers have one.
# Norms always have.
bias = true

[optimiser]
kind = \"sgd\"
lr = 0.1
momentum = 0.9

[weights]
\"a b\" = 1e-300
";
    assert_eq!(print_documented(&Study::default(), doc).unwrap(), expected);
}
