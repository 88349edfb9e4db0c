//! Programs against a second opinion: naive loops over indices.

mod attention;
mod cases;
mod edges;
mod few_channels;
mod op_table;
mod pooling;
mod pytorch;
mod random_programs;
mod support;
mod together;
