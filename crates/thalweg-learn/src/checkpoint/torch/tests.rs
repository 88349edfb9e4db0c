//! State dicts made by PyTorch, and hostile ones.

use std::io::Write as _;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn read(bytes: &[u8]) -> Result<Vec<Leaf<f64>>, String> {
    read_torch(bytes, Path::new("weights.pt")).map_err(|error| error.to_string())
}

/// An archive with these entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_by(CompressionMethod::Stored, entries)
}

fn archive_by(method: CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(format!("weights/{name}"), options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat()
}

fn numbers(numbers: &[i32]) -> Vec<u8> {
    let each = numbers.iter().flat_map(|number| [b"J", &number.to_le_bytes()[..]].concat());
    [b"(".to_vec(), each.collect(), b"t".to_vec()].concat()
}

/// The pickle of a tensor in that storage.
fn tensor(storage: &str, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        format!("ctorch\n{storage}\n").into_bytes(),
        text("0"),
        text("cpu"),
        b"K\x06tQ".to_vec(),
        [b"J", &offset.to_le_bytes()[..]].concat(),
        numbers(shape),
        numbers(strides),
        b"\x89ccollections\nOrderedDict\n)RtR".to_vec(),
    ]
    .concat()
}

fn dict(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items = entries.iter().flat_map(|(name, value)| [text(name), value.clone(), b"s".to_vec()].concat());
    [b"\x80\x02}".to_vec(), items.collect(), b".".to_vec()].concat()
}

/// An archive of that pickle and a storage of 1 to 6.
fn stored(pickle: &[u8]) -> Vec<u8> {
    let data: Vec<u8> = (1..=6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    archive(&[("data.pkl", pickle), ("byteorder", b"little"), ("data/0", &data)])
}

#[test]
fn a_file_of_pytorchs_own_is_read() {
    // `tests/reference/state_dict.py` makes it: all four precisions, a transposed view, a parameter, a count of batches.
    let bytes = include_bytes!("../../../tests/reference/state_dict.pt");
    let leaves = read(bytes).unwrap();
    let found: Vec<_> =
        leaves.iter().map(|leaf| (&leaf.name[..], &leaf.shape[..], &leaf.values[..])).collect();
    let expected: [(&str, &[usize], &[f64]); 6] = [
        ("float.weight", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ("transposed", &[3, 2], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        ("double", &[2], &[0.1, -1e300]),
        ("half", &[4], &[0.5, -2.0, 65504.0, 5.960_464_477_539_063e-8]),
        ("bfloat16", &[2], &[3.0, -0.15625]),
        ("scalar", &[], &[7.0]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_state_dict_beside_other_things_is_found() {
    let inner = &dict(&[("w", tensor("FloatStorage", 1, &[2], &[3]))])[2..];
    let nested = dict(&[("epoch", b"K\x05".to_vec()), ("state_dict", inner[..inner.len() - 1].to_vec())]);
    let leaves = read(&stored(&nested)).unwrap();
    assert_eq!((&leaves[0].name[..], &leaves[0].values[..]), ("w", &[2.0, 5.0][..]));
}

#[test]
fn what_is_no_state_dict_is_refused_and_never_run() {
    let refused = |pickle: &[u8]| read(&stored(pickle)).unwrap_err();
    let tell =
        |what: &str| format!("weights.pt: expected a state dict as torch.save writes it, found {what}");
    let evil = [b"cos\nsystem\n".to_vec(), text("touch /tmp/evil"), b"\x85R".to_vec()].concat();
    assert_eq!(refused(&dict(&[("w", evil.clone())])), tell("a call of os.system in place of a tensor at w"));
    assert_eq!(
        refused(&[evil, b".".to_vec()].concat()),
        tell("a call of os.system in place of a state dict")
    );
    assert_eq!(
        refused(&dict(&[("w", tensor("LongStorage", 0, &[2], &[1]))])),
        tell("a tensor in a torch.LongStorage, which is not of floating-point numbers at w")
    );
    for (offset, shape, strides) in [
        (0, &[7][..], &[1][..]),
        (6, &[1], &[1]),
        (0, &[2, 2], &[5, 1]),
        (0, &[1000, 1000], &[0, 0]),
        (0, &[i32::MAX, i32::MAX, i32::MAX], &[1, 1, 1]),
        (i32::MAX, &[2], &[i32::MAX]),
    ] {
        let error = refused(&dict(&[("w", tensor("FloatStorage", offset, shape, strides))]));
        assert!(error.contains("in a storage of 6 numbers"), "{error}");
    }
    for (offset, shape, strides) in
        [(-1, &[2][..], &[1][..]), (0, &[-2], &[1]), (0, &[2], &[-1]), (0, &[2, 1], &[1])]
    {
        let error = refused(&dict(&[("w", tensor("FloatStorage", offset, shape, strides))]));
        assert!(error.contains("a tensor without a shape"), "{error}");
    }
    assert!(refused(b"\x80\x02K\x05.").contains("5 in place of a state dict"));
    assert!(refused(&dict(&[("w", b"N".to_vec())])).contains("None in place of a tensor at w"));
    assert!(refused(b"\x80\x02").contains("found 1 bytes missing at byte 2 of its data.pkl"));
    let packed = archive_by(CompressionMethod::Deflated, &[("data.pkl", &dict(&[]))]);
    assert_eq!(read(&packed).unwrap_err(), tell("weights/data.pkl compressed, not stored as it is"));
    // Many names for one storage.
    let shown = |names: usize| {
        let first = [tensor("FloatStorage", 0, &[10_000], &[1]), b"q\x07".to_vec()].concat();
        let entry = |i: usize| (format!("w{i}"), if i == 0 { first.clone() } else { b"h\x07".to_vec() });
        let entries: Vec<(String, Vec<u8>)> = (0..names).map(entry).collect();
        let entries: Vec<(&str, Vec<u8>)> =
            entries.iter().map(|(name, value)| (&name[..], value.clone())).collect();
        read(&archive(&[("data.pkl", &dict(&entries)), ("data/0", &[0; 40_000])]))
    };
    assert_eq!(shown(2).unwrap()[1].values.len(), 10_000);
    assert!(shown(500).unwrap_err().contains("tensors of more than 4 numbers for each of its bytes"));
}

#[test]
fn archives_that_are_not_whole_are_refused() {
    let whole = stored(&dict(&[("w", tensor("FloatStorage", 0, &[2, 3], &[3, 1]))]));
    assert_eq!(read(&whole).unwrap()[0].values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert!(is_torch(&whole) && !is_torch(b"{}"));
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    let pickle = dict(&[("w", tensor("FloatStorage", 0, &[2], &[1]))]);
    let error = read(&archive(&[("data.pkl", &pickle)])).unwrap_err();
    assert!(error.contains("no weights/data/0"), "{error}");
    let error = read(&archive(&[("data.pkl", &pickle), ("byteorder", b"big")])).unwrap_err();
    assert!(error.contains("the byte order big"), "{error}");
    assert!(read(&archive(&[("other", b"")])).unwrap_err().contains("an archive without a data.pkl"));
}
