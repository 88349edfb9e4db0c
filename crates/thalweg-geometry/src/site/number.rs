//! Numbers in JSON: NaN and the infinities survive.
//!
//! JSON has no word for them, and serde's default writes `null`, which then does not read as a number. Here a
//! finite number is a JSON number and the others are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, which Python's
//! `float()` and JavaScript's `Number()` read, so that an absent number (`null`) and one that diverged stay apart. A
//! NaN's sign and payload are not kept. Reading back to the last bit needs serde_json's feature `float_roundtrip`.
//!
//! A field asks for it by `#[serde(with = "thalweg_geometry::site::number")]`, be it an f64 or options and vectors
//! of it to any depth; [`Number`] is for an f64 that stands alone.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An f64 that JSON carries whether it is finite or not.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            x => serializer.serialize_f64(x),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number or one of \"NaN\", \"Infinity\", \"-Infinity\"")
            }
            fn visit_f64<E: Error>(self, x: f64) -> Result<Number, E> {
                Ok(Number(x))
            }
            // A writer other than ours may leave the point out of a whole number.
            fn visit_i64<E: Error>(self, x: i64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }
            fn visit_u64<E: Error>(self, x: u64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }
            fn visit_str<E: Error>(self, s: &str) -> Result<Number, E> {
                match s {
                    "NaN" => Ok(Number(f64::NAN)),
                    "Infinity" => Ok(Number(f64::INFINITY)),
                    "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                    _ => Err(E::invalid_value(Unexpected::Str(s), &self)),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What [`serialize`] and [`deserialize`] take: f64, and options and vectors of it to any depth.
pub trait Numeric: Sized {
    /// The same with [`Number`] for f64.
    type Carried: Serialize + for<'de> Deserialize<'de>;
    /// To what JSON carries.
    fn to_carried(&self) -> Self::Carried;
    /// Back from it.
    fn from_carried(carried: Self::Carried) -> Self;
}

impl Numeric for f64 {
    type Carried = Number;
    fn to_carried(&self) -> Number {
        Number(*self)
    }
    fn from_carried(carried: Number) -> Self {
        carried.0
    }
}

impl<T: Numeric> Numeric for Option<T> {
    type Carried = Option<T::Carried>;
    fn to_carried(&self) -> Self::Carried {
        self.as_ref().map(T::to_carried)
    }
    fn from_carried(carried: Self::Carried) -> Self {
        carried.map(T::from_carried)
    }
}

impl<T: Numeric> Numeric for Vec<T> {
    type Carried = Vec<T::Carried>;
    fn to_carried(&self) -> Self::Carried {
        self.iter().map(T::to_carried).collect()
    }
    fn from_carried(carried: Self::Carried) -> Self {
        carried.into_iter().map(T::from_carried).collect()
    }
}

/// For `#[serde(with = ..)]`.
pub fn serialize<T: Numeric, S: Serializer>(numbers: &T, serializer: S) -> Result<S::Ok, S::Error> {
    numbers.to_carried().serialize(serializer)
}

/// For `#[serde(with = ..)]`.
pub fn deserialize<'de, T: Numeric, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::Carried::deserialize(deserializer).map(T::from_carried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Record {
        #[serde(with = "super")]
        losses: Vec<f64>,
        #[serde(with = "super")]
        error: Option<f64>,
        #[serde(with = "super")]
        rows: Vec<Option<Vec<f64>>>,
    }

    #[test]
    fn what_is_not_finite_survives_json() {
        let losses = vec![1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, 0.1 + 0.2, -0.0];
        let record = Record { losses, error: None, rows: vec![None, Some(vec![f64::NAN])] };
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(
            json,
            r#"{"losses":[1.0,"NaN","Infinity","-Infinity",5e-324,0.30000000000000004,-0.0],"error":null,"rows":[null,["NaN"]]}"#
        );
        let back: Record = serde_json::from_str(&json).unwrap();
        for (a, b) in record.losses.iter().zip(&back.losses) {
            assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
        }
        assert!(back.error.is_none() && back.rows[1].as_ref().unwrap()[0].is_nan());
    }

    #[test]
    fn other_strings_and_null_are_refused_with_what_was_expected() {
        let error = serde_json::from_str::<Number>("\"nought\"").unwrap_err().to_string();
        assert!(error.contains("\"NaN\"") && error.contains("nought"), "{error}");
        assert!(serde_json::from_str::<Number>("null").is_err());
        assert_eq!(serde_json::from_str::<Number>("3").unwrap(), Number(3.0));
    }
}
