use std::io::Write as _;
use std::process::Command;

use super::npz::{array_of_npy, arrays_of_npz, npy_bytes, npz_bytes};
use super::{Array, Data};

fn samples() -> Vec<(&'static str, Array)> {
    vec![
        ("surface", Array::new([2, 3], vec![0.0, -0.5, f64::NAN, f64::INFINITY, 1e-300, 0.1])),
        ("theta", Array::new([4], vec![1.0f32, 2.5, -3.0, f32::MIN_POSITIVE])),
        ("counts", Array::new([1, 2, 1], vec![i64::MIN, i64::MAX])),
        ("scalar", Array::new([], vec![0.25])),
        ("empty", Array::new([0, 3], Vec::<f64>::new())),
    ]
}

/// Written in NumPy's documentation of the format: magic, version, length, padding to 64, newline last.
#[test]
fn an_npy_header_is_what_numpy_specifies() {
    let bytes = npy_bytes(&Array::new([2, 3], vec![0.5; 6]));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert_eq!(header.trim_end(), "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }");
    assert!(header.ends_with(" \n"));
    assert_eq!(&bytes[10 + length..], [0.5f64.to_le_bytes(); 6].concat());
    let shape_of = |array: &Array| {
        let text = String::from_utf8_lossy(&npy_bytes(array)).into_owned();
        text.split_once("'shape': ").unwrap().1.split_once(", }").unwrap().0.to_owned()
    };
    assert_eq!(shape_of(&Array::new([4], vec![0i64; 4])), "(4,)");
    assert_eq!(shape_of(&Array::new([], vec![0i64])), "()");
    assert_eq!(shape_of(&Array::new([1, 2, 3], vec![0i64; 6])), "(1, 2, 3)");
}

#[test]
fn arrays_come_back_to_the_bit() {
    let bytes = npz_bytes("a.npz", &samples()).unwrap();
    assert_eq!(bytes, npz_bytes("a.npz", &samples()).unwrap(), "equal arrays give equal bytes");
    let back = arrays_of_npz("a.npz".as_ref(), &bytes).unwrap();
    assert_eq!(back.len(), samples().len());
    for ((key, expected), (found_key, found)) in samples().iter().zip(&back) {
        assert_eq!(key, found_key);
        assert_eq!(expected.shape(), found.shape());
        // As bytes, since NaN differs from itself.
        assert_eq!(npy_bytes(expected), npy_bytes(found));
    }
}

/// NumPy, where it is installed, is the judge of what NumPy can read.
#[test]
fn numpy_reads_what_we_write() {
    let has_numpy = Command::new("python3").args(["-c", "import numpy"]).output();
    if !has_numpy.is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "no NumPy here: only the header's text is checked");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    std::fs::write(&path, npz_bytes("a.npz", &samples()).unwrap()).unwrap();
    let program = "
import sys, numpy as np
a = np.load(sys.argv[1], allow_pickle=False)
assert list(a) == ['surface', 'theta', 'counts', 'scalar', 'empty'], list(a)
s = a['surface']
assert s.shape == (2, 3) and s.dtype == np.float64 and np.isnan(s[0, 2]) and s[1, 0] == np.inf and s[1, 1] == 1e-300
assert a['theta'].dtype == np.float32 and a['theta'].tolist()[:3] == [1.0, 2.5, -3.0]
assert a['counts'].shape == (1, 2, 1) and a['counts'].ravel().tolist() == [-2**63, 2**63 - 1]
assert a['scalar'].shape == () and a['scalar'] == 0.25 and a['empty'].shape == (0, 3)
np.savez(sys.argv[2], x=np.arange(6.0).reshape(2, 3), n=np.array([1, 2]))
";
    let theirs = folder.path().join("b.npz");
    let output = Command::new("python3").arg("-c").arg(program).args([&path, &theirs]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let back = arrays_of_npz(&theirs, &std::fs::read(&theirs).unwrap()).unwrap();
    let expected = Array::new([2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(back, [("x".to_owned(), expected), ("n".to_owned(), Array::new([2], vec![1i64, 2]))]);
}

#[test]
fn damaged_npy_says_how() {
    let good = npy_bytes(&Array::new([3], vec![1.0, 2.0, 3.0]));
    let fault = |bytes: &[u8]| array_of_npy(bytes).unwrap_err();
    assert_eq!(fault(b"PK"), "it does not begin as an npy file does");
    assert_eq!(fault(&good[..40]), "it ends within its header");
    assert_eq!(fault(&good[..good.len() - 1]), "a shape of [3] and 23 bytes of <f8 do not fit");
    let with = |from: &str, to: &str| {
        let mut bytes = good.clone();
        let at = good.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    assert_eq!(fault(&with("<f8", ">f8")), "expected elements <f8, <f4 or <i8, found \">f8\"");
    assert_eq!(fault(&with("False", "True ")), "expected row-major order, found column-major");
    assert!(fault(&with("(3,)", "(x,)")).contains("the extent \"x\""));
    // A product that overflows is no reason to allocate.
    let huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 8), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((huge.len() as u16).to_le_bytes());
    bytes.extend(huge);
    assert!(fault(&bytes).contains("do not fit"));
}

#[test]
fn every_cut_of_an_npz_is_an_error() {
    let bytes = npz_bytes("a.npz", &samples()).unwrap();
    for length in 0..bytes.len() {
        let error = arrays_of_npz("a.npz".as_ref(), &bytes[..length]).unwrap_err().to_string();
        assert!(error.starts_with("a.npz cannot be read as npz: "), "{error}");
    }
}

#[test]
fn keys_are_plain_and_unique() {
    let array = || Array::new([1], vec![1.0]);
    let error = npz_bytes("a.npz", &[("x", array()), ("x", array())]).unwrap_err().to_string();
    assert_eq!(error, "a.npz cannot be written: there are two arrays \"x\"");
    assert!(npz_bytes("a.npz", &[("../x", array())]).is_err());
}

#[test]
#[should_panic(expected = "an array of shape [2, 2] has 4 elements")]
fn a_shape_of_another_size_is_our_bug() {
    Array::new([2, 2], Data::F64(vec![0.0; 3]));
}
