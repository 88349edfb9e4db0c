//! A tree into any type that serde can deserialise, with faults that say where and what.
//!
//! serde's usual error is a sentence; here it stays data (the path, what was expected, the names that were
//! allowed), so that the caller can look up the line and the nearest name. A struct's unknown fields are faults
//! whether or not the type asks for it: a misspelt field that is silently ignored is a wrong experiment.

use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};

use super::{Tree, Value};

/// What is wrong with a value, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}{mismatch}", if path.is_empty() { String::new() } else { format!("`{}`: ", path.join(".")) })]
pub(crate) struct Fault {
    /// The steps from the root to the innermost value that was being read. Inside an internally tagged enum serde
    /// reads from a copy of its own, so there the path ends at the enum's table.
    pub(crate) path: Vec<String>,
    pub(crate) mismatch: Mismatch,
}

/// The ways in which a value can be wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// A field that the type does not have; the fields that it has.
    #[error("unknown field `{0}`, expected {known}", known = .1.join(", "))]
    UnknownField(String, Vec<String>),
    /// A variant that the enum does not have; the variants that it has.
    #[error("unknown value {0:?}, expected one of {known}", known = .1.join(", "))]
    UnknownVariant(String, Vec<String>),
    /// A required field is not there.
    #[error("missing field `{0}`")]
    MissingField(String),
    /// The wrong type, or a number out of range: expected, found.
    #[error("expected {0}, found {1}")]
    Unexpected(String, String),
    /// Whatever else a type's own checks say.
    #[error("{0}")]
    Other(String),
}

/// Reads a `T` from `tree`.
pub(crate) fn from_tree<T: DeserializeOwned>(tree: &Tree) -> Result<T, Fault> {
    T::deserialize(Reader(tree))
}

impl From<Mismatch> for Fault {
    fn from(mismatch: Mismatch) -> Self {
        Self { path: Vec::new(), mismatch }
    }
}

impl Fault {
    fn under(mut self, step: &str) -> Self {
        self.path.insert(0, step.to_owned());
        self
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Mismatch::Other(message.to_string()).into()
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Mismatch::Unexpected(expected.to_string(), found.to_string()).into()
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Mismatch::Unexpected(expected.to_string(), found.to_string()).into()
    }

    fn invalid_length(found: usize, expected: &dyn de::Expected) -> Self {
        Mismatch::Unexpected(expected.to_string(), format!("{found} elements")).into()
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Mismatch::UnknownVariant(found.to_owned(), owned(expected)).into()
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Self {
        Mismatch::UnknownField(found.to_owned(), owned(expected)).into()
    }

    fn missing_field(field: &'static str) -> Self {
        Mismatch::MissingField(field.to_owned()).into()
    }
}

#[derive(Clone, Copy)]
struct Reader<'t>(&'t Tree);

fn non_finite_text(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        _ => "-Infinity",
    }
}

impl<'t> Reader<'t> {
    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::NonFinite(value) => visitor.visit_str(non_finite_text(*value)),
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }

    fn visit_table<'de, V: Visitor<'de>>(
        entries: &'t [(String, Tree)],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(TableReader { entries: entries.iter(), current: None })
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(*value),
            },
            Value::Float(value) | Value::NonFinite(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::Array(items) => {
                let mut reader = ArrayReader { items, next: 0 };
                let value = visitor.visit_seq(&mut reader)?;
                if reader.next < items.len() {
                    let expected = format!("{} elements", reader.next);
                    return Err(Mismatch::Unexpected(expected, format!("{} elements", items.len())).into());
                }
                Ok(value)
            }
            Value::Table(entries) => Self::visit_table(entries, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_text(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Value::Table(entries) = &self.0.value else {
            // Not `deserialize_any`: serde takes an array for the fields in their order.
            return Err(Mismatch::Unexpected("a table".to_owned(), self.0.describe()).into());
        };
        if let Some((name, _)) = entries.iter().find(|(name, _)| !fields.contains(&name.as_str())) {
            return Err(de::Error::unknown_field(name, fields));
        }
        Self::visit_table(entries, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Text(variant) => visitor.visit_enum(VariantReader { variant, content: None }),
            Value::Table(entries) => {
                // A file that names another variant than the default's leaves both in the merged table: the one
                // that was written last is meant.
                let latest = entries.iter().map(|(_, tree)| tree.origin).max();
                let mut meant = entries.iter().filter(|(_, tree)| Some(tree.origin) == latest);
                match (meant.next(), meant.next()) {
                    (Some((variant, content)), None) => {
                        visitor.visit_enum(VariantReader { variant, content: Some(content) })
                    }
                    _ => {
                        let found = format!("a table of {} entries", entries.len());
                        let expected = format!("one entry, the variant of {name}");
                        Err(Mismatch::Unexpected(expected, found).into())
                    }
                }
            }
            _ => {
                let expected = format!("one of {}", variants.join(", "));
                Err(Mismatch::Unexpected(expected, self.0.describe()).into())
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map
    }
}

struct ArrayReader<'t> {
    items: &'t [Tree],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for ArrayReader<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let value = seed.deserialize(Reader(item)).map_err(|fault| fault.under(&self.next.to_string()))?;
        self.next += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct TableReader<'t> {
    entries: std::slice::Iter<'t, (String, Tree)>,
    current: Option<&'t (String, Tree)>,
}

impl<'de> de::MapAccess<'de> for TableReader<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.current = self.entries.next();
        self.current.map(|(name, _)| seed.deserialize(KeyReader(name))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (name, tree) = self.current.expect("serde asks for a key before its value");
        seed.deserialize(Reader(tree)).map_err(|fault| fault.under(name))
    }
}

/// A table's key: text, or the number that the text spells where the map's keys are numbers.
struct KeyReader<'t>(&'t str);

macro_rules! number_keys {
    ($($method:ident => $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_str(self.0),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for KeyReader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(VariantReader { variant: self.0, content: None })
    }

    number_keys! {
        deserialize_i8 => visit_i8, deserialize_i16 => visit_i16, deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64, deserialize_u8 => visit_u8, deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32, deserialize_u64 => visit_u64, deserialize_bool => visit_bool
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

struct VariantReader<'t> {
    variant: &'t str,
    content: Option<&'t Tree>,
}

impl<'t> VariantReader<'t> {
    fn content(&self, expected: &str) -> Result<&'t Tree, Fault> {
        let found = || Mismatch::Unexpected(expected.to_owned(), format!("the bare word {:?}", self.variant));
        self.content.ok_or_else(|| found().into())
    }
}

impl<'de, 't> de::EnumAccess<'de> for VariantReader<'t> {
    type Error = Fault;
    type Variant = VariantReader<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.variant.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for VariantReader<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None | Some(Tree { value: Value::Null, .. }) => Ok(()),
            Some(Tree { value: Value::Table(entries), .. }) if entries.is_empty() => Ok(()),
            Some(tree) => Err(Fault::from(Mismatch::Unexpected("no fields".to_owned(), tree.describe()))
                .under(self.variant)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        let content = self.content("a value for this variant")?;
        seed.deserialize(Reader(content)).map_err(|fault| fault.under(self.variant))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        let content = self.content("an array for this variant")?;
        de::Deserializer::deserialize_any(Reader(content), visitor).map_err(|fault| fault.under(self.variant))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let content = self.content("a table for this variant")?;
        de::Deserializer::deserialize_struct(Reader(content), "", fields, visitor)
            .map_err(|fault| fault.under(self.variant))
    }
}
