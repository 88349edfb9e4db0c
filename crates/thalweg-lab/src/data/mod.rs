//! Published data sets: which there are, where they lie, and how they come here.
//!
//! What a set is and what its files must hold is in the `catalogue`; where they lie says [`whereabouts()`], by the names and folders
//! that are read anyway (`thalweg_learn::data::Folders`). [`fetch()`] brings what is not here, from the publisher, a mirror or a folder,
//! and [`verify()`] takes the digests of all that is. Whatever comes is written under another name, checked, and only then renamed:
//! a file under its own name is whole. Only `http.rs` and `download.rs` know of the network; they are behind the feature `fetch`.

mod catalogue;
mod digest;
#[cfg(feature = "fetch")]
mod download;
mod error;
mod fetch;
#[cfg(feature = "fetch")]
mod http;
mod part;
mod unpack;
mod verify;
mod whereabouts;

pub use catalogue::{Download, Form, Gives, Publication, Set, catalogue, named};
pub use digest::Digest;
pub use error::FetchError;
pub use fetch::{Fetched, Origin, fetch};
pub use thalweg_learn::data::Folders;
pub use verify::{Verified, verify};
pub use whereabouts::{Condition, Found, is_here, whereabouts};
