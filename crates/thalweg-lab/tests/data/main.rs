//! Data sets that are brought here: from a server on this machine, from folders, out of archives, by processes that are killed.

mod archives;
mod folders;
#[cfg(all(feature = "fetch", unix))]
mod killed;
#[cfg(feature = "fetch")]
mod network;
#[cfg(feature = "fetch")]
mod resumed;
#[cfg(feature = "fetch")]
mod server;
mod support;
