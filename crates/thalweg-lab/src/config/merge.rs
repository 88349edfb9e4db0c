//! One tree laid over another.

use crate::tree::{Tree, Value};

/// The field that names the variant of a tagged enum.
pub(super) const TAG: &str = "kind";

/// Lays `over` over `under`: tables entry by entry, everything else replaces. A table whose [`TAG`] names another
/// variant replaces as a whole, since the fields of one variant mean nothing to another.
pub(super) fn merge(under: &mut Tree, over: Tree) {
    let same_variant = match (under.entry(TAG), over.entry(TAG)) {
        (Some(under), Some(over)) => under.value == over.value,
        _ => true,
    };
    match (&mut under.value, over.value) {
        (Value::Table(below), Value::Table(above)) if same_variant => {
            for (name, tree) in above {
                match below.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, existing)) => merge(existing, tree),
                    None => below.push((name, tree)),
                }
            }
            under.origin = over.origin;
        }
        (place, value) => {
            *place = value;
            under.origin = over.origin;
        }
    }
}
