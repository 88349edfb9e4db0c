//! Programs as text, for people and for error messages.

use std::fmt;

use super::{Element, Program, Type};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = match self.element {
            Element::Real => "real",
            Element::Index => "index",
        };
        write!(f, "{element}{:?}", self.shape)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, node) in self.nodes.iter().enumerate() {
            write!(f, "%{position}: {} = {:?}", node.ty, node.op)?;
            for input in &node.inputs {
                write!(f, " %{}", input.position())?;
            }
            writeln!(f)?;
        }
        let outputs: Vec<String> = self.outputs.iter().map(|v| format!("%{}", v.position())).collect();
        write!(f, "return {}", outputs.join(", "))
    }
}
