//! A run's folder, from outside: what is kept, what is refused, and what is said.

mod folders;
mod stages;
mod support;
