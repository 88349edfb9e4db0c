use super::*;
use crate::optim::{Adam, GradientFlow, Lbfgs, Probe, Sgd};

fn origin() -> &'static Path {
    Path::new("run/x.safetensors")
}

fn leaf<T: Real>(name: &str, shape: &[usize], first: f64) -> Leaf<T> {
    let values = (0..shape.iter().product()).map(|i| T::from_f64(first + i as f64 / 3.0)).collect();
    Leaf { name: name.to_owned(), shape: shape.to_vec(), values }
}

/// Two layers in an order that is not that of their names, a buffer, and an optimiser two steps on.
fn sample<T: Stored>(optimiser: Optimiser) -> Checkpoint<T> {
    let leaves: Vec<Leaf<T>> = vec![
        leaf("layers.10.weight", &[3, 2], 1.0),
        leaf("layers.10.bias", &[3], -4.0),
        leaf("layers.2.weight", &[1, 3], 0.5),
    ];
    let mut theta: Vec<T> = leaves.iter().flat_map(|leaf| leaf.values.clone()).collect();
    let gradient = theta.clone();
    let mut state = OptimiserState::new(optimiser, 12).unwrap();
    for _ in 0..2 {
        if optimiser.chooses_points() {
            // Of ½‖θ‖², whose gradient is θ.
            let look = |x: &[T]| {
                let loss = 0.5 * x.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>();
                Probe { loss, gradient: x.to_vec(), beside: () }
            };
            let here = look(&theta);
            state.step_along(&mut theta, here, 0.1, &mut |x: &[T]| look(x)).unwrap();
        } else {
            state.step(&mut theta, &gradient, 0.1);
        }
    }
    Checkpoint {
        step: u64::MAX,
        epoch: 3,
        seed: 17,
        architecture: r#"{"kind": "mlp", "widths": [2, 3, 1]}"#.to_owned(),
        leaves,
        buffers: vec![leaf("norm.running_mean", &[3], 0.25), leaf("norm.count", &[], 7.0)],
        optimiser: Some(state),
    }
}

fn adam() -> Optimiser {
    Optimiser::Adam(Adam::default())
}

/// Names and shapes of a network's leaves.
type Leaves = Vec<(String, Vec<usize>)>;

fn expected() -> Leaves {
    [("layers.10.weight", vec![3, 2]), ("layers.10.bias", vec![3]), ("layers.2.weight", vec![1, 3])]
        .map(|(name, shape)| (name.to_owned(), shape))
        .to_vec()
}

/// A file of that header (padded as the format asks) and that data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut header = header.to_owned();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn round_trip<T: Stored>() {
    let momentum = Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
    let lbfgs = Optimiser::Lbfgs(Lbfgs { history: 2, ..Lbfgs::default() });
    let flow = Optimiser::GradientFlow(GradientFlow::default());
    for optimiser in [adam(), momentum, Optimiser::Sgd(Sgd::default()), lbfgs, flow] {
        let checkpoint = sample::<T>(optimiser);
        let state = checkpoint.optimiser.as_ref().unwrap();
        // What is kept is not what a state begins with.
        assert!(state.slots().iter().all(|slot| slot.values.iter().any(|&x| x != T::ZERO)));
        assert!(state.numbers().iter().all(|number| number.value != 0.0));
        let bytes = checkpoint.to_bytes().unwrap();
        assert_eq!(Checkpoint::from_bytes(&bytes, origin()).unwrap(), checkpoint);
        for _ in 0..5 {
            assert_eq!(checkpoint.to_bytes().unwrap(), bytes);
        }
    }
    let bare = Checkpoint::<T> { optimiser: None, buffers: vec![], ..sample(adam()) };
    assert_eq!(Checkpoint::from_bytes(&bare.to_bytes().unwrap(), origin()).unwrap(), bare);
    assert_eq!(bare.theta().len(), 12);
}

#[test]
fn checkpoints_read_back() {
    round_trip::<f32>();
    round_trip::<f64>();
}

#[test]
fn every_bit_pattern_survives() {
    // A signalling NaN with a payload, infinities, −0, the least subnormal.
    let bits = [0x7f80_0001u32, 0xffc0_1234, 0x7f80_0000, 0xff80_0000, 0x8000_0000, 1];
    let values: Vec<f32> = bits.iter().map(|&b| f32::from_bits(b)).collect();
    let checkpoint = Checkpoint {
        leaves: vec![Leaf { name: "w".into(), shape: vec![6], values }],
        optimiser: None,
        ..sample(adam())
    };
    let back = Checkpoint::<f32>::from_bytes(&checkpoint.to_bytes().unwrap(), origin()).unwrap();
    assert_eq!(back.leaves[0].values.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), bits);
}

#[test]
fn files_open_as_plain_safetensors() {
    let bytes = sample::<f32>(adam()).to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort_unstable();
    let slots = ["exp_avg", "exp_avg_sq"]
        .into_iter()
        .flat_map(|slot| expected().into_iter().map(move |(leaf, _)| format!("optimiser.{slot}.{leaf}")));
    let mut all: Vec<String> = slots.chain(expected().into_iter().map(|(name, _)| name)).collect();
    all.extend(["norm.count".to_owned(), "norm.running_mean".to_owned()]);
    all.sort_unstable();
    assert_eq!(names, all);
    let weight = file.tensor("layers.10.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (safetensors::Dtype::F32, &[3, 2][..]));
    assert_eq!(weight.data()[..8], [1f32.to_le_bytes(), (1f32 + 1.0 / 3.0).to_le_bytes()].concat());
    // The data begins at a multiple of eight, so that readers can map it.
    assert_eq!(u64::from_le_bytes(*bytes.first_chunk().unwrap()) % 8, 0);
}

#[test]
fn descriptions_need_no_precision() {
    let description = describe(&sample::<f64>(adam()).to_bytes().unwrap(), origin()).unwrap();
    assert_eq!((description.dtype.as_str(), description.format, description.seed), ("f64", 1, 17));
    assert_eq!(description.leaves[2], "layers.2.weight");
    assert_eq!(description.optimiser, Some((adam(), 2)));
}

#[test]
fn checkpoints_of_another_network_are_refused() {
    let checkpoint = sample::<f32>(adam());
    checkpoint.check_against(&expected(), origin()).unwrap();
    let message = |change: &dyn Fn(&mut Leaves)| {
        let mut other = expected();
        change(&mut other);
        let error = checkpoint.check_against(&other, origin()).unwrap_err().to_string();
        error.strip_prefix("checkpoint run/x.safetensors is of another network: ").unwrap().to_owned()
    };
    assert_eq!(message(&|e| e[2].1 = vec![1, 5]), "leaf layers.2.weight has shape [1, 3], expected [1, 5]");
    assert_eq!(message(&|e| e[0].1 = vec![2, 3]), "leaf layers.10.weight has shape [3, 2], expected [2, 3]");
    assert_eq!(
        message(&|e| e.push(("layers.2.bias".into(), vec![1]))),
        "expected leaf layers.2.bias of shape [1], found none of that name"
    );
    assert_eq!(
        message(&|e| drop(e.remove(1))),
        "found leaf layers.10.bias of shape [3], expected none of that name"
    );
    assert_eq!(message(&|e| e.swap(0, 1)), "expected leaf layers.10.bias next, found layers.10.weight");
}

#[test]
fn foreign_state_dicts_are_arranged() {
    let header = r#"{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}"#;
    let data: Vec<u8> = [1f32, 2.0, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let arrays = read_arrays::<f32>(&file(header, &data), origin()).unwrap();
    assert_eq!(arrays.iter().map(|leaf| leaf.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    let network = [("a".to_owned(), vec![1, 1]), ("b".to_owned(), vec![2])];
    let leaves = arrange(arrays, &network, origin()).unwrap();
    assert_eq!(leaves.iter().flat_map(|leaf| leaf.values.clone()).collect::<Vec<_>>(), [3.0, 1.0, 2.0]);
    assert!(matches!(arrange(leaves, &network[..1], origin()), Err(CheckpointError::Unexpected { .. })));
    let error = Checkpoint::<f32>::from_bytes(&file(header, &data), origin()).unwrap_err();
    assert!(
        error.to_string().ends_with(r#"metadata entry "thalweg" that describes it, found none"#),
        "{error}"
    );
}

#[test]
fn precisions_are_not_mixed_up() {
    let bytes = sample::<f32>(adam()).to_bytes().unwrap();
    let error = Checkpoint::<f64>::from_bytes(&bytes, origin()).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint run/x.safetensors: expected every array in f64, found f32");
    let half = file(r#"{"w":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#, &[0, 0]);
    let error = read_arrays::<f32>(&half, origin()).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint run/x.safetensors: expected w in F32, found F16");
    let single = leaf::<f32>("w", &[4], 0.1);
    assert_eq!(single.cast::<f64>().values[0], f64::from(0.1f32));
    assert_eq!(single.cast::<f64>().cast::<f32>(), single);
}

#[test]
fn unreadable_checkpoints_are_not_written() {
    let message = |change: &dyn Fn(&mut Checkpoint<f32>)| {
        let mut checkpoint = sample::<f32>(adam());
        change(&mut checkpoint);
        checkpoint.to_bytes().unwrap_err().to_string()
    };
    assert_eq!(
        message(&|c| c.leaves[0].values.truncate(5)),
        "checkpoint: expected layers.10.weight of shape [3, 2] to have 6 values, found 5"
    );
    assert_eq!(
        message(&|c| c.buffers[0].name = "layers.10.bias".into()),
        r#"checkpoint: two arrays have one name: "layers.10.bias""#
    );
    assert!(message(&|c| c.buffers[0].name = "optimiser.x".into()).contains("must not begin"));
    assert!(message(&|c| c.buffers[0].name = "__metadata__".into()).contains("belongs to the format"));
    assert_eq!(
        message(&|c| drop(c.leaves.pop())),
        "checkpoint: expected the optimiser's state for 9 parameters, found it for 12"
    );
}

#[test]
fn files_cut_off_anywhere_are_refused() {
    let bytes = sample::<f32>(adam()).to_bytes().unwrap();
    for length in 0..bytes.len() {
        let error = Checkpoint::<f32>::from_bytes(&bytes[..length], origin()).unwrap_err();
        assert!(matches!(error, CheckpointError::Truncated { .. }), "{length}: {error}");
    }
    let error = Checkpoint::<f32>::from_bytes(&[&bytes[..], &[0]].concat(), origin()).unwrap_err();
    assert!(matches!(error, CheckpointError::Surplus { .. }), "{error}");
}

#[test]
fn damaged_headers_never_panic() {
    let bytes = sample::<f32>(adam()).to_bytes().unwrap();
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let (mut read, mut refused) = (0, 0);
    for at in 0..header {
        for flip in [1, 2, 4, 0x10, 0x20, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            // Some flips make another good file (a digit of the seed): such a one can be written again.
            match Checkpoint::<f32>::from_bytes(&damaged, origin()) {
                Ok(checkpoint) => {
                    checkpoint.to_bytes().unwrap();
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 20 * read, "{refused} refused, {read} read");
}

#[test]
fn hostile_headers_are_refused() {
    let refuse = |header: &str| read_arrays::<f32>(&file(header, &[0; 16]), origin()).unwrap_err();
    let huge = u64::MAX;
    for length in [u64::MAX, u64::MAX - 8, 1 << 62, 1 << 40, 100] {
        let bytes = [&length.to_le_bytes()[..], &[b'{'; 50]].concat();
        let error = read_arrays::<f32>(&bytes, origin()).unwrap_err();
        assert!(matches!(error, CheckpointError::Truncated { .. }), "{error}");
    }
    for header in [
        "".to_owned(),
        "[]".to_owned(),
        "[".repeat(100_000),
        r#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}}"#.to_owned(),
        r#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}"#.to_owned(),
        r#"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,16]}}"#.to_owned(),
        r#"{"w":{"dtype":"F99","shape":[4],"data_offsets":[0,16]}}"#.to_owned(),
        r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#.to_owned(),
        format!(r#"{{"w":{{"dtype":"F32","shape":[{huge},{huge}],"data_offsets":[0,16]}}}}"#),
        format!(r#"{{"w":{{"dtype":"U8","shape":[{huge}],"data_offsets":[0,{huge}]}}}}"#),
    ] {
        let error = refuse(&header);
        assert!(matches!(error, CheckpointError::Header { .. }), "{error}");
    }
    // Eight arrays of 2⁶¹ − 1 bytes each: every one passes for itself, and their end is near 2⁶⁴.
    let size = (1u64 << 61) - 1;
    let entries: Vec<String> = (0..8u64)
        .map(|i| {
            let (start, end) = (i * size, (i + 1) * size);
            format!(r#""w{i}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    let error = refuse(&format!("{{{}}}", entries.join(",")));
    assert!(matches!(error, CheckpointError::Truncated { .. }), "{error}");
}

#[test]
fn descriptions_and_arrays_must_agree() {
    let base = r#""format":1,"dtype":"f32","step":0,"epoch":0,"seed":0,"architecture":"","#;
    let read = |description: &str| {
        let description = serde_json::to_string(description).unwrap();
        let w = r#""w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
        let header = format!(r#"{{"__metadata__":{{"thalweg":{description}}},{w}}}"#);
        Checkpoint::<f32>::from_bytes(&file(&header, &[0; 4]), origin())
    };
    let message = |rest: &str| {
        let error = read(&format!("{{{base}{rest}}}")).unwrap_err().to_string();
        error.strip_prefix("checkpoint run/x.safetensors: ").unwrap().to_owned()
    };
    assert!(read(&format!(r#"{{{base}"leaves":["w"],"buffers":[],"optimiser":null}}"#)).is_ok());
    assert_eq!(
        message(r#""leaves":[],"buffers":[],"optimiser":null"#),
        "array w: it is there but nothing describes it"
    );
    assert_eq!(
        message(r#""leaves":["w"],"buffers":["w"],"optimiser":null"#),
        "array w: it is described but not there"
    );
    assert_eq!(
        message(r#""leaves":["w"],"buffers":[],"optimiser":[{"kind":"adam"},1]"#),
        "array optimiser.exp_avg.w: it is described but not there"
    );
    assert_eq!(
        message(r#""leaves":["w"],"buffers":[],"optimiser":[{"kind":"sgd","weight_decay":-1.0},1]"#),
        "optimiser sgd: expected weight_decay to be at least 0, found -1"
    );
    assert!(
        message(
            r#""leaves":["w"],"buffers":[],"optimiser":[{"kind":"lbfgs","history":18446744073709551615},1]"#
        )
        .starts_with("optimiser lbfgs: expected history to be from 1 to 100, found")
    );
    assert_eq!(
        message(r#""leaves":["w"],"buffers":[],"optimiser":[{"kind":"gradient_flow"},1]"#),
        r#"optimiser gradient_flow: expected the numbers ["substep", "error"], each finite and at least 0, found []"#
    );
    assert_eq!(
        message(r#""leaves":["w"],"buffers":[],"optimiser":null,"optimiser_numbers":[["substep",1.0]]"#),
        "array optimiser_numbers: there is no optimiser that they are of"
    );
    assert!(
        message(r#""leaves":["w"],"buffers":[],"optimiser":null,"more":1"#).contains("unknown field `more`")
    );
    let error = read(r#"{"format":2,"anything":true}"#).unwrap_err().to_string();
    assert_eq!(error, "checkpoint run/x.safetensors: expected format 1, found 2");
    assert!(read("{}").unwrap_err().to_string().ends_with("found one without a format version"));
    assert!(read("nonsense").is_err());
}
