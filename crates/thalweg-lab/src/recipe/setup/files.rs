//! Files and sets that a configuration names, and their digests.

use std::fs;
use std::path::Path;

use crate::recipe::RecipeError;

/// The bytes of a file that the configuration names; fills in or checks its digest.
pub(super) fn read(
    path: &Path,
    [field, digest_field]: [&'static str; 2],
    digest: &mut Option<String>,
) -> Result<Vec<u8>, RecipeError> {
    let unreadable = |cause| RecipeError::Read { field, path: path.to_owned(), cause };
    // A pipe would wait for its writer, and some devices never end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(RecipeError::field(field, "a file", format!("{}, which is none", path.display())));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let found = blake3::hash(&bytes).to_hex().to_string();
    pin(digest, found, digest_field, path)?;
    Ok(bytes)
}

/// Fills in a digest, or checks it.
pub(super) fn pin(
    digest: &mut Option<String>,
    found: String,
    field: &'static str,
    of: &Path,
) -> Result<(), RecipeError> {
    match digest {
        Some(expected) if *expected != found => {
            let (path, expected) = (of.to_owned(), expected.clone());
            Err(RecipeError::Digest { field, path, expected, found })
        }
        _ => {
            *digest = Some(found);
            Ok(())
        }
    }
}
