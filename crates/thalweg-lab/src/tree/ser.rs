//! Anything that serde can serialise, as a tree.

use serde::ser::{self, Serialize};

use super::{NotPlainData, Tree, Value};

/// The tree of `value`: structs keep their declared field order, maps are sorted by key, so that two hash maps of
/// equal content give equal trees.
pub(crate) fn to_tree<T: Serialize + ?Sized>(value: &T) -> Result<Tree, NotPlainData> {
    value.serialize(Writer)
}

impl ser::Error for NotPlainData {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { what: message.to_string() }
    }
}

struct Writer;

/// A sequence or tuple under way; `variant` wraps the result in a table of one entry, as enums are written.
struct Items {
    items: Vec<Tree>,
    variant: Option<&'static str>,
}

/// A struct or map under way.
struct Entries {
    entries: Vec<(String, Tree)>,
    variant: Option<&'static str>,
    key: Option<String>,
    sorted: bool,
}

fn wrapped(variant: Option<&'static str>, value: Value) -> Tree {
    match variant {
        Some(variant) => Value::Table(vec![(variant.to_owned(), value.into())]).into(),
        None => value.into(),
    }
}

impl Items {
    fn new(length: Option<usize>, variant: Option<&'static str>) -> Self {
        Self { items: Vec::with_capacity(length.unwrap_or(0)), variant }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotPlainData> {
        self.items.push(to_tree(value)?);
        Ok(())
    }

    fn finish(self) -> Tree {
        wrapped(self.variant, Value::Array(self.items))
    }
}

impl Entries {
    fn new(sorted: bool, variant: Option<&'static str>) -> Self {
        Self { entries: Vec::new(), variant, key: None, sorted }
    }

    fn push<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), NotPlainData> {
        self.entries.push((key.to_owned(), to_tree(value)?));
        Ok(())
    }

    fn finish(mut self) -> Tree {
        if self.sorted {
            self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        wrapped(self.variant, Value::Table(self.entries))
    }
}

/// A float in single precision stands for its own shortest digits: 0.1, not 0.10000000149011612.
fn widened(value: f32) -> f64 {
    match value.to_string().parse::<f64>() {
        Ok(wide) if wide as f32 == value => wide,
        _ => f64::from(value),
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => |$value:ident| $tree:expr;)*) => {
        $(fn $method(self, $value: $type) -> Result<Tree, NotPlainData> { Ok(Tree::from($tree)) })*
    };
}

impl ser::Serializer for Writer {
    type Ok = Tree;
    type Error = NotPlainData;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    scalars! {
        serialize_bool(bool) => |v| Value::Bool(v);
        serialize_i8(i8) => |v| Value::Integer(v.into());
        serialize_i16(i16) => |v| Value::Integer(v.into());
        serialize_i32(i32) => |v| Value::Integer(v.into());
        serialize_i64(i64) => |v| Value::Integer(v.into());
        serialize_u8(u8) => |v| Value::Integer(v.into());
        serialize_u16(u16) => |v| Value::Integer(v.into());
        serialize_u32(u32) => |v| Value::Integer(v.into());
        serialize_u64(u64) => |v| Value::Integer(v.into());
        serialize_f32(f32) => |v| Value::Float(widened(v));
        serialize_f64(f64) => |v| Value::Float(v);
        serialize_char(char) => |v| Value::Text(v.into());
        serialize_str(&str) => |v| Value::Text(v.to_owned());
        serialize_bytes(&[u8]) => |v| Value::Array(v.iter().map(|&b| Value::Integer(b.into()).into()).collect());
        serialize_unit_struct(&'static str) => |_name| Value::Null;
    }

    fn serialize_none(self) -> Result<Tree, NotPlainData> {
        Ok(Value::Null.into())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, NotPlainData> {
        to_tree(value)
    }

    fn serialize_unit(self) -> Result<Tree, NotPlainData> {
        Ok(Value::Null.into())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Tree, NotPlainData> {
        Ok(Value::Text(variant.to_owned()).into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Tree, NotPlainData> {
        to_tree(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, NotPlainData> {
        Ok(Value::Table(vec![(variant.to_owned(), to_tree(value)?)]).into())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, NotPlainData> {
        Ok(Items::new(length, None))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, NotPlainData> {
        Ok(Items::new(Some(length), None))
    }

    fn serialize_tuple_struct(self, _name: &'static str, length: usize) -> Result<Items, NotPlainData> {
        Ok(Items::new(Some(length), None))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items, NotPlainData> {
        Ok(Items::new(Some(length), Some(variant)))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Entries, NotPlainData> {
        Ok(Entries::new(true, None))
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Entries, NotPlainData> {
        Ok(Entries::new(false, None))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Entries, NotPlainData> {
        Ok(Entries::new(false, Some(variant)))
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Items {
            type Ok = Tree;
            type Error = NotPlainData;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotPlainData> {
                self.push(value)
            }

            fn end(self) -> Result<Tree, NotPlainData> {
                Ok(self.finish())
            }
        }
    )*};
}

sequences!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Entries {
            type Ok = Tree;
            type Error = NotPlainData;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), NotPlainData> {
                self.push(key, value)
            }

            fn end(self) -> Result<Tree, NotPlainData> {
                Ok(self.finish())
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Entries {
    type Ok = Tree;
    type Error = NotPlainData;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotPlainData> {
        self.key = Some(match to_tree(key)?.value {
            Value::Text(text) => text,
            Value::Integer(integer) => integer.to_string(),
            Value::Bool(value) => value.to_string(),
            other => {
                let what = format!("the key of a map is {}: expected text", Tree::from(other).describe());
                return Err(NotPlainData { what });
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotPlainData> {
        let key = self.key.take().expect("serde gives a key before its value");
        self.push(&key, value)
    }

    fn end(self) -> Result<Tree, NotPlainData> {
        Ok(self.finish())
    }
}
