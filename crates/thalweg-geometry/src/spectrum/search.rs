//! One search: a Krylov space from a random start in the complement of what is locked.

use super::subspace::{Growth, Subspace};
use crate::dense::Eigen;
use crate::site::SiteError;

/// Probability with which [`undetected_share`] may be wrong.
const FAILURE: f64 = 1e-3;
/// A search of a complement takes as many steps as would notice, with probability 1 − [`FAILURE`], an eigenvalue further
/// out by this share of the spread (restarts aside). A residual alone would not do: in high dimension a random vector can have a small
/// one in a matrix of few outliers, none of which it has seen.
const UNDETECTED_MAX: f64 = 0.1;

/// The two ends of a spectrum. At each, "outer" is the direction away from the bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Largest,
    Smallest,
}

impl End {
    pub(super) const BOTH: [Self; 2] = [Self::Largest, Self::Smallest];

    /// The value, counted outwards.
    pub(super) fn outward(self, value: f64) -> f64 {
        if self == Self::Largest { value } else { -value }
    }

    /// The place of the k-th value from this end among m in ascending order.
    pub(super) fn place(self, k: usize, m: usize) -> usize {
        if self == Self::Largest { m - 1 - k } else { k }
    }
}

/// What a search is for at one end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) end: End,
    /// Pairs wanted at most.
    pub(super) most: usize,
    /// Outward value that a pair has to exceed to belong among the wanted, and one that no eigenvalue may exceed if the
    /// wanted are to be right within their residuals; `None` in the first search, where all belong.
    pub(super) cutoff: Option<[f64; 2]>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The space is invariant: it holds every distinct eigenvalue of the complement, exactly.
    Exact,
    Converged,
    Spent,
    NotFinite,
}

/// A Ritz pair.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) value: f64,
    /// Bound of the residual by the recurrence.
    pub(super) bound: f64,
    pub(super) vector: Vec<f64>,
}

/// What a search came to.
pub(super) struct Found {
    pub(super) ended: Ended,
    pub(super) pairs: Vec<Pair>,
    /// The least and the greatest Ritz value.
    pub(super) range: Option<[f64; 2]>,
    pub(super) products: usize,
    pub(super) restarts: usize,
    /// See [`undetected_share`].
    pub(super) undetected_share: f64,
}

/// What all searches have in common, and what is known from those before.
pub(super) struct Known {
    pub(super) tolerance: f64,
    /// Vectors of the basis before a restart.
    pub(super) basis_max: usize,
    /// Products left.
    pub(super) products_max: usize,
    /// Start vectors.
    pub(super) block: usize,
    /// The least and the greatest Ritz value so far.
    pub(super) range: Option<[f64; 2]>,
}

impl Known {
    /// The range with that of some more values in ascending order.
    pub(super) fn range_with(&self, values: &[f64]) -> Option<[f64; 2]> {
        let [Some(&low), Some(&high)] = [values.first(), values.last()] else { return self.range };
        Some(self.range.map_or([low, high], |[l, h]| [l.min(low), h.max(high)]))
    }
}

/// The largest absolute value of a range.
pub(super) fn reach(range: Option<[f64; 2]>) -> f64 {
    range.map_or(0.0, |[low, high]| low.abs().max(high.abs()))
}

/// The ε for which a Krylov space of m vectors from a uniformly random start in n dimensions misses the largest
/// eigenvalue by more than ε of the spread with probability at most 10⁻³: ε = (ln(1.648√n/10⁻³)/(2m−1))², by
/// Kuczyński & Woźniakowski 1992, theorem 4.2 (known to us second-hand). Whatever the gaps and multiplicities.
fn undetected_share(n: usize, m: usize) -> f64 {
    if m >= n {
        return 0.0;
    }
    (libm::log(1.648 * (n as f64).sqrt() / FAILURE) / (2.0 * m as f64 - 1.0).max(1.0)).powi(2).min(1.0)
}

/// Grows `space` until the aims are met, an end is reached or the budget is spent. `told` hears after every look how
/// many products there were and how many of the pairs looked for have converged.
pub(super) fn search(
    mut space: Subspace<'_>,
    aims: &[Aim],
    known: &Known,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Found, SiteError> {
    let (mut products, mut restarts, mut looked_at) = (0, 0, 0);
    // A restarted space is no longer a Krylov space: what is known of those holds up to the first restart.
    let mut degree = None;
    let steps = |space: &Subspace<'_>| space.len() / known.block;
    let (ended, ritz) = loop {
        let left = known.products_max - products;
        let room = left.min(known.basis_max - space.len());
        match if room == 0 { Growth::Grown(0) } else { space.grow(room)? } {
            Growth::Grown(cost) => products += cost,
            Growth::Invariant => break (Ended::Exact, space.ritz()),
            Growth::NotFinite(cost) => {
                products += cost;
                break (Ended::NotFinite, None);
            }
        }
        let m = space.len();
        let (spent, full) = (products == known.products_max, m == known.basis_max);
        let spans_all = m == space.dimension();
        // Looking costs O(m³): after every tenth part of m is often enough.
        if !(spent || full || spans_all || m >= looked_at + (m / 10).max(1)) {
            continue;
        }
        looked_at = m;
        let Some(ritz) = space.ritz() else { break (Ended::NotFinite, None) };
        if spans_all {
            break (Ended::Exact, Some(ritz));
        }
        let share = undetected_share(space.dimension(), degree.unwrap_or(steps(&space)));
        let is_seasoned = undetected_share(space.dimension(), products / known.block) <= UNDETECTED_MAX;
        let look = Look { space: &space, ritz: &ritz, known, share, is_seasoned };
        let (converged, is_met) = look.at(aims);
        told(products, converged);
        if is_met {
            break (Ended::Converged, Some(ritz));
        }
        if spent {
            break (Ended::Spent, Some(ritz));
        }
        if full {
            let kept = kept(aims, m);
            degree.get_or_insert(steps(&space));
            space.restart(&ritz, &kept);
            restarts += 1;
            looked_at = kept.len();
        }
    };
    let ended = if ritz.is_none() { Ended::NotFinite } else { ended };
    let share = match ended {
        Ended::Exact => 0.0,
        _ => undetected_share(space.dimension(), degree.unwrap_or(steps(&space))),
    };
    let mut found =
        Found { ended, pairs: Vec::new(), range: None, products, restarts, undetected_share: share };
    if let Some(ritz) = ritz {
        let m = ritz.values.len();
        found.range = (m > 0).then(|| [ritz.values[0], ritz.values[m - 1]]);
        let mut places: Vec<usize> = match ended {
            Ended::Exact => (0..m).collect(),
            _ => aims.iter().flat_map(|aim| belonging(aim, &ritz.values)).collect(),
        };
        places.sort_unstable();
        places.dedup();
        found.pairs.extend(places.into_iter().map(|j| {
            let coordinates = &ritz.vectors[j];
            let bound = if ended == Ended::Exact { 0.0 } else { space.residual_bound(coordinates) };
            Pair { value: ritz.values[j], bound, vector: space.vector(coordinates) }
        }));
    }
    Ok(found)
}

/// The Ritz values in the middle of a search.
struct Look<'a> {
    space: &'a Subspace<'a>,
    ritz: &'a Eigen,
    known: &'a Known,
    share: f64,
    is_seasoned: bool,
}

impl Look<'_> {
    /// How many of the pairs that belong have converged, and whether the search may end.
    fn at(&self, aims: &[Aim]) -> (usize, bool) {
        let values = &self.ritz.values;
        if values.is_empty() {
            return (0, false);
        }
        let range = self.known.range_with(values);
        let limit = self.known.tolerance * reach(range);
        let spread = range.map_or(0.0, |[low, high]| high - low);
        let m = values.len();
        let bound = |j: usize| self.space.residual_bound(&self.ritz.vectors[j]);
        let has_converged = |j: usize| bound(j) <= limit;
        let (mut converged, mut is_met) = (0, true);
        let is_first = aims.iter().all(|aim| aim.cutoff.is_none());
        let wanted: usize = aims.iter().map(|aim| aim.most).sum();
        is_met &= !is_first || m >= wanted.min(self.space.dimension());
        for aim in aims {
            let belonging: Vec<usize> = belonging(aim, values).collect();
            let done = belonging.iter().filter(|&&j| has_converged(j)).count();
            converged += done;
            let Some([cutoff, right]) = aim.cutoff else {
                is_met &= done == aim.most;
                continue;
            };
            let place = aim.end.place(0, m);
            let (outermost, bound) = (aim.end.outward(values[place]), bound(place));
            let is_clear = outermost + self.share * spread <= cutoff;
            // Where nothing belongs, the outermost pair need only show that the eigenvalue near it does not either. Where
            // that is too close to call, half the tolerance is as far as it goes.
            let is_inside = outermost + bound <= right || bound <= 0.5 * limit;
            let has_settled = done == belonging.len() && (done > 0 || is_inside);
            is_met &= is_clear || (has_settled && self.is_seasoned);
        }
        (converged, is_met)
    }
}

/// The places of the Ritz values that an aim is for, outermost first.
fn belonging(aim: &Aim, values: &[f64]) -> impl Iterator<Item = usize> {
    let (end, m, cutoff) =
        (aim.end, values.len(), aim.cutoff.map_or(f64::NEG_INFINITY, |[cutoff, _]| cutoff));
    (0..aim.most.min(m)).map(move |k| end.place(k, m)).take_while(move |&j| end.outward(values[j]) > cutoff)
}

/// The places of the Ritz values that a restart keeps: the wanted ones and a third of the room beyond them.
fn kept(aims: &[Aim], m: usize) -> Vec<usize> {
    let most = |end| aims.iter().find(|aim| aim.end == end).map_or(0, |aim| aim.most);
    let (largest, smallest) = (most(End::Largest), most(End::Smallest));
    let wanted = largest + smallest;
    let spare = (m - wanted) / 3;
    let spare_above = spare * largest / wanted;
    let above = largest + spare_above;
    let below = smallest + spare - spare_above;
    (0..below).chain(m - above..m).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_undetected_shrinks_with_the_square_of_the_degree() {
        assert_eq!(undetected_share(10_000, 1), 1.0);
        // ln(1.648 · 100/10⁻³) = 12.0125…
        let at_100 = undetected_share(10_000, 100);
        assert!((at_100 - (12.012_46_f64 / 199.0).powi(2)).abs() < 1e-7, "{at_100}");
        assert_eq!(undetected_share(50, 50), 0.0);
    }

    #[test]
    fn ends_count_outwards() {
        let values = [-3.0, -1.0, 0.0, 4.0];
        let aim = |end, cutoff: Option<f64>| Aim { end, most: 3, cutoff: cutoff.map(|c| [c, c]) };
        let places = |aim: Aim| belonging(&aim, &values).collect::<Vec<_>>();
        assert_eq!(places(aim(End::Largest, None)), [3, 2, 1]);
        assert_eq!(places(aim(End::Largest, Some(-0.5))), [3, 2]);
        assert_eq!(places(aim(End::Smallest, Some(0.5))), [0, 1]);
        assert_eq!(places(aim(End::Smallest, Some(5.0))), [0_usize; 0]);
    }
}
