//! Instruments that survey an objective: operators, eigenvalues, lines and planes.
//!
//! An instrument sees a [`Site`](site::Site): a mean loss on ℝⁿ with whatever derivatives it has, in f64 at this
//! border whatever it computes in. It never sees a network, so an objective from anywhere can take its place.
//! Which matrix ([`operator`]) and which statistic of it ([`spectrum`]) are separate things: every statistic takes
//! every operator. [`section`] looks at the loss along lines and planes, and [`testbed`] holds landscapes whose
//! answers are known exactly.
//!
//! What an instrument returns is a [`Reading`](site::Reading): the number, its uncertainty, how the instrument
//! ended, the work it took and the convention it was measured under. Two invariants hold throughout: not
//! converging and not being finite are outcomes that travel with the number, never errors; and a reading depends
//! on its key and options alone, not on the number of threads.

mod dense;
pub mod operator;
pub mod section;

pub mod site;
pub mod spectrum;

pub mod testbed;
mod vector;
