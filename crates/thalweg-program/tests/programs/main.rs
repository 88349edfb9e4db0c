//! Programs against a second opinion: naive loops over indices.

mod attention;
mod cases;
mod edges;
mod op_table;
mod pooling;
mod pytorch;
mod random_programs;
mod support;
mod together;
