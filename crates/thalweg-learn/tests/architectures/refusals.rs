//! What does not fit is refused with its place.

use serde_json::json;
use thalweg_learn::arch::ModelConfig;

use super::{layers, model};

fn refused(model: &ModelConfig, input: &[usize], outputs: usize) -> String {
    match model.build(input, outputs) {
        Ok(network) => panic!("{} was built", network.describe()),
        Err(error) => error.to_string(),
    }
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
        "model: expected a depth of 6n + 4 for a number n of blocks from 1 on, at most 1000, found 20"
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
            "layer 1 (`instancenorm`): expected more than 1 number in what is normed together, or all is normed to 0, \
             found 1×1×1",
        ),
        (
            json!(["flatten", "linear 6", "groupnorm 6", "linear 10"]),
            "layer 2 (`groupnorm 6`): expected more than 1 number in what is normed together, or all is normed to 0, found 6",
        ),
        (
            json!(["flatten", "linear 1", "layernorm", "linear 10"]),
            "layer 2 (`layernorm`): expected more than 1 number in what is normed together, or all is normed to 0, found 1",
        ),
        (
            json!(["dropout 1.5", "flatten", "linear 10"]),
            "layer 0 (`dropout 1.5`): expected a probability from 0 to below 1, found 1.5",
        ),
        (
            json!(["flatten", "linear 10", "dropout 1"]),
            "layer 2 (`dropout 1`): expected a probability from 0 to below 1, found 1",
        ),
        (
            json!([{"residual": ["dropout -0.1"]}]),
            "layer 0.body.0 (`dropout -0.1`): expected a probability from 0 to below 1, found -0.1",
        ),
        (
            json!(["dropout nan"]),
            "layer 0 (`dropout NaN`): expected a probability from 0 to below 1, found NaN",
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
        (
            json!({"kind": "rnn", "embedding": 4}),
            &[1, 8, 8],
            "a sequence of tokens for an embedding, found an image of 1×8×8",
        ),
        (json!({"kind": "lstm", "embedding": 0}), &[64], "embedding from 1 to 16384, found 0"),
        (json!({"kind": "lstm", "units": 0}), &[1, 8, 8], "units from 1 to 16384, found 0"),
        (
            json!({"kind": "vit", "dropout": 1.0}),
            &[1, 8, 8],
            "dropout to be a probability from 0 to below 1, found 1",
        ),
        (
            json!({"kind": "vit", "attention_dropout": -0.5}),
            &[1, 8, 8],
            "attention_dropout to be a probability from 0 to below 1, found -0.5",
        ),
        (
            json!({"kind": "gpt", "residual_dropout": 1.5}),
            &[64],
            "residual_dropout to be a probability from 0 to below 1, found 1.5",
        ),
        (
            json!({"kind": "wide_resnet", "dropout": 2.0}),
            &[1, 8, 8],
            "dropout to be a probability from 0 to below 1, found 2",
        ),
        (
            json!({"kind": "lstm", "dropout": 0.5}),
            &[1, 8, 8],
            "a depth of at least 2 for dropout, which stands between layers, found 1",
        ),
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
    // Probabilities that came later are written only where they are given: what was a configuration before is the same one.
    for (text, written) in [
        (r#"{"kind":"lstm"}"#, r#"{"kind":"lstm","units":32,"depth":1,"init":{"kind":"torch"}}"#),
        (
            r#"{"kind":"vit","dropout":0.0}"#,
            r#"{"kind":"vit","patch_size":2,"width":32,"depth":2,"heads":4,"mlp_width":64,"dropout":0.0,"init":{"kind":"lecun","distribution":"normal"}}"#,
        ),
        (
            r#"{"kind":"gpt"}"#,
            r#"{"kind":"gpt","width":32,"depth":2,"heads":4,"mlp_width":128,"init":{"kind":"lecun","distribution":"normal"}}"#,
        ),
        (
            r#"{"kind":"wide_resnet"}"#,
            r#"{"kind":"wide_resnet","depth":28,"widen":10,"norm":"batch","groups":8,"activation":"relu","init":{"kind":"he","distribution":"normal"}}"#,
        ),
    ] {
        let config: ModelConfig = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&config).unwrap(), written);
    }
    for (text, expected) in [
        (r#"{"kind":"layers"}"#, "missing field `layers`"),
        (r#"{"kind":"layers","layers":[3]}"#, "expected a layer in words, such as \"conv 16 3x3\""),
        (r#"{"kind":"layers","layers":[{"residul":[]}]}"#, "unknown field `residul`"),
        (
            r#"{"kind":"layers","layers":["relu",{"shortcut":["conv 2 1x1"]}]}"#,
            "expected a layer { residual = [...] }, found a table with a shortcut [\"conv 2 1x1\"] alone",
        ),
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
