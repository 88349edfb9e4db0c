//! Hidden units change places without changing the function.

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_learn::arch::ModelConfig;
use thalweg_learn::loss::Loss;
use thalweg_learn::objective::{Examples, Objective};

use super::model;

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
    if model.takes_tokens() {
        inputs.iter_mut().for_each(|x| *x = (x.abs() * 10.0).floor() % outputs as f64);
    }
    let labels = [0, 1, 2].repeat(network.positions());
    let examples = Examples::new(inputs, labels);
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
        let of_text = json!({"kind": kind, "units": 4, "depth": 2, "embedding": 3});
        expect_named(of_text, &[5], &[("embedding", 3), ("hidden 0", 4), ("hidden 1", 4)]);
    }
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
