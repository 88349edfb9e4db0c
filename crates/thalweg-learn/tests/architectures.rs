//! What every architecture declares holds: hidden units change places without changing the function, sizes are those of
//! the papers, and what does not fit is refused with its place.

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_learn::arch::{ModelConfig, initial_parameters};
use thalweg_learn::data::DataConfig;
use thalweg_learn::init::Init;
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

fn model(config: Value) -> ModelConfig {
    serde_json::from_value(config).unwrap()
}

fn layers(list: &Value) -> ModelConfig {
    model(json!({ "kind": "layers", "layers": list }))
}

fn refused(model: &ModelConfig, input: &[usize], outputs: usize) -> String {
    match model.build(input, outputs) {
        Ok(network) => panic!("{} was built", network.describe()),
        Err(error) => error.to_string(),
    }
}

/// max |found − truth| / max |truth|.
fn relative_error(found: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    assert!(found.iter().chain(truth).all(|x| x.is_finite()));
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, x| most.max(x.abs()));
    most(&mut found.iter().zip(truth).map(|(x, y)| x - y)) / most(&mut truth.iter().copied())
}

/// Reorders the units of each symmetry alone, which must leave outputs alone and reorder the gradient alike, and those of
/// all together. Returns names and sizes of the symmetries.
fn symmetries(model: &ModelConfig, input: &[usize], outputs: usize) -> Vec<(String, usize)> {
    let network = model.build(input, outputs).unwrap();
    let (about, space) = (network.describe(), network.space().clone());
    let mut theta: Vec<f64> = Vec::new();
    for leaf in space.leaves() {
        let mut draws = vec![0.0; leaf.len()];
        Key::from_seed(3).named(&leaf.name).normals(&mut draws);
        let scale = if leaf.prunable { (2.0 / leaf.fan_in as f64).sqrt() } else { 0.5 };
        theta.extend(draws.into_iter().map(|x| scale * x));
    }
    let mut inputs = vec![0.0; 3 * network.inputs()];
    Key::from_seed(4).normals(&mut inputs);
    if matches!(model, ModelConfig::Gpt(_)) {
        inputs.iter_mut().for_each(|x| *x = (x.abs() * 10.0).floor() % outputs as f64);
    }
    let labels = [0, 1, 2].repeat(network.positions());
    let examples = Examples { inputs, labels };
    let objective = Objective::<f64>::new(network, Loss::CrossEntropy, 3);
    let of = |theta: &[f64]| {
        let mut gradient = vec![0.0; theta.len()];
        objective.gradient(theta, &examples, &mut gradient);
        (objective.outputs(&[theta], &examples).remove(0), gradient)
    };
    let (truth, gradient) = of(&theta);
    let mut all = theta.clone();
    for (number, symmetry) in space.symmetries().iter().enumerate() {
        let mut order = Key::from_seed(5).fold_in(number as u64).permutation(symmetry.units);
        if order.is_sorted() {
            order.reverse();
        }
        let moved = space.permuted(&theta, number, &order);
        assert!(relative_error(&moved, &theta) > 0.05, "{about}: {symmetry:?} moves nothing");
        let (outputs, moved_gradient) = of(&moved);
        let error = relative_error(&outputs, &truth);
        assert!(error <= 1e-11, "{about}: {symmetry:?} changes the outputs by {error:e}");
        let error = relative_error(&moved_gradient, &space.permuted(&gradient, number, &order));
        assert!(error <= 1e-10, "{about}: {symmetry:?} changes the gradient by {error:e}");
        all = space.permuted(&all, number, &order);
    }
    assert!(relative_error(&of(&all).0, &truth) <= 1e-11, "{about}");
    space.symmetries().iter().map(|symmetry| (symmetry.name.clone(), symmetry.units)).collect()
}

fn expect(model: Value, input: &[usize], outputs: usize, expected: &[(&str, usize)]) {
    let found = symmetries(&self::model(model), input, outputs);
    let expected: Vec<_> =
        expected.iter().map(|&(layer, units)| (format!("outputs of {layer}"), units)).collect();
    assert_eq!(found, expected);
}

#[test]
fn hidden_units_change_places() {
    expect(json!({"kind": "linear", "widths": [5, 4]}), &[7], 3, &[("layers.0", 5), ("layers.1", 4)]);
    expect(json!({"kind": "linear"}), &[7], 3, &[]);
    let lenet = json!({"kind": "lenet_300_100", "activation": "tanh"});
    expect(lenet, &[1, 3, 2], 4, &[("fc1", 300), ("fc2", 100)]);
    let lenet = json!({"kind": "lenet5", "pool": "average"});
    expect(lenet, &[2, 16, 13], 4, &[("conv1", 6), ("conv2", 16), ("fc1", 120), ("fc2", 84)]);
    let autoencoder = json!({"kind": "autoencoder", "widths": [5, 3]});
    let coded = [("encoder.0", 5), ("encoder.2", 3), ("decoder.0", 5)];
    expect(autoencoder, &[1, 2, 4], 8, &coded);
    let conv = |kind: &str| json!({"kind": kind, "width": 3, "dense": [5, 4]});
    let pairs = [("conv1", 3), ("conv2", 3), ("conv3", 6), ("conv4", 6), ("conv5", 12), ("conv6", 12)];
    let dense = [("fc1", 5), ("fc2", 4)];
    for (kind, convolutions) in [("conv2", 2), ("conv4", 4), ("conv6", 6)] {
        expect(conv(kind), &[2, 8, 9], 3, &[&pairs[..convolutions], &dense].concat());
    }
}

#[test]
fn hidden_channels_of_vgg_change_places() {
    for (kind, convolutions) in [("vgg11", 8), ("vgg13", 10), ("vgg16", 13), ("vgg19", 16)] {
        let vgg = |more: Value| {
            let mut config = json!({"kind": kind, "width": 2});
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            symmetries(&model(config), &[1, 32, 32], 3)
        };
        let plain = vgg(json!({}));
        assert_eq!(plain.len(), convolutions);
        assert_eq!(plain.iter().map(|symmetry| symmetry.1).max(), Some(16));
        // One group lets channels change places; two do not, but where each of two channels is a group.
        assert_eq!(vgg(json!({"norm": "group", "groups": 1})).len(), convolutions);
        assert_eq!(vgg(json!({"norm": "batch"})).len(), convolutions);
        let of_first_stage = if kind == "vgg11" { 1 } else { 2 };
        assert_eq!(vgg(json!({"norm": "group", "groups": 2})).len(), of_first_stage);
    }
}

#[test]
fn hidden_units_of_lists_change_places() {
    // A sum ties what comes to it: here both ways and the identity behind them.
    let tied = json!([
        "conv 5 3x3 stride=2 pad=1",
        "layernorm",
        {"residual": ["conv 4 3x3 pad=same", "instancenorm affine", "gelu"], "shortcut": ["conv 4 1x1", "groupnorm 1"]},
        {"residual": ["conv 6 3x3 pad=1", "tanh", "conv 4 3x3 pad=1"]},
        "maxpool 2",
        "flatten",
        "layernorm",
        "linear 7",
        "relu",
        "linear 3 nobias"
    ]);
    let names = [("0", 5), ("2.body.0", 4), ("3.body.0", 6), ("7", 7)];
    expect(json!({"kind": "layers", "layers": tied}), &[2, 8, 9], 3, &names);
    // What is added to the inputs or to the outputs stays where it is.
    let fixed = json!([{"residual": ["linear 6"]}, "relu", "linear 5", "tanh", "linear 3", {"residual": ["linear 3"]}]);
    expect(json!({"kind": "layers", "layers": fixed}), &[6], 3, &[("2", 5)]);
    // A channel is a unit here and a run of features there: they could only move one way or the other.
    let mixed = json!(["conv 4 1x1", "flatten", {"residual": ["linear 16"]}, "linear 3"]);
    expect(json!({"kind": "layers", "layers": mixed}), &[1, 2, 2], 3, &[]);
    // Depthwise, two outputs a channel: pairs move.
    let depthwise = json!(["conv 4 3x3", "conv 8 2x2 groups=4", "relu", "globalavgpool", "linear 3"]);
    expect(json!({"kind": "layers", "layers": depthwise}), &[2, 5, 5], 3, &[("0", 4)]);
    // Two groups, of channels or of a norm, hold still; the rest does not.
    let grouped = json!([
        "conv 4 3x3",
        "conv 6 1x1 groups=2",
        "relu",
        "conv 6 1x1",
        "groupnorm 2",
        "flatten",
        "linear 5",
        "linear 3"
    ]);
    expect(json!({"kind": "layers", "layers": grouped}), &[2, 4, 4], 3, &[("6", 5)]);
    let single = json!(["linear 4", "groupnorm 1", "tanh", "linear 3"]);
    expect(json!({"kind": "layers", "layers": single}), &[3], 3, &[("0", 4)]);
}

/// Names and sizes of the symmetries of a network.
fn expect_named(model: Value, input: &[usize], expected: &[(&str, usize)]) {
    let found = symmetries(&self::model(model), input, 3);
    let expected: Vec<_> = expected.iter().map(|&(name, units)| (name.to_owned(), units)).collect();
    assert_eq!(found, expected);
}

#[test]
fn heads_hidden_units_and_the_stream_of_a_transformer_change_places() {
    let vit = json!({"kind": "vit", "width": 6, "depth": 2, "heads": 3, "mlp_width": 5});
    let block = |number| {
        let of = |what: &str, name| format!("{what} of encoder.layers.encoder_layer_{number}.{name}");
        [(of("heads", "self_attention.out_proj"), 3), (of("outputs", "mlp.0"), 5)]
    };
    let blocks = [block(0), block(1)].concat();
    let blocks = blocks.iter().map(|(name, units)| (&name[..], *units));
    let all: Vec<(&str, usize)> = [("residual stream", 6)].into_iter().chain(blocks).collect();
    expect_named(vit, &[2, 4, 6], &all);
    let gpt = json!({"kind": "gpt", "width": 4, "depth": 1, "heads": 2, "mlp_width": 5});
    let names =
        ["residual stream", "heads of transformer.h.0.attn.c_proj", "outputs of transformer.h.0.mlp.c_fc"];
    expect_named(gpt, &[6], &[(names[0], 4), (names[1], 2), (names[2], 5)]);
}

#[test]
fn hidden_units_of_recurrent_networks_change_places() {
    for kind in ["rnn", "lstm"] {
        let deep = json!({"kind": kind, "units": 5, "depth": 3});
        expect_named(deep, &[2, 4, 3], &[("hidden 0", 5), ("hidden 1", 5), ("hidden 2", 5)]);
        expect_named(json!({"kind": kind, "units": 4}), &[3], &[("hidden 0", 4)]);
    }
}

#[test]
fn sizes_are_those_of_the_papers() {
    // Frankle & Carbin 2019, figure 2: 266K weights of LeNet-300-100, 4.3M of Conv-2, 2.4M of Conv-4, and of Conv-6 1.7M with
    // 1.1M in its convolutions. Those of Conv-6's convolutions are as given; but the layer behind them sees 256 channels of 4×4
    // positions, which makes 1.05M weights alone: what the figure draws has 2.26M.
    // He et al. 2016, table 6: 0.27M, 0.46M, 0.66M, 0.85M and 1.7M. Zagoruyko & Komodakis 2016, tables 4 and 5: WRN-40-1 0.6M,
    // WRN-16-8 11.0M, WRN-28-10 36.5M. Others by hand.
    let (digits, colours) = ([1, 28, 28], [3, 32, 32]);
    for (kind, input, weights, parameters) in [
        ("resnet20", colours, 268_336, 269_722),
        ("resnet32", colours, 0, 464_154),
        ("resnet44", colours, 0, 658_586),
        ("resnet56", colours, 0, 853_018),
        ("resnet110", colours, 0, 1_727_962),
        ("wide_resnet", colours, 0, 36_479_194),
        ("lenet_300_100", digits, 266_200, 266_610),
        ("lenet5", digits, 61_470, 61_706),
        ("conv2", colours, 4_300_992, 4_301_642),
        ("conv4", colours, 2_425_024, 2_425_930),
        ("conv6", colours, 2_261_184, 2_262_602),
        ("vgg11", colours, 0, 9_225_610),
        ("vgg13", colours, 0, 9_410_122),
        ("vgg16", colours, 0, 14_719_818),
        ("vgg19", colours, 0, 20_029_514),
        // By hand: 4·(32·(8 + 32 + 2)) or 32·42, and 330.
        ("lstm", [1, 8, 8], 4 * 32 * 40 + 320, 5706),
        ("rnn", [1, 8, 8], 32 * 40 + 320, 1674),
        // (17 + 1)·32 of positions and token, 5·32, twice 4·32 + 4·33·32 + 64·33 + 32·65, 64, 330.
        ("vit", [1, 8, 8], 16_832, 18_218),
    ] {
        let network = model(json!({ "kind": kind })).build(&input[..], 10).unwrap();
        let space = network.space();
        assert_eq!(space.dimension(), parameters, "{kind}");
        let prunable: usize =
            space.leaves().iter().filter(|leaf| leaf.prunable).map(thalweg_program::params::Leaf::len).sum();
        assert!(weights == 0 || prunable == weights, "{kind}: {prunable}");
    }
}

#[test]
fn sizes_of_wide_and_large_networks_are_those_of_the_papers() {
    let count = |config: Value, input: [usize; 3], outputs| {
        model(config).build(&input[..], outputs).unwrap().space().dimension()
    };
    let wide =
        |depth, widen| count(json!({"kind": "wide_resnet", "depth": depth, "widen": widen}), [3, 32, 32], 10);
    assert_eq!(wide(40, 1), 563_930);
    assert_eq!(wide(16, 8), 10_961_370);
    // torchvision's: 11.69M and 25.56M at 1000 classes.
    let large = |kind: &str| count(json!({"kind": kind, "stem": "large"}), [3, 224, 224], 1000);
    assert_eq!(large("resnet18"), 11_689_512);
    assert_eq!(large("resnet50"), 25_557_032);
    // A stem of 3×3 in place of 7×7.
    let small = |kind: &str| count(json!({"kind": kind}), [3, 32, 32], 1000);
    assert_eq!(small("resnet18"), 11_689_512 - 3 * 64 * 40);
    assert_eq!(small("resnet50"), 25_557_032 - 3 * 64 * 40);
}

/// Which leaves begin at 0, and the mean square of the others over 2/fan-in.
#[test]
fn fixup_begins_as_its_paper_says() {
    let check = |config: Value, input: [usize; 3], blocks: f64, root: f64, last: &str| {
        let network = model(config).build(&input[..], 10).unwrap();
        let theta: Vec<f64> = initial_parameters(network.space(), &Init::default(), Key::from_seed(1));
        for leaf in network.space().leaves() {
            let (name, values) = (&leaf.name, &theta[leaf.range()]);
            let mean_square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
            let is_last = name.ends_with(last) || name.starts_with("linear") || name.starts_with("fc");
            if name.ends_with("scale") {
                assert_eq!(values, [1.0], "{name}");
            } else if leaf.len() == 1 || is_last {
                assert_eq!(mean_square, 0.0, "{name}");
            } else {
                let is_usual = name == "conv1.weight" || name.contains("downsample");
                let expected =
                    2.0 / leaf.fan_in as f64 * if is_usual { 1.0 } else { blocks.powf(-2.0 / root) };
                let error = (mean_square / expected - 1.0).abs();
                assert!(
                    error < 5.0 * (2.0 / leaf.len() as f64).sqrt(),
                    "{name}: {mean_square} for {expected}"
                );
            }
        }
    };
    check(json!({"kind": "resnet20", "norm": "fixup"}), [3, 32, 32], 9.0, 2.0, "conv2.weight");
    check(json!({"kind": "resnet50", "norm": "fixup"}), [3, 32, 32], 16.0, 4.0, "conv3.weight");
}

#[test]
fn hidden_channels_of_residual_networks_change_places() {
    let of = |config: Value| symmetries(&model(config), &[2, 8, 8], 3);
    let names = |found: &[(String, usize)]| -> Vec<String> {
        found
            .iter()
            .map(|(name, units)| format!("{} {units}", name.trim_start_matches("outputs of ")))
            .collect()
    };
    let inner =
        |stage: usize, units: usize| (0..3).map(move |block| format!("layer{stage}.{block}.conv1 {units}"));
    // A stage's blocks and its shortcut add to one set of channels.
    let project = names(&of(json!({"kind": "resnet20", "width": 3, "shortcut": "project"})));
    let mut expected = vec!["conv1 3".to_owned()];
    expected.extend(inner(1, 3));
    for (stage, units) in [(2, 6), (3, 12)] {
        let mut inner = inner(stage, units);
        expected.extend(inner.next());
        expected.push(format!("layer{stage}.0.conv2 {units}"));
        expected.extend(inner);
    }
    assert_eq!(project, expected);
    // Zeros between channels hold them in place.
    let inner_only: Vec<String> = inner(1, 3).chain(inner(2, 6)).chain(inner(3, 12)).collect();
    assert_eq!(names(&of(json!({"kind": "resnet20", "width": 3}))), inner_only);
    assert_eq!(names(&of(json!({"kind": "resnet20", "width": 3, "norm": "fixup"}))), inner_only);
    // Without shortcuts every convolution has channels of its own.
    assert_eq!(of(json!({"kind": "resnet20", "width": 3, "shortcut": "none"})).len(), 19);
    assert_eq!(of(json!({"kind": "resnet32", "width": 2, "shortcut": "project"})).len(), 15 + 3);
    let wide = json!({"kind": "wide_resnet", "depth": 10, "widen": 1, "norm": "group", "groups": 1});
    assert_eq!(of(wide).len(), 3 + 3);
    assert_eq!(of(json!({"kind": "wide_resnet", "depth": 10, "widen": 2})).len(), 3 + 4);
    assert_eq!(of(json!({"kind": "resnet18", "width": 2, "norm": "fixup"})).len(), 8 + 4);
    assert_eq!(of(json!({"kind": "resnet50", "width": 2})).len(), 2 * 16 + 5);
}

#[test]
fn descriptions_tell_networks_apart() {
    let describe =
        |config: Value, input: &[usize], outputs| model(config).build(input, outputs).unwrap().describe();
    assert_eq!(describe(json!({"kind": "lenet5"}), &[1, 28, 28], 10), "lenet5 1×28×28-10 relu, max pool");
    let narrow = json!({"kind": "vgg11", "width": 8, "norm": "group", "groups": 4, "activation": "gelu"});
    assert_eq!(describe(narrow, &[3, 32, 32], 10), "vgg11 3×32×32-10 gelu, width 8, group norm 4");
    let conv = json!({"kind": "conv4", "dense": [9]});
    assert_eq!(describe(conv, &[3, 32, 32], 10), "conv4 3×32×32-10 relu, width 64, dense [9]");
    assert_eq!(describe(json!({"kind": "linear"}), &[64], 10), "linear 64-10");
    let deep = json!({"kind": "linear", "widths": [5, 4], "bias": false});
    assert_eq!(describe(deep, &[64], 10), "linear 64-10 through 5-4, no bias");
    let vit = json!({"kind": "vit", "patch_size": 4, "heads": 2});
    assert_eq!(describe(vit, &[3, 8, 4], 10), "vit 3×8×4-10 patch 4, width 32, depth 2, heads 2, mlp 64");
    let gpt = json!({"kind": "gpt"});
    assert_eq!(describe(gpt, &[64], 27), "gpt 64 of 27 tokens, width 32, depth 2, heads 4, mlp 128");
    assert_eq!(describe(json!({"kind": "lstm"}), &[1, 8, 8], 10), "lstm 1×8×8-10 units 32, depth 1");
    assert_eq!(
        describe(json!({"kind": "rnn", "units": 7, "depth": 2}), &[9], 2),
        "rnn 1×9×1-2 units 7, depth 2"
    );
    let thin = json!({"kind": "resnet56", "width": 8, "norm": "group", "shortcut": "none"});
    assert_eq!(
        describe(thin, &[3, 32, 32], 10),
        "resnet56 3×32×32-10 relu, width 8, group norm 8, shortcut none"
    );
    let fixup = json!({"kind": "resnet18", "norm": "fixup", "stem": "large"});
    assert_eq!(describe(fixup, &[3, 32, 32], 10), "resnet18 3×32×32-10 relu, width 64, fixup, large stem");
    let wide = json!({"kind": "wide_resnet", "depth": 16, "widen": 4});
    assert_eq!(
        describe(wide, &[3, 32, 32], 10),
        "wide_resnet 3×32×32-10 relu, depth 16, widen 4, batch norm"
    );
    let list = json!({"kind": "layers", "layers": ["flatten", "linear 3 nobias"]});
    assert_eq!(describe(list, &[1, 2, 2], 3), "layers 1×2×2-3 flatten, linear 3 nobias");
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let digits = [1, 8, 8];
    assert_eq!(
        refused(&model(json!({"kind": "lenet5"})), &digits, 10),
        "model: layer conv2 (`conv 16 5x5`): expected an image of at least 5x5 positions, padding included, found 4x4"
    );
    assert_eq!(
        refused(&model(json!({"kind": "vgg11"})), &digits, 10),
        "model: layer features.15 (`maxpool 2`): expected an image of at least 2x2 positions, padding included, found 1x1"
    );
    assert_eq!(
        refused(&model(json!({"kind": "conv2"})), &[64], 10),
        "model: layer conv1 (`conv 64 3x3 pad=1`): expected an image, channels×height×width, found 64 features"
    );
    assert_eq!(
        refused(&model(json!({"kind": "autoencoder", "widths": []})), &digits, 10),
        "model: expected at least a code in the autoencoder's widths, found []"
    );
    assert_eq!(
        refused(&model(json!({"kind": "resnet20", "norm": "fixup", "shortcut": "none"})), &digits, 10),
        "model: expected shortcuts around blocks that fixup begins at 0, found shortcut none"
    );
    assert_eq!(
        refused(&model(json!({"kind": "wide_resnet", "depth": 20})), &digits, 10),
        "model: expected a depth of 6n + 4 for a number n of blocks from 1 on, at most 10000, found 20"
    );
    assert_eq!(
        refused(&model(json!({"kind": "resnet20", "norm": "group", "groups": 5})), &digits, 10),
        "model: layer bn1 (`groupnorm 5`): expected a number of groups that divides 16 channels, found 5"
    );
    for (list, expected) in [
        (json!([]), "expected at least 1 layer, found none"),
        (
            json!(["conv 6 3x3", "subsample 5"]),
            "layer 1 (`subsample 5`): expected at least the 6 channels that come in, found 5",
        ),
        (
            json!(["subsample 5 stride=0"]),
            "layer 0 (`subsample 5 stride=0`): expected a stride of at least 1 position, found 0",
        ),
        (
            json!(["conv 16 3x3", "linear 10"]),
            "layer 1 (`linear 10`): expected features, which `flatten` makes of an image, found 16×6×6",
        ),
        (
            json!(["flatten", "linear 11"]),
            "layer 1 (`linear 11`): expected the network to end in 10 features, found 11",
        ),
        (
            json!(["conv 10 8x8"]),
            "layer 0 (`conv 10 8x8`): expected the network to end in 10 features, found an image of 10×1×1",
        ),
        (
            json!(["flatten", "maxpool 2"]),
            "layer 1 (`maxpool 2`): expected an image, channels×height×width, found 64 features",
        ),
        (
            json!(["conv 6 3x3", "groupnorm 4"]),
            "layer 1 (`groupnorm 4`): expected a number of groups that divides 6 channels, found 4",
        ),
        (
            json!(["conv 6 3x3", "conv 4 3x3 groups=3"]),
            "layer 1 (`conv 4 3x3 groups=3`): expected groups that divide the channels that come in and those that go out, \
             found 3 groups of 6 and 4 channels",
        ),
        (
            json!(["relu", {"residual": ["conv 4 3x3", "relu"]}]),
            "layer 1 (`residual [conv 4 3x3, relu]`): expected a shortcut to 4×6×6, which the body comes to, found 1×8×8",
        ),
        (
            json!([{"residual": ["relu", "linear 3"], "shortcut": []}]),
            "layer 0.body.1 (`linear 3`): expected features, which `flatten` makes of an image, found 1×8×8",
        ),
        (
            json!(["relu", {"residual": ["relu"], "shortcut": ["conv 3"]}]),
            "layer 1.shortcut.0 (`conv 3`): expected rows and columns of the window, as in `conv 16 3x3`, found nothing",
        ),
        (
            json!(["conv 4 3x3 stride=0"]),
            "layer 0 (`conv 4 3x3 stride=0`): expected a stride of at least 1 position along each axis, found 0x0",
        ),
        (
            json!(["conv 4 3x3 stride=2 pad=same"]),
            "layer 0 (`conv 4 3x3 stride=2 pad=same`): expected stride 1 with pad=same, found stride 2x2",
        ),
        (
            json!(["maxpool 2 pad=2"]),
            "layer 0 (`maxpool 2 pad=2`): expected padding of at most half the window, 1, found 2",
        ),
        (
            json!(["maxpool 1000000000000 pad=500000000000"]),
            "layer 0 (`maxpool 1000000000000 pad=500000000000`): expected a window of at most 1048576 positions, found \
             1000000000000x1000000000000",
        ),
        (
            json!(["maxpool 2 pad=1 dilation=9"]),
            "layer 0 (`maxpool 2 pad=1 dilation=9`): expected no window that lies wholly in the padding, found 8 positions",
        ),
        (json!(["avgpool 2 dilation=2"]), "layer 0 (`avgpool 2 dilation=2`): expected dilation 1, found 2"),
        (
            json!(["avgpool 8", "instancenorm"]),
            "layer 1 (`instancenorm`): expected more than 1 position, or all is normed to 0, found 1×1×1",
        ),
        (json!(["flatten", "linear 0"]), "layer 1 (`linear 0`): expected at least 1 unit, found 0"),
        (json!(["conv 0 1x1"]), "layer 0 (`conv 0 1x1`): expected at least 1 channel, found 0"),
        (
            json!(["conv 1 1x1 pad=1000000000000"]),
            "layer 0 (`conv 1 1x1 pad=1000000000000`): expected outputs of at most 16777216 numbers an example, found \
             1×2000000000008×2000000000008",
        ),
        (
            json!(["flatten", "linear 16000000", "linear 16000000"]),
            "layer 2 (`linear 16000000`): expected a network of at most 1099511627776 parameters, found a leaf of shape \
             [16000000, 16000000]",
        ),
    ] {
        assert_eq!(refused(&layers(&list), &digits, 10), format!("model: {expected}"), "{list}");
    }
}

#[test]
fn counts_that_make_no_network_are_refused() {
    for (config, input, expected) in [
        (
            json!({"kind": "vit", "patch_size": 3}),
            &[1, 8, 8][..],
            "a patch_size that divides 8 and 8, found 3",
        ),
        (json!({"kind": "vit", "patch_size": 0}), &[1, 8, 8], "patch_size from 1 to 16384, found 0"),
        (json!({"kind": "vit"}), &[64], "an image, channels×height×width, found 64 features"),
        (json!({"kind": "vit", "heads": 5}), &[1, 8, 8], "heads that divide the width 32, found 5"),
        (json!({"kind": "vit", "depth": 0}), &[1, 8, 8], "depth from 1 to 1024, found 0"),
        (
            json!({"kind": "vit", "width": 16384, "mlp_width": 16384, "depth": 1024}),
            &[1, 8, 8],
            "at most 1099511627776 parameters, found 1649435787274",
        ),
        (json!({"kind": "gpt"}), &[1, 8, 8], "a sequence of tokens, found an image of 1×8×8"),
        (json!({"kind": "lstm", "units": 0}), &[1, 8, 8], "units from 1 to 16384, found 0"),
        (json!({"kind": "rnn", "depth": 1_000_000}), &[1, 8, 8], "depth from 1 to 1024, found 1000000"),
    ] {
        assert_eq!(refused(&model(config), input, 10), format!("model: expected {expected}"));
    }
}

#[test]
fn lists_are_read_and_written_alike() {
    let text = r#"{"kind":"layers","layers":["conv 4 3x3",{"residual":["relu"],"shortcut":[]}],"init":{"kind":"torch"}}"#;
    let config: ModelConfig = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&config).unwrap(), text);
    for (text, expected) in [
        (r#"{"kind":"layers"}"#, "missing field `layers`"),
        (r#"{"kind":"layers","layers":[3]}"#, "expected a layer in words, such as \"conv 16 3x3\""),
        (r#"{"kind":"layers","layers":[{"residul":[]}]}"#, "unknown field `residul`"),
        (r#"{"kind":"layers","layers":[{"shortcut":[]}]}"#, "missing field `residual`"),
        (r#"{"kind":"lenet5","width":3}"#, "unknown field `width`"),
        (
            r#"{"kind":"vgg11","norm":"layer"}"#,
            "unknown variant `layer`, expected one of `none`, `batch`, `group`",
        ),
        (
            r#"{"kind":"resnet20","norm":"none"}"#,
            "unknown variant `none`, expected one of `batch`, `group`, `fixup`",
        ),
    ] {
        let error = serde_json::from_str::<ModelConfig>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn threads_change_no_bit() {
    let list = json!(["conv 8 3x3 pad=1", "groupnorm 2", "gelu", "maxpool 3 stride=2", {"residual": ["conv 8 3x3 pad=1", "relu"]},
        "avgpool 2 stride=1 pad=1", "flatten", "linear 10"]);
    let network = layers(&list).build(&[1, 8, 8][..], 10).unwrap();
    let theta: Vec<f32> = initial_parameters(network.space(), &Init::default(), Key::from_seed(6));
    let data = DataConfig::default().load().unwrap().test;
    let examples = Examples { inputs: data.inputs().to_vec(), labels: data.labels().to_vec() };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let objective = Objective::<f32>::new(network.clone(), Loss::CrossEntropy, data.examples());
            let (mut gradient, mut product) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
            let value = objective.gradient(&theta, &examples, &mut gradient);
            objective.hessian_products(&theta, &gradient, &examples, &mut product);
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
            assert!(value.loss.is_finite() && product.iter().any(|&x| x != 0.0));
            (value.loss.to_bits(), bits(&gradient), bits(&product))
        })
    };
    let alone = on(1);
    assert!([2, 3, 8].into_iter().all(|threads| on(threads) == alone));
}
