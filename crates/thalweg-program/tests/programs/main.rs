//! Programs against a second opinion: naive loops over indices.

mod op_table;
mod random_programs;
mod support;
