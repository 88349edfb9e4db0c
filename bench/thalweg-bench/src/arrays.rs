//! Arrays in a plain file: one after the other, row-major, in the machine's byte order, four bytes an element.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// What a work is done on.
pub(crate) trait Operands {
    /// What another engine must know beside the arrays: an object.
    fn describe(&self) -> Value;
    /// The arrays.
    fn arrays(&self) -> Vec<Array<'_>>;
}

/// An array that goes into the file.
pub(crate) struct Array<'a> {
    /// What it is.
    pub(crate) name: &'static str,
    /// Its axes.
    pub(crate) shape: Vec<usize>,
    /// Its elements.
    pub(crate) elements: Elements<'a>,
}

/// Row-major elements.
pub(crate) enum Elements<'a> {
    /// Real numbers.
    Real(&'a [f32]),
    /// Indices.
    Index(&'a [i32]),
}

/// An array of real numbers.
pub(crate) fn real<'a>(name: &'static str, shape: Vec<usize>, elements: &'a [f32]) -> Array<'a> {
    Array { name, shape, elements: Elements::Real(elements) }
}

/// Writes the arrays and says of each name, dtype (`"float32"` or `"int32"`), shape, offset in bytes.
pub(crate) fn write(path: &Path, arrays: &[Array<'_>]) -> io::Result<Value> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut places = Vec::new();
    for Array { name, shape, elements } in arrays {
        let offset = bytes.len();
        let dtype = match elements {
            Elements::Real(values) => {
                bytes.extend(values.iter().flat_map(|x| x.to_ne_bytes()));
                "float32"
            }
            Elements::Index(values) => {
                bytes.extend(values.iter().flat_map(|i| i.to_ne_bytes()));
                "int32"
            }
        };
        let expected = 4 * shape.iter().product::<usize>();
        assert_eq!(bytes.len() - offset, expected, "bytes of {name} with shape {shape:?}");
        places.push(json!({"name": name, "dtype": dtype, "shape": shape, "offset": offset}));
    }
    std::fs::write(path, bytes)?;
    Ok(places.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_lie_where_the_answer_says() {
        let path = std::env::temp_dir().join(format!("thalweg-bench-arrays-{}", std::process::id()));
        let (real, index) = ([1.0, -2.5, 3.0, 0.1], [7, -1]);
        let arrays = [
            Array { name: "a", shape: vec![2, 2], elements: Elements::Real(&real) },
            Array { name: "b", shape: vec![2], elements: Elements::Index(&index) },
        ];
        let answer = write(&path, &arrays).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            answer,
            json!([
                {"name": "a", "dtype": "float32", "shape": [2, 2], "offset": 0},
                {"name": "b", "dtype": "int32", "shape": [2], "offset": 16},
            ])
        );
        let words: Vec<[u8; 4]> = bytes.chunks(4).map(|word| word.try_into().unwrap()).collect();
        assert_eq!(words[..4].iter().map(|&word| f32::from_ne_bytes(word)).collect::<Vec<_>>(), real);
        assert_eq!(words[4..].iter().map(|&word| i32::from_ne_bytes(word)).collect::<Vec<_>>(), index);
    }
}
