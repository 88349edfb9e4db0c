//! Pickles as Python writes them, and as nobody should.

use super::*;

fn read(bytes: &[u8]) -> Pickle {
    Pickle::read(bytes).unwrap()
}

#[test]
fn data_of_protocols_2_and_4_are_read() {
    // pickle.dumps({"a": [1, -2, 2.5, True, None], "b": (b"\x00\xff", "ß")}, protocol)
    let two: &[u8] =
        b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x88NeX\x01\x00\x00\x00bq\x03U\x02\x00\xffX\x02\x00\x00\x00\xc3\x9f\x86u.";
    let four: &[u8] = b"\x80\x04\x95\x30\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffG@\x04\x00\x00\x00\x00\x00\x00\x88Ne\x8c\x01b\x94C\x02\x00\xff\x94\x8c\x02\xc3\x9f\x94\x86\x94u.";
    for (protocol, bytes) in [(2, two), (4, four)] {
        let pickle = read(bytes);
        let pairs = pickle.pairs(pickle.root()).unwrap();
        let names: Vec<_> = pairs.iter().map(|pair| pickle.text(pair[0]).unwrap()).collect();
        assert_eq!(names, ["a", "b"], "protocol {protocol}");
        let list: Vec<Node> =
            pickle.elements(pairs[0][1]).unwrap().iter().map(|&id| pickle.node(id).clone()).collect();
        let expected = [Node::Int(1), Node::Int(-2), Node::Float(2.5), Node::Bool(true), Node::None];
        assert_eq!(list, expected, "protocol {protocol}");
        let pair = pickle.elements(pairs[1][1]).unwrap();
        assert_eq!(*pickle.node(pair[0]), Node::Bytes(vec![0, 255]));
        assert_eq!(pickle.text(pair[1]), Some("ß"));
    }
}

#[test]
fn a_call_is_only_noted_down() {
    let temporary = std::env::temp_dir().join("thalweg-pickle-was-executed");
    let text = format!("cos\nsystem\n(S'touch {}'\ntR.", temporary.display());
    // `S`, a text in Python's own spelling, is of protocol 0 alone and not read.
    assert!(Pickle::read(text.as_bytes()).is_err());
    let command = format!("touch {}", temporary.display());
    let length = u32::try_from(command.len()).unwrap().to_le_bytes();
    let bytes = [b"cos\nsystem\nX", &length[..], command.as_bytes(), b"\x85R."].concat();
    let pickle = read(&bytes);
    let (function, arguments) = pickle.call(pickle.root()).unwrap();
    assert_eq!((function, pickle.text(arguments[0])), (("os", "system"), Some(&command[..])));
    assert_eq!(pickle.describe(pickle.root()), "a call of os.system");
    assert!(!temporary.exists());
}

#[test]
fn ordered_dictionaries_have_their_items() {
    // collections.OrderedDict([("w", 1)]) of protocol 2, with a state.
    let bytes =
        b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00wK\x01s}X\x01\x00\x00\x00mK\x02sb.";
    let pickle = read(bytes);
    let pairs = pickle.pairs(pickle.root()).unwrap();
    assert_eq!((pairs.len(), pickle.text(pairs[0][0]), pickle.int(pairs[0][1])), (1, Some("w"), Some(1)));
}

#[test]
fn hostile_bytes_are_refused_and_allocate_nothing() {
    let error = |bytes: &[u8]| Pickle::read(bytes).unwrap_err().to_string();
    assert_eq!(error(b""), "expected a pickle of data, found 1 bytes missing at byte 0");
    assert_eq!(error(b"\x80\x09."), "expected a pickle of data, found protocol 9 at byte 2");
    assert!(error(b"B\xff\xff\xff\xffx").contains("found 4294967295 bytes missing"));
    assert!(error(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffx").contains("bytes missing"));
    for bytes in [
        &b"."[..],
        b"R.",
        b"a.",
        b"t.",
        b"NNa.",
        b"]Ns.",
        b"}(Nu.",
        b"h\x05.",
        b"g5\n.",
        b"gx\n.",
        b"Nb.",
        b"\x82\x01.",
        b"NN\x93.",
        b"\x8a\x09123456789.",
        b"X\x01\x00\x00\x00\xff.",
        b"I12",
        b"Ione\n.",
        b"(0.",
    ] {
        assert!(Pickle::read(bytes).is_err(), "{bytes:?}");
    }
    // A list in itself is what it is.
    let pickle = read(b"]q\x00h\x00a.");
    assert_eq!(pickle.elements(pickle.root()).unwrap(), [pickle.root()]);
}

#[test]
fn no_bytes_at_all_make_it_panic() {
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..24)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let instructions = b"\x80.(012NIJKMFGXTBUC)]lae}dscRbQpqrghjt\x85\x86\x87\x88\x89\x8a\x8c\x93\x94\x95\x81\x00\x01\n1";
                instructions[(state >> 33) as usize % instructions.len()]
            })
            .collect();
        if let Ok(pickle) = Pickle::read(&bytes) {
            pickle.describe(pickle.root());
        }
    }
}
