//! Contours of a height over a rectangular grid, by marching squares (Lorensen & Cline 1987, in two dimensions).
//!
//! Within a cell the crossing of an edge is interpolated linearly; at a saddle, the mean of the four corners decides
//! which corners hang together. Lines skip cells with a gap. Regions are the sets *at or above* a level as closed
//! outlines: drawn one over the other from the lowest level up, they leave no seams between bands, which drawing the
//! bands themselves would.

/// Heights at the nodes `(xs[i], ys[j])`, a row of `xs.len()` values for each `j`. What is not finite is a gap.
pub(crate) struct Grid<'a> {
    pub(crate) xs: &'a [f64],
    pub(crate) ys: &'a [f64],
    pub(crate) heights: &'a [f64],
}

/// A chain of points; the last joins the first if it is closed (and is not repeated).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) closed: bool,
}

impl Grid<'_> {
    /// The lines on which the height is `level`.
    pub(crate) fn lines(&self, level: f64) -> Vec<Chain> {
        let (nx, ny) = (self.xs.len(), self.ys.len());
        march(nx, ny, level, &|i, j| (self.xs[i], self.ys[j], self.heights[j * nx + i]), Gaps::Skip)
    }

    /// The outlines of where the height is `level` or more; minus infinity outlines where there is no gap. Fill them
    /// by the even-odd rule.
    pub(crate) fn region_at_or_above(&self, level: f64) -> Vec<Chain> {
        let (nx, ny) = (self.xs.len(), self.ys.len());
        if nx == 0 || ny == 0 {
            return Vec::new();
        }
        // A ring of gaps around the grid, on top of its border, closes every outline along the border.
        let node = |i: usize, j: usize| {
            let (a, b) = (i.clamp(1, nx) - 1, j.clamp(1, ny) - 1);
            let height = if a + 1 == i && b + 1 == j { self.heights[b * nx + a] } else { f64::NAN };
            (self.xs[a], self.ys[b], height)
        };
        march(nx + 2, ny + 2, level, &node, Gaps::Below)
    }
}

/// What a node without a height means.
#[derive(Clone, Copy, PartialEq)]
enum Gaps {
    /// Its cells have no line.
    Skip,
    /// It lies below every level, infinitely steeply: the outline passes through its neighbour.
    Below,
}

const NONE: usize = usize::MAX;

fn march(
    nx: usize,
    ny: usize,
    level: f64,
    node: &dyn Fn(usize, usize) -> (f64, f64, f64),
    gaps: Gaps,
) -> Vec<Chain> {
    if nx < 2 || ny < 2 {
        return Vec::new();
    }
    // Edge 2 (j nx + i) leaves node (i, j) along x, the next number along y.
    let along_x = |i: usize, j: usize| 2 * (j * nx + i);
    let along_y = |i: usize, j: usize| 2 * (j * nx + i) + 1;
    // Each edge is crossed at most once, and its crossing belongs to at most one segment on either side.
    let mut crossing = vec![(f64::NAN, f64::NAN); 2 * nx * ny];
    let mut joined = vec![[NONE; 2]; 2 * nx * ny];
    let above = |h: f64| h.is_finite() && h >= level;
    for j in 0..ny - 1 {
        for i in 0..nx - 1 {
            let corners = [node(i, j), node(i + 1, j), node(i + 1, j + 1), node(i, j + 1)];
            if gaps == Gaps::Skip && corners.iter().any(|c| !c.2.is_finite()) {
                continue;
            }
            let edges = [along_x(i, j), along_y(i + 1, j), along_x(i, j + 1), along_y(i, j)];
            let inside = corners.map(|c| above(c.2));
            let mut crossed = [0; 4];
            let mut count = 0;
            for k in 0..4 {
                let (a, b) = (k, (k + 1) % 4);
                if inside[a] != inside[b] {
                    crossing[edges[k]] = cross(corners[a], corners[b], level);
                    crossed[count] = k;
                    count += 1;
                }
            }
            let pairs: &[(usize, usize)] = match count {
                0 => &[],
                2 => &[(crossed[0], crossed[1])],
                // Edge k joins corners k and k + 1. If the middle is above, the low corners are cut off; else the high.
                _ => {
                    let mean = corners.iter().map(|c| c.2).sum::<f64>() / 4.0;
                    if above(mean) == inside[0] { &[(0, 1), (2, 3)] } else { &[(3, 0), (1, 2)] }
                }
            };
            for &(a, b) in pairs {
                join(&mut joined, edges[a], edges[b]);
                join(&mut joined, edges[b], edges[a]);
            }
        }
    }
    chains(&crossing, joined)
}

fn cross(a: (f64, f64, f64), b: (f64, f64, f64), level: f64) -> (f64, f64) {
    let t = match (a.2.is_finite(), b.2.is_finite()) {
        (true, true) => ((level - a.2) / (b.2 - a.2)).clamp(0.0, 1.0),
        (true, false) => 0.0,
        _ => 1.0,
    };
    (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
}

fn join(joined: &mut [[usize; 2]], from: usize, to: usize) {
    let free = usize::from(joined[from][0] != NONE);
    debug_assert_eq!(joined[from][free], NONE, "a crossing has at most two neighbours");
    joined[from][free] = to;
}

/// Follows the segments: first from the loose ends, then around what is left, which are loops.
fn chains(crossing: &[(f64, f64)], joined: Vec<[usize; 2]>) -> Vec<Chain> {
    let mut joined = joined;
    let mut found = Vec::new();
    for loops in [false, true] {
        for start in 0..joined.len() {
            let ends = joined[start].iter().filter(|n| **n != NONE).count();
            if ends == 0 || (!loops && ends == 2) {
                continue;
            }
            let mut points: Vec<(f64, f64)> = vec![crossing[start]];
            let mut at = start;
            while let Some(side) = (0..2).find(|s| joined[at][*s] != NONE) {
                let next = joined[at][side];
                joined[at][side] = NONE;
                let back = usize::from(joined[next][0] != at);
                joined[next][back] = NONE;
                at = next;
                // A level that passes exactly through a node crosses its edges at one point.
                if points.last() != Some(&crossing[at]) {
                    points.push(crossing[at]);
                }
            }
            if loops && points.len() > 1 && points.first() == points.last() {
                points.pop();
            }
            if points.len() > 1 {
                found.push(Chain { points, closed: loops });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
