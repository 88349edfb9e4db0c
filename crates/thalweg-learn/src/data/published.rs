//! The published sets of images, by name.

use super::{Cifar, DataError, Folders, Mnist, Split};

/// A set of images that is published in files of its own format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// MNIST or Fashion-MNIST.
    Mnist(Mnist),
    /// CIFAR-10 or CIFAR-100.
    Cifar(Cifar),
}

impl Published {
    /// What its folder, and the set in readings, is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist(set) => set.name(),
            Self::Cifar(set) => set.name(),
        }
    }

    /// The names that each file may have, in the order in which [`load`](Self::load) looks for them.
    pub fn files(self) -> Vec<Vec<String>> {
        match self {
            Self::Mnist(set) => set.files(),
            Self::Cifar(set) => set.files(),
        }
    }

    /// Both parts as published, pixels in [0, 1].
    ///
    /// # Errors
    /// As [`Mnist::load`] and [`Cifar::load`].
    pub fn load(self, folders: &Folders) -> Result<Split, DataError> {
        match self {
            Self::Mnist(set) => set.load(folders),
            Self::Cifar(set) => set.load(folders),
        }
    }
}
