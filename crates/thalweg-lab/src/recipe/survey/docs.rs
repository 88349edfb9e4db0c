//! The comments of a printed configuration.

use crate::recipe::setup::documentation;

/// The comment of the field at that dotted path.
pub fn doc(path: &str) -> Option<&'static str> {
    Some(match path {
        "seed" => {
            "From it come the initial weights, the order of examples, what dropout drops, random directions and start vectors."
        }
        "line" => "The line θ(α) = (1−α)θ₀ + αθ* from initialisation to solution.",
        "line.from" => "The first α.",
        "line.to" => "The last.",
        "line.points" => "How many, both ends included; 0 and 1 are measured in any case.",
        "line.rise_tolerance" => "A loss that never rises by more than this counts as monotonic.",
        "plane" => "The plane through the solution that two random directions span.",
        "plane.x" => "Both ends along the first direction.",
        "plane.y" => "Both ends along the second.",
        "plane.points" => "Points along each, both ends included.",
        "plane.normalisation" => {
            "\"filter-wise\" (Li et al. 2018), \"layer-wise\", \"whole-model\" or \"none\"."
        }
        "trajectory" => "The plane of the first two principal components of the checkpoints.",
        "trajectory.margin" => {
            "How far the window reaches beyond the checkpoints, as a share of their extent."
        }
        "trajectory.points" => "Points along each component, both ends included.",
        "spectrum" => {
            "Both ends of the Hessian's spectrum, at initialisation and at the solution, by Lanczos."
        }
        "spectrum.largest" => "How many of the largest eigenvalues.",
        "spectrum.smallest" => "How many of the smallest.",
        "spectrum.tolerance" => "A pair has converged when ‖Hv − λv‖ ≤ tolerance × the spectral norm.",
        "spectrum.products_max" => {
            "Hessian-vector products that may be spent at each place; one for each eigenvalue comes on top, to verify it."
        }
        "spectrum.block" => {
            "Start vectors of each search: as many copies of a repeated eigenvalue are found at once."
        }
        _ => return documentation(path),
    })
}
