//! Differentiable programs as values: the IR, its primitives, transforms to any order, and the compiler.
//!
//! A network is a function that writes a program through a [`builder`] with ordinary operators. [`transform`]s turn
//! programs into programs; [`compile`](mod@compile) turns one into a flat list of kernel calls, and [`evaluate`] runs it,
//! in `f32` or `f64`, once or over the examples of a data set on all threads.
//!
//! ```
//! use thalweg_program::builder::Builder;
//! use thalweg_program::evaluate::Executable;
//! use thalweg_program::transform::{gradient, hvp};
//!
//! // f(x) = Σ sin(x)², so ∇f = sin 2x and H v = 2 cos(2x)·v.
//! let builder = Builder::new();
//! let x = builder.real(&[3]);
//! let f = builder.finish(&[(x.sin() * x.sin()).sum(&[0])])?;
//!
//! let x = [0.1_f64, 0.2, 0.3];
//! let v = [1.0, -1.0, 2.0];
//! let (mut value, mut slope) = ([0.0], [0.0; 3]);
//! Executable::of(&gradient(&f, &[0])).run(&[&x], &[], &mut [&mut value, &mut slope]);
//! let (mut again, mut product) = ([0.0; 3], [0.0; 3]);
//! Executable::of(&hvp(&f, &[0])).run(&[&x, &v], &[], &mut [&mut again, &mut product]);
//! for i in 0..3 {
//!     assert!((slope[i] - (2.0 * x[i]).sin()).abs() < 1e-15);
//!     assert!((product[i] - 2.0 * (2.0 * x[i]).cos() * v[i]).abs() < 1e-15);
//! }
//! # Ok::<(), thalweg_program::ir::ShapeError>(())
//! ```
pub mod builder;
pub mod compile;
pub mod evaluate;
pub mod ir;
pub mod params;
pub mod prim;
pub mod transform;
