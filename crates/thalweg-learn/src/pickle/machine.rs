//! The stack machine that a pickle is a program for, without anything that calls.

use std::collections::HashMap;

use super::{Id, Node, PickleError};

/// The stack machine, at work.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (nodes, stack, marks) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes, at: 0, nodes, stack, marks, memo: HashMap::new() }
    }

    fn fail<T>(&self, found: impl Into<String>) -> Result<T, PickleError> {
        Err(PickleError { found: found.into(), at: self.at })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        match self.bytes[self.at..].split_at_checked(count) {
            Some((taken, _)) => {
                self.at += count;
                Ok(taken)
            }
            None => self.fail(format!("{count} bytes missing")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    /// A length of one, four or eight bytes, and as many bytes.
    fn counted<const N: usize>(&mut self) -> Result<&'a [u8], PickleError> {
        let count = self.unsigned::<N>()?;
        match usize::try_from(count) {
            Ok(count) => self.take(count),
            Err(_) => self.fail(format!("{count} bytes missing")),
        }
    }

    fn unsigned<const N: usize>(&mut self) -> Result<u64, PickleError> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.take(N)?);
        Ok(u64::from_le_bytes(wide))
    }

    /// What stands before the next line's end.
    fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return self.fail("a line without end");
        };
        let line = self.take(length + 1)?;
        match std::str::from_utf8(&line[..length]) {
            Ok(text) => Ok(text.trim_end_matches('\r')),
            Err(_) => self.fail("a line that is no text"),
        }
    }

    fn push(&mut self, node: Node) {
        self.nodes.push(node);
        self.stack.push(Id(self.nodes.len() - 1));
    }

    fn push_text(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push(Node::Text(text.to_owned())),
            // Lone surrogates, which Python can pickle and nobody's data need.
            Err(_) => return self.fail("a text that is not UTF-8"),
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.pop().filter(|_| self.stack.len() >= floor) {
            Some(id) => Ok(id),
            None => self.fail("an empty stack"),
        }
    }

    fn top(&self) -> Result<Id, PickleError> {
        self.stack.last().map_or_else(|| self.fail("an empty stack"), |&id| Ok(id))
    }

    /// All since the last mark.
    fn since_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => self.fail("no mark"),
        }
    }

    fn tuple(&mut self, count: usize) -> Result<(), PickleError> {
        let mut elements = Vec::with_capacity(count);
        for _ in 0..count {
            elements.push(self.pop()?);
        }
        elements.reverse();
        self.push(Node::Tuple(elements));
        Ok(())
    }

    fn remember(&mut self, place: u64) -> Result<(), PickleError> {
        let id = self.top()?;
        self.memo.insert(place, id);
        Ok(())
    }

    fn recall(&mut self, place: u64) -> Result<(), PickleError> {
        match self.memo.get(&place) {
            Some(&id) => self.stack.push(id),
            None => return self.fail(format!("a reference to {place}, which was not kept")),
        }
        Ok(())
    }

    fn append(&mut self, new: Vec<Id>) -> Result<(), PickleError> {
        let id = self.top()?;
        match &mut self.nodes[id.0] {
            Node::List(elements) => elements.extend(new),
            _ => return self.fail("something appended to what is no list"),
        }
        Ok(())
    }

    fn set_items(&mut self, new: &[Id]) -> Result<(), PickleError> {
        let id = self.top()?;
        if !new.len().is_multiple_of(2) {
            return self.fail("a key without a value");
        }
        let pairs = new.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
        match &mut self.nodes[id.0] {
            Node::Dict(items) | Node::Call { items, .. } => items.extend(pairs),
            _ => return self.fail("an item set on what is no dictionary"),
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), PickleError> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        self.push(Node::Call { function, arguments, state: None, items: Vec::new() });
        Ok(())
    }

    fn number(&mut self, text: &str) -> Result<(), PickleError> {
        let node = match text.trim_end_matches('L') {
            "00" => Node::Bool(false),
            "01" => Node::Bool(true),
            digits => match digits.parse() {
                Ok(number) => Node::Int(number),
                Err(_) => return self.fail(format!("the number {text:?}")),
            },
        };
        self.push(node);
        Ok(())
    }

    /// A whole number of so many bytes, the highest with the sign.
    fn long(&mut self, bytes: &[u8]) -> Result<(), PickleError> {
        let fill = if bytes.last().is_some_and(|&byte| byte >= 128) { 0xff } else { 0 };
        let mut wide = [fill; 8];
        match bytes.len() {
            0..=8 => wide[..bytes.len()].copy_from_slice(bytes),
            count => return self.fail(format!("a whole number of {count} bytes")),
        }
        self.push(Node::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) {
        self.push(Node::Global { module: module.to_owned(), name: name.to_owned() });
    }

    /// Runs to the end: all that was made, and what is on top then.
    pub(super) fn run(mut self) -> Result<(Vec<Node>, Id), PickleError> {
        loop {
            let [instruction] = self.array()?;
            match instruction {
                b'.' => {
                    let root = self.pop()?;
                    return Ok((self.nodes, root));
                }
                0x80 => {
                    let [protocol] = self.array()?;
                    if protocol > 5 {
                        return self.fail(format!("protocol {protocol}"));
                    }
                }
                // Frames only tell how much to read at once.
                0x95 => drop(self.unsigned::<8>()?),
                b'(' => self.marks.push(self.stack.len()),
                b'0' => drop(self.pop()?),
                b'1' => drop(self.since_mark()?),
                b'2' => self.stack.push(self.top()?),
                b'N' => self.push(Node::None),
                0x88 => self.push(Node::Bool(true)),
                0x89 => self.push(Node::Bool(false)),
                b'I' | b'L' => {
                    let line = self.line()?;
                    self.number(line)?;
                }
                b'J' => {
                    let number = i32::from_le_bytes(self.array()?);
                    self.push(Node::Int(number.into()));
                }
                b'K' => {
                    let number = self.unsigned::<1>()?;
                    self.push(Node::Int(number as i64));
                }
                b'M' => {
                    let number = self.unsigned::<2>()?;
                    self.push(Node::Int(number as i64));
                }
                0x8a => {
                    let bytes = self.counted::<1>()?;
                    self.long(bytes)?;
                }
                0x8b => {
                    let bytes = self.counted::<4>()?;
                    self.long(bytes)?;
                }
                b'F' => match self.line()?.parse() {
                    Ok(number) => self.push(Node::Float(number)),
                    Err(_) => return self.fail("a line that is no number"),
                },
                b'G' => {
                    let number = f64::from_be_bytes(self.array()?);
                    self.push(Node::Float(number));
                }
                b'X' => {
                    let bytes = self.counted::<4>()?;
                    self.push_text(bytes)?;
                }
                0x8c => {
                    let bytes = self.counted::<1>()?;
                    self.push_text(bytes)?;
                }
                0x8d => {
                    let bytes = self.counted::<8>()?;
                    self.push_text(bytes)?;
                }
                b'T' | b'B' => {
                    let bytes = self.counted::<4>()?;
                    self.push(Node::Bytes(bytes.to_vec()));
                }
                b'U' | b'C' => {
                    let bytes = self.counted::<1>()?;
                    self.push(Node::Bytes(bytes.to_vec()));
                }
                0x8e | 0x96 => {
                    let bytes = self.counted::<8>()?;
                    self.push(Node::Bytes(bytes.to_vec()));
                }
                b')' => self.push(Node::Tuple(Vec::new())),
                0x85..=0x87 => self.tuple(usize::from(instruction - 0x84))?,
                b't' => {
                    let elements = self.since_mark()?;
                    self.push(Node::Tuple(elements));
                }
                b']' => self.push(Node::List(Vec::new())),
                b'l' => {
                    let elements = self.since_mark()?;
                    self.push(Node::List(elements));
                }
                b'a' => {
                    let new = self.pop()?;
                    self.append(vec![new])?;
                }
                b'e' => {
                    let new = self.since_mark()?;
                    self.append(new)?;
                }
                b'}' => self.push(Node::Dict(Vec::new())),
                b'd' => {
                    let new = self.since_mark()?;
                    self.push(Node::Dict(Vec::new()));
                    self.set_items(&new)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(&[key, value])?;
                }
                b'u' => {
                    let new = self.since_mark()?;
                    self.set_items(&new)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.global(module, name);
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |id: Id| match &self.nodes[id.0] {
                        Node::Text(text) => Some(text.clone()),
                        _ => None,
                    };
                    match (text(module), text(name)) {
                        (Some(module), Some(name)) => self.global(&module, &name),
                        _ => return self.fail("a name that is no text"),
                    }
                }
                b'R' | 0x81 => self.call()?,
                b'b' => {
                    let (given, object) = (self.pop()?, self.top()?);
                    match &mut self.nodes[object.0] {
                        Node::Call { state, .. } => *state = Some(given),
                        _ => return self.fail("a state for what is no object"),
                    }
                }
                b'Q' => {
                    let id = self.pop()?;
                    self.push(Node::Persistent(id));
                }
                b'p' => match self.line()?.parse() {
                    Ok(place) => self.remember(place)?,
                    Err(_) => return self.fail("a place that is no number"),
                },
                b'q' => {
                    let place = self.unsigned::<1>()?;
                    self.remember(place)?;
                }
                b'r' => {
                    let place = self.unsigned::<4>()?;
                    self.remember(place)?;
                }
                0x94 => self.remember(self.memo.len() as u64)?,
                b'g' => match self.line()?.parse() {
                    Ok(place) => self.recall(place)?,
                    Err(_) => return self.fail("a place that is no number"),
                },
                b'h' => {
                    let place = self.unsigned::<1>()?;
                    self.recall(place)?;
                }
                b'j' => {
                    let place = self.unsigned::<4>()?;
                    self.recall(place)?;
                }
                // `i`, `o` and their kin make objects of classes, and extension codes name functions without their names:
                // no writer of arrays needs them.
                other => return self.fail(format!("the instruction 0x{other:02x}")),
            }
        }
    }
}
