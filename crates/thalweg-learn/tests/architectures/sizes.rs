//! Sizes, beginnings and descriptions.

use serde_json::{Value, json};
use thalweg_kernel::Key;
use thalweg_learn::arch::initial_parameters;
use thalweg_learn::init::Init;

use super::model;

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
    assert_eq!(
        describe(json!({"kind": "lstm", "embedding": 8}), &[64], 27),
        "lstm 64 of 27 tokens, embedding 8, units 32, depth 1"
    );
    let dropping =
        json!({"kind": "gpt", "embedding_dropout": 0.1, "attention_dropout": 0.0, "residual_dropout": 0.25});
    assert_eq!(
        describe(dropping, &[64], 27),
        "gpt 64 of 27 tokens, width 32, depth 2, heads 4, mlp 128, embedding dropout 0.1, residual dropout 0.25"
    );
    let dropping = json!({"kind": "vit", "dropout": 0.1, "attention_dropout": 0.2});
    assert_eq!(
        describe(dropping, &[1, 8, 8], 10),
        "vit 1×8×8-10 patch 2, width 32, depth 2, heads 4, mlp 64, dropout 0.1, attention dropout 0.2"
    );
    let dropping = json!({"kind": "lstm", "depth": 2, "dropout": 0.3});
    assert_eq!(describe(dropping, &[1, 8, 8], 10), "lstm 1×8×8-10 units 32, depth 2, dropout 0.3");
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
