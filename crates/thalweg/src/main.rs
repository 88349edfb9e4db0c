//! The command line: translation between words and recipes, nothing else.
fn main() {}
