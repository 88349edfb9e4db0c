//! What needs no process: configurations, their comments and their checks.

mod sets;
mod texts;

use super::validate::validate;
use super::*;
use crate::config::{load, print_documented};
use crate::recipe::setup::{DataSource, Setup};

fn loaded(overrides: &[&str]) -> SurveyConfig {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    load(None, &overrides).unwrap()
}

fn refused(overrides: &[&str]) -> String {
    match Inputs::resolve(&loaded(overrides), &Folders::new(None)) {
        Ok(_) => panic!("{overrides:?} was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_field_has_a_comment_and_the_printed_default_reads_back() {
    let residual = "model.layers=['flatten', {residual = ['linear 64', 'relu']}, 'linear 10']";
    let variants: [&[&str]; 24] = [
        &[],
        &["model.kind=linear", "model.widths=[8]"],
        &["model.kind=autoencoder", "train.loss=reconstruction"],
        &["model.kind=resnet20"],
        &["model.kind=wide_resnet", "model.dropout=0.3"],
        &["model.kind=resnet18"],
        &["model.kind=lenet_300_100"],
        &["model.kind=lenet5", "model.pool=average"],
        &["model.kind=conv4", "model.width=8"],
        &["model.kind=layers", residual],
        &["model.kind=vit", "model.dropout=0.1", "model.attention_dropout=0.1"],
        &[
            "model.kind=gpt",
            "model.embedding_dropout=0.1",
            "model.attention_dropout=0.0",
            "model.residual_dropout=0.1",
        ],
        &["model.kind=lstm", "model.depth=2", "model.dropout=0.1", "model.embedding=8"],
        &["data.kind=mnist", "data.classes=[3, 5]"],
        &["data={kind='synthetic', set={kind='parity', features=20, of=3}}"],
        &["data={kind='synthetic', set={kind='gaussian_mixture', features=2, classes=2, separation=3.0}}"],
        &[
            "data={kind='synthetic', set={kind='teacher_student', features=4, hidden=9, classes=2, activation='erf'}}",
        ],
        &[
            "data={kind='npz', path='x.npz', inputs_test='a', labels_test='b', number_of_classes=3, classes=[1]}",
        ],
        &["data.kind=npz", "data.path=x.npz"],
        &["data={kind='csv', path='x.csv', label='y', header=true, shape=[1, 2, 2], test_examples=4}"],
        &["data={kind='image_folder', path='x', channels=1, scaling='standardised_by_channel'}"],
        &["data.kind=digits_file", "data.path=x.csv", "train.optimiser.kind=adam"],
        &[
            "train.schedule.kind=steps",
            "model.init.kind=mean_field",
            "model.init.sigma_w=1.0",
            "model.init.sigma_b=0.1",
        ],
        &[
            "train.schedule.kind=constant",
            "train.optimiser.kind=adamw",
            "model.kind=vgg11",
            "model.norm=group",
        ],
    ];
    for overrides in variants {
        let config = loaded(overrides);
        let text = print_documented(&config, doc).unwrap();
        let mut before = "";
        let mut section = String::new();
        for line in text.lines() {
            let unset = line.starts_with("# ") && line.ends_with(" is not set");
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned() + ".";
            }
            if line.starts_with('[') || line.contains(" = ") && !line.starts_with('#') || unset {
                assert!(
                    before.starts_with("# ") && !before.ends_with(" is not set"),
                    "{section}{line} has no comment"
                );
            }
            before = line;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("survey.toml");
        std::fs::write(&path, text).unwrap();
        assert_eq!(load::<SurveyConfig>(Some(&path), &[]).unwrap(), config);
    }
}

#[test]
fn a_variant_without_its_fields_is_told_where_they_belong() {
    for (set, field, table) in [
        ("model.init.kind=mean_field", "model.init.sigma_w", "model.init={kind=\"mean_field\", sigma_w=…}"),
        ("data.kind=digits_file", "data.path", "data={kind=\"digits_file\", path=…}"),
        ("model.kind=layers", "model.layers", "model={kind=\"layers\", layers=…}"),
    ] {
        let error = load::<SurveyConfig>(None, &[set.to_owned()]).unwrap_err().to_string();
        let expected = format!(
            "missing field `{field}` of the table in `--set {set}`; a variant is given with its fields, --set '{table}'"
        );
        assert_eq!(error, expected);
    }
    let set = ["model.init={kind=\"mean_field\", sigma_w=1.5, sigma_b=0.1}".to_owned()];
    assert!(load::<SurveyConfig>(None, &set).is_ok());
}

#[test]
fn the_wrong_kind_of_value_is_named_where_it_stands() {
    let whole = "expected an integer, 0 or more";
    for (set, expected) in [
        (
            "checkpoints=[3,1]",
            "`checkpoints` in `--set checkpoints=[3,1]`: expected a table, found an array of 2",
        ),
        ("line=[]", "`line` in `--set line=[]`: expected a table, found an empty array"),
        ("plane=[[0.0,2.0]]", "`plane` in `--set plane=[[0.0,2.0]]`: expected a table, found an array of 1"),
        // What serde would take for a tag and its fields.
        (
            "train.schedule=[\"cosine\", 0.1]",
            "`train.schedule` in `--set train.schedule=[\"cosine\", 0.1]`: expected a table, found an array of 2",
        ),
        (
            "model.widths=[-1]",
            &format!("`model.widths.0` in `--set model.widths=[-1]`: {whole}, found the integer -1"),
        ),
        (
            "model.widths=[8, 1.5]",
            &format!("`model.widths.1` in `--set model.widths=[8, 1.5]`: {whole}, found the number 1.5"),
        ),
        (
            "model.widths=3",
            "`model.widths` in `--set model.widths=3`: expected an array, found the integer 3",
        ),
        (
            "plane.points=[3]",
            "`plane.points` in `--set plane.points=[3]`: expected an array of length 2, found an array of 1",
        ),
        (
            "model.init.knd=he",
            "unknown field `model.init.knd` in `--set model.init.knd=he`; did you mean `model.init.kind`?",
        ),
        (
            "model.kind=lenet",
            "unknown value \"lenet\" for `model.kind` in `--set model.kind=lenet`: expected one of mlp, linear, autoencoder, \
             lenet_300_100, lenet5, conv2, conv4, conv6, vgg11, vgg13, vgg16, vgg19, resnet20, resnet32, \
             resnet44, resnet56, resnet110, wide_resnet, resnet18, resnet50, vit, gpt, rnn, lstm, layers; did you mean `lenet5`?",
        ),
        (
            "model={kind=\"vgg11\", widht=8}",
            "unknown field `model.widht` in `--set model={kind=\"vgg11\", widht=8}`; did you mean `model.width`?",
        ),
        (
            "model={kind=\"vit\", dropuot=0.1}",
            "unknown field `model.dropuot` in `--set model={kind=\"vit\", dropuot=0.1}`; did you mean `model.dropout`?",
        ),
        (
            "model={kind=\"layers\", layers=[\"relu\", {residul=[]}]}",
            "unknown field `model.layers.1.residul` in `--set model={kind=\"layers\", layers=[\"relu\", {residul=[]}]}`; did you mean \
             `model.layers.1.residual`?",
        ),
        (
            "model={kind=\"layers\", layers=[\"relu\", 3]}",
            "`model.layers.1` in `--set model={kind=\"layers\", layers=[\"relu\", 3]}`: expected a layer in words, such as \"conv 16 \
             3x3\", or { residual = [...] }, found the integer 3",
        ),
        (
            "model.init.kind=1",
            "`model.init.kind` in `--set model.init.kind=1`: expected the name of a variant, found the integer 1",
        ),
    ] {
        let error = load::<SurveyConfig>(None, &[set.to_owned()]).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("survey.toml");
    std::fs::write(&path, "seed = 1\n[[model]]\nwidths = [3]\n").unwrap();
    let error = load::<SurveyConfig>(Some(&path), &[]).unwrap_err().to_string();
    assert_eq!(error, format!("`model` in {} line 2: expected a table, found an array of 1", path.display()));
}

#[test]
fn fields_out_of_range_are_named_with_what_was_expected() {
    for (overrides, expected) in [
        (
            &["model.widths=[64, 0]"][..],
            "`model.widths`: expected at least 1 unit in every layer, found [64, 0]",
        ),
        (
            &["model.widths=[1000000, 1000000]"],
            "`model.widths`: expected a network of at most 1000000000 parameters, found [1000000, 1000000]: 1000076000010 with \
             64 inputs and 10 outputs",
        ),
        (
            &["model.widths=[900000000]"],
            "`model.widths`: expected a network of at most 1000000000 parameters, found [900000000]: 67500000010 with 64 inputs \
             and 10 outputs",
        ),
        (
            &["model.kind=lenet5"],
            "model: layer conv2 (`conv 16 5x5`): expected an image of at least 5x5 positions, padding included, found 4x4",
        ),
        (
            &["model.kind=layers", "model.layers=['flatten', 'linar 10']"],
            "model: layer 1 (`linar 10`): expected a layer: linear, conv, maxpool, avgpool, globalmaxpool, globalavgpool, subsample, batchnorm, groupnorm, layernorm, \
             instancenorm, dropout, flatten, relu, tanh, erf, sigmoid, gelu or silu, found `linar`",
        ),
        (
            &["model.kind=layers", "model.layers=['flatten', 'linear 100000', 'linear 100000', 'linear 10']"],
            "`model`: expected a network of at most 1000000000 parameters, found 10007600010",
        ),
        (
            &["model.kind=layers", "model.layers=['dropout 1.5', 'flatten', 'linear 10']"],
            "model: layer 0 (`dropout 1.5`): expected a probability from 0 to below 1, found 1.5",
        ),
        (
            &[
                "model.kind=layers",
                "model.layers=['flatten', 'linear 8', 'batchnorm', 'linear 10']",
                "train.batch_size=4",
            ],
            "`train.batch_size`: expected at least 2 examples in every batch, for a variance in the batch norm 2, found 4, which \
             leaves a batch of 1 of 1437 examples",
        ),
        (
            &["model.kind=autoencoder"],
            "`train.loss`: expected reconstruction, as the outputs of an autoencoder are for its inputs, found cross_entropy",
        ),
        (&["line.points=0"], "`line.points`: expected from 2 to 10000000 points, found 0"),
        (
            &["line.from=1.0", "line.to=0.5"],
            "`line.from and line.to`: expected two finite numbers, the lower first, found [1, 0.5]",
        ),
        (&["plane.x=[1.0, 1.0]"], "`plane.x`: expected two finite numbers, the lower first, found [1, 1]"),
        (&["plane.y=[nan, 1.0]"], "`plane.y`: expected two finite numbers, the lower first, found [NaN, 1]"),
        (
            &["plane.points=[51, 1]"],
            "`plane.points`: expected [x, y] with at least 2 points along each and at most 10000000 in all, found [51, 1]",
        ),
        (
            &["trajectory.points=[4000000000000, 4000000000000]"],
            "`trajectory.points`: expected [x, y] with at least 2 points along each and at most 10000000 in all, found \
             [4000000000000, 4000000000000]",
        ),
        (&["trajectory.margin=-0.1"], "`trajectory.margin`: expected a number from 0 to 100, found -0.1"),
        (
            &["line.to=1e14"],
            "`line.from and line.to`: expected two numbers from -1000000 to 1000000, found [0, 1e14]",
        ),
        (
            &["line.from=-1.7e308", "line.to=1.7e308"],
            "`line.from and line.to`: expected two numbers from -1000000 to 1000000, found [-1.7e308, 1.7e308]",
        ),
        (
            &["line.from=0.9999999999999999"],
            "`line.from and line.to`: expected room for 51 different points between, found [0.9999999999999999, 1]",
        ),
        (
            &["plane.y=[-1e308, 1.7e308]"],
            "`plane.y`: expected two numbers from -1000000 to 1000000, found [-1e308, 1.7e308]",
        ),
        (&["train.lr=0.0"], "`train.lr`: expected a finite number above 0, found 0"),
        (&["train.lr=inf"], "`train.lr`: expected a finite number above 0, found inf"),
        (&["train.epochs=0"], "`train.epochs`: expected at least 1, found 0"),
        (&["train.steps=0"], "`train.steps`: expected at least 1, found 0"),
        (
            &["train.steps=1"],
            "`checkpoints`: expected at least 3 of them to make a trajectory, found 2 in a run of 1 steps",
        ),
        (&["spectrum.largest=0"], "`spectrum.largest`: expected at least 1, found 0"),
        (
            &["spectrum.products_max=40"],
            "`spectrum.products_max`: expected at least 41: the eigenvalues wanted and the start vectors, found 40",
        ),
        (&["spectrum.tolerance=0.0"], "`spectrum.tolerance`: expected a number above 0 and below 1, found 0"),
        (
            &["data.train_examples=2000"],
            "data: digits/train: expected between 1 and 1437 examples, found 2000",
        ),
    ] {
        assert_eq!(refused(overrides), expected, "{overrides:?}");
    }
}

#[test]
fn runs_without_end_are_refused_before_their_checkpoints_are_counted_out() {
    let forever = i64::MAX;
    for (set, expected) in [
        (
            format!("train.steps={forever}"),
            format!("`train.steps`: expected at most 1000000000000000 steps, found {forever}"),
        ),
        (
            format!("train.epochs={forever}"),
            format!("`train.epochs`: expected at most 1000000000000000 steps, found {forever}"),
        ),
        (
            "train.steps=1000000000".to_owned(),
            "`checkpoints.every_epochs`: expected at most 1000000 checkpoints in the 1000000000 steps of the run, found 1, which \
             makes 43478260"
                .to_owned(),
        ),
        (
            "checkpoints.per_decade=4294967295".to_owned(),
            "`checkpoints.per_decade`: expected at most 1000, found 4294967295".to_owned(),
        ),
    ] {
        assert_eq!(refused(&[&set]), expected);
    }
    let long = ["train.steps=1000000000", "checkpoints.every_epochs=0"];
    assert_eq!(
        Inputs::resolve(&loaded(&long), &Folders::new(None)).unwrap().setup.checkpoint_steps.last(),
        Some(&1_000_000_000)
    );
}

#[test]
fn training_is_refused_under_the_names_of_the_configuration() {
    let steps = |milestones: &str| format!("train.schedule={{kind=\"steps\", milestones={milestones}}}");
    let adam = "train.optimiser={kind=\"adam\", beta_1=1.0}".to_owned();
    let nesterov = "train.optimiser={kind=\"sgd\", momentum=0.0, nesterov=true}".to_owned();
    for (set, expected) in [
        (adam, "`train.optimiser.beta_1`: expected in [0, 1), found 1"),
        (
            "train.optimiser.momentum=1.0".to_owned(),
            "`train.optimiser.momentum`: expected in [0, 1), found 1",
        ),
        (
            nesterov,
            "`train.optimiser.nesterov`: expected a momentum above 0 beside it, found true with momentum 0",
        ),
        (
            steps("[1.5]"),
            "`train.schedule.milestones`: expected each a share of the run, in [0, 1), found [1.5]",
        ),
        (
            steps("[0.5, 0.2]"),
            "`train.schedule.milestones`: expected ascending shares of the run, at different steps of it, found [0.5, 0.2]",
        ),
        (
            "train.schedule.end=-1.0".to_owned(),
            "`train.schedule.end`: expected a share of the learning rate, at least 0, found -1",
        ),
        (
            "train.schedule.warmup=1.0".to_owned(),
            "`train.schedule.warmup`: expected a share of the run, in [0, 1), found 1",
        ),
        (
            "initial.blake3=abc".to_owned(),
            "`initial.blake3`: expected a file in `initial.path` that it is the digest of, found none",
        ),
    ] {
        assert_eq!(refused(&[&set]), expected);
    }
}

#[test]
fn the_default_is_in_range_and_non_square_planes_are_too() {
    assert!(validate(&SurveyConfig::default()).is_ok());
    assert!(
        validate(&loaded(&["plane.points=[3, 7]", "plane.x=[0.0, 2.0]", "plane.y=[-3.0, -1.0]"])).is_ok()
    );
}

/// A field that came later must not change the names of the runs before it.
#[test]
fn dropout_is_part_of_the_identity_where_it_is_given() {
    let config = |given: &[&str]| loaded(&[&["model.kind=vit"], given].concat());
    let text = crate::config::print(&config(&[])).unwrap();
    assert!(!text.contains("dropout"), "{text}");
    let names = [&[][..], &["model.dropout=0.1"], &["model.dropout=0.2"], &["model.attention_dropout=0.1"]]
        .map(|given| Identity::new(NAME, VERSION, &config(given)).unwrap().id());
    assert!((1..names.len()).all(|i| !names[..i].contains(&names[i])));
}
