//! The objective that an instrument sees, and what a measurement of it carries.

mod convention;
mod counted;
pub mod number;
mod objective;
mod reading;
mod section;

pub use convention::{
    BatchNorm, Convention, DataSubset, Difference, Dtype, FieldDifference, Mode, Reduction,
};
pub use counted::Counted;
pub use number::Number;
pub use objective::{Capability, Matrix, Point, Site, SiteError, Value};
pub use reading::{Outcome, Reading, Uncertainty, Work};
pub use section::{Section, WrittenSection};
pub(crate) use section::{complete, points_together, written};
