//! CIFAR's Python version: pickles of a dictionary with an array and lists of labels, read without running any of them.

use std::path::Path;

use super::{DataError, Place};
use crate::pickle::{Id, Node, Pickle};

/// Pixels of an image: red row by row, then green, then blue.
const PIXELS: usize = 3 * 32 * 32;

/// So many images: their pixels, and for each of `lists` (a key, and the number of classes) its labels.
pub(super) fn read(
    bytes: &[u8],
    path: &Path,
    images: usize,
    lists: &[(&str, usize)],
) -> Result<(Vec<u8>, Vec<Vec<i32>>), DataError> {
    let fail = |found: String| DataError::Pickle { path: path.to_path_buf(), found };
    let pickle = Pickle::read(bytes).map_err(|error| fail(error.to_string()))?;
    let root = pickle.root();
    let pairs = pickle
        .pairs(root)
        .ok_or_else(|| fail(format!("{} in place of a dictionary", pickle.describe(root))))?;
    let value = |key: &str| {
        let pair = pairs.iter().find(|[own, _]| pickle.text(*own) == Some(key));
        pair.map(|[_, value]| *value).ok_or_else(|| fail(format!("no {key:?} in the dictionary")))
    };
    let data = value("data")?;
    let pixels = array(&pickle, data, images).map_err(fail)?.to_vec();
    let mut labels = Vec::with_capacity(lists.len());
    for &(key, classes) in lists {
        let list = value(key)?;
        let elements = pickle.elements(list).filter(|elements| elements.len() == images);
        let elements = elements
            .ok_or_else(|| fail(format!("{} for {key:?}, not a list of {images}", pickle.describe(list))))?;
        let mut own = Vec::with_capacity(images);
        for (example, &element) in elements.iter().enumerate() {
            let found = pickle
                .int(element)
                .ok_or_else(|| fail(format!("{} among {key:?}, not a label", pickle.describe(element))))?;
            match i32::try_from(found) {
                Ok(label) if usize::try_from(found).is_ok_and(|found| found < classes) => own.push(label),
                _ => {
                    let data = format!("{} {key}", path.display());
                    return Err(DataError::Label { place: Place::Example { data, example }, classes, found });
                }
            }
        }
        labels.push(own);
    }
    Ok((pixels, labels))
}

/// The bytes of an array of NumPy's of shape `[images, PIXELS]`: a call of `_reconstruct`, whose state is `(version, shape, dtype,
/// is_fortran, bytes)`.
fn array(pickle: &Pickle, id: Id, images: usize) -> Result<&[u8], String> {
    let no_array = || format!("{} for \"data\", not an array of NumPy's", pickle.describe(id));
    let reconstruct = pickle.call(id).filter(|((module, name), _)| {
        ["numpy.core.multiarray", "numpy._core.multiarray"].contains(module) && *name == "_reconstruct"
    });
    let (Some(_), Node::Call { state: Some(state), .. }) = (reconstruct, pickle.node(id)) else {
        return Err(no_array());
    };
    let Some([_, shape, dtype, is_fortran, bytes]) = pickle.elements(*state) else { return Err(no_array()) };
    let is_bytes = pickle.call(*dtype).is_some_and(|(function, arguments)| {
        function == ("numpy", "dtype")
            && arguments.first().is_some_and(|&name| pickle.text(name) == Some("u1"))
    });
    let shape: Option<Vec<i64>> =
        pickle.elements(*shape).and_then(|axes| axes.iter().map(|&axis| pickle.int(axis)).collect());
    let in_order = matches!(pickle.node(*is_fortran), Node::Bool(false) | Node::Int(0));
    match (pickle.node(*bytes), shape) {
        (Node::Bytes(bytes), Some(shape))
            if is_bytes
                && in_order
                && shape == [images as i64, PIXELS as i64]
                && bytes.len() == images * PIXELS =>
        {
            Ok(bytes)
        }
        (_, shape) => Err(format!(
            "an array of shape {shape:?} that is not the u1 array [{images}, {PIXELS}] row by row"
        )),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [b"U", &[text.len() as u8][..], text.as_bytes()].concat()
    }

    fn int(number: i32) -> Vec<u8> {
        [b"J", &number.to_le_bytes()[..]].concat()
    }

    /// As Python 2's cPickle wrote them: protocol 2, texts as bytes.
    pub(in crate::data) fn file(shape: [i32; 2], pixels: &[u8], lists: &[(&str, &[i32])]) -> Vec<u8> {
        let dtype = [b"cnumpy\ndtype\n".to_vec(), text("u1"), b"K\x00K\x01\x87R".to_vec()].concat();
        let state = [
            b"(K\x01".to_vec(),
            [int(shape[0]), int(shape[1]), b"\x86".to_vec()].concat(),
            dtype,
            b"\x89T".to_vec(),
            u32::try_from(pixels.len()).unwrap().to_le_bytes().to_vec(),
            pixels.to_vec(),
            b"tb".to_vec(),
        ];
        let array = [
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85".to_vec(),
            text("b"),
            b"\x87R".to_vec(),
            state.concat(),
        ];
        let mut entries = vec![[text("data"), array.concat(), b"s".to_vec()].concat()];
        for (key, labels) in lists {
            let labels: Vec<u8> = labels.iter().flat_map(|&label| int(label)).collect();
            entries.push([text(key), b"](".to_vec(), labels, b"es".to_vec()].concat());
        }
        [b"\x80\x02}".to_vec(), entries.concat(), b".".to_vec()].concat()
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes, Path::new("batch"), 2, &[("labels", 10)]).unwrap_err().to_string()
    }

    #[test]
    fn arrays_and_lists_are_read() {
        let pixels: Vec<u8> = (0..2 * PIXELS).map(|i| (i % 251) as u8).collect();
        let bytes = file([2, 3072], &pixels, &[("fine_labels", &[99, 0]), ("coarse_labels", &[3, 19])]);
        let lists = [("coarse_labels", 20), ("fine_labels", 100)];
        let (found, labels) = read(&bytes, Path::new("train"), 2, &lists).unwrap();
        assert_eq!((found, labels), (pixels, vec![vec![3, 19], vec![99, 0]]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let pixels = vec![0; 2 * PIXELS];
        let good = file([2, 3072], &pixels, &[("labels", &[1, 9])]);
        assert!(read(&good, Path::new("batch"), 2, &[("labels", 10)]).is_ok());
        assert!(refused(&good[..5000]).starts_with("batch: expected CIFAR's Python version, found"));
        assert!(
            refused(b"cos\nsystem\nU\x02ls\x85R.").contains("a call of os.system in place of a dictionary")
        );
        assert!(refused(&file([2, 3072], &pixels, &[])).contains("no \"labels\" in the dictionary"));
        assert!(
            refused(&file([2, 3072], &pixels, &[("labels", &[1])])).contains("a list of 1 for \"labels\"")
        );
        assert!(refused(&file([1, 3072], &pixels, &[("labels", &[1, 2])])).contains("an array of shape"));
        assert!(
            refused(&file([2, 3072], &pixels[1..], &[("labels", &[1, 2])])).contains("an array of shape")
        );
        assert_eq!(
            refused(&file([2, 3072], &pixels, &[("labels", &[1, 10])])),
            "batch labels, example 1: expected a label from 0 to 9, found 10"
        );
        assert!(refused(&file([2, 3072], &pixels, &[("labels", &[1, -1])])).contains("found -1"));
    }

    /// Not a byte of memory for a promise.
    #[test]
    fn hostile_sizes_are_refused() {
        let pixels = vec![0; 2 * PIXELS];
        let good = file([2, 3072], &pixels, &[("labels", &[1, 9])]);
        assert!(refused(&file([i32::MAX; 2], &pixels, &[("labels", &[1, 9])])).contains("an array of shape"));
        assert!(refused(&file([-2, -3072], &pixels, &[("labels", &[1, 9])])).contains("an array of shape"));
        // The length in front of the pixels.
        let length = u32::try_from(pixels.len()).unwrap().to_le_bytes();
        let at = good.windows(5).position(|bytes| bytes[0] == b'T' && bytes[1..] == length).unwrap() + 1;
        for promise in [u32::MAX, i32::MAX as u32, 0] {
            let mut hostile = good.clone();
            hostile[at..at + 4].copy_from_slice(&promise.to_le_bytes());
            assert!(
                refused(&hostile).starts_with("batch: expected CIFAR's Python version, found"),
                "{promise}"
            );
        }
    }
}
