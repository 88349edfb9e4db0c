//! Python's pickles as data.
//!
//! A pickle is a program for a stack machine, and Python's own machine calls whatever a pickle names. This one calls
//! nothing: a function that a pickle names is a [name](Node::Global), and its call a [record](Node::Call) of the name and
//! the arguments, which a reader that knows the name may understand. So a hostile pickle can be refused, or be dull.
//!
//! Nothing is made larger than the bytes that ask for it: every instruction adds at most one node, and texts and numbers
//! are as long as the pickle. A node may be shared by many others, or by itself: readers walk to a depth of their own.

mod machine;
#[cfg(test)]
mod tests;

use machine::Machine;

/// Bytes that are no pickle, or one that says what data does not need.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a pickle of data, found {found} at byte {at}")]
pub struct PickleError {
    /// What is there instead.
    pub found: String,
    /// Where.
    pub at: usize,
}

/// A place among a pickle's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(usize);

/// What a pickle made.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes; in a pickle of Python 2, also its texts.
    Bytes(Vec<u8>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A list.
    List(Vec<Id>),
    /// A dictionary, in its order.
    Dict(Vec<[Id; 2]>),
    /// A function or class, by its name. It is not looked up.
    Global {
        /// Its module.
        module: String,
        /// Its name there.
        name: String,
    },
    /// What Python would have made by a call. It was not called.
    Call {
        /// What would have been called.
        function: Id,
        /// A tuple.
        arguments: Id,
        /// What the object would have been given afterwards: its state, and items that were set on it.
        state: Option<Id>,
        /// Items that were set on the object, in their order.
        items: Vec<[Id; 2]>,
    },
    /// A thing outside, by what the pickle calls it.
    Persistent(Id),
}

/// A pickle that was read.
#[derive(Clone, Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: Id,
}

impl Pickle {
    /// Reads a pickle of protocol 2 to 5, and older ones without texts. What follows its end is passed over.
    ///
    /// # Errors
    /// Bytes that end early, an instruction that makes no sense where it stands, or one that data does not need.
    pub fn read(bytes: &[u8]) -> Result<Self, PickleError> {
        let (nodes, root) = Machine::new(bytes).run()?;
        Ok(Self { nodes, root })
    }

    /// What the pickle is of.
    pub fn root(&self) -> Id {
        self.root
    }

    /// What stands there.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0]
    }

    /// The elements of a tuple or list.
    pub fn elements(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(elements) | Node::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// A whole number.
    pub fn int(&self, id: Id) -> Option<i64> {
        match self.node(id) {
            Node::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A text, also one of Python 2.
    pub fn text(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Text(text) => Some(text),
            Node::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The pairs of a dictionary, ordered ones included.
    pub fn pairs(&self, id: Id) -> Option<&[[Id; 2]]> {
        match self.node(id) {
            Node::Dict(pairs) => Some(pairs),
            Node::Call { function, items, .. }
                if self.global(*function) == Some(("collections", "OrderedDict")) =>
            {
                Some(items)
            }
            _ => None,
        }
    }

    /// The module and the name of a function or class.
    pub fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.node(id) {
            Node::Global { module, name } => Some((module, name)),
            _ => None,
        }
    }

    /// The function of a call, and its arguments.
    pub fn call(&self, id: Id) -> Option<((&str, &str), &[Id])> {
        match self.node(id) {
            Node::Call { function, arguments, .. } => {
                Some((self.global(*function)?, self.elements(*arguments)?))
            }
            _ => None,
        }
    }

    /// In a few words, what stands there: for errors.
    pub fn describe(&self, id: Id) -> String {
        match self.node(id) {
            Node::None => "None".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Int(number) => number.to_string(),
            Node::Float(number) => number.to_string(),
            Node::Text(text) => format!("the text {:?}", text.chars().take(60).collect::<String>()),
            Node::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Node::Tuple(elements) => format!("a tuple of {}", elements.len()),
            Node::List(elements) => format!("a list of {}", elements.len()),
            Node::Dict(pairs) => format!("a dictionary of {}", pairs.len()),
            Node::Global { module, name } => format!("{module}.{name}"),
            Node::Call { function, .. } => match self.global(*function) {
                Some((module, name)) => format!("a call of {module}.{name}"),
                None => "a call".to_owned(),
            },
            Node::Persistent(_) => "a reference".to_owned(),
        }
    }
}
