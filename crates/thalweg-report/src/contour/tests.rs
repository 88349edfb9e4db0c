use super::*;

fn axis(n: usize, from: f64, to: f64) -> Vec<f64> {
    (0..n).map(|k| from + (to - from) * k as f64 / (n - 1) as f64).collect()
}

fn sampled(xs: &[f64], ys: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    ys.iter().flat_map(|&y| xs.iter().map(move |&x| (x, y))).map(|(x, y)| f(x, y)).collect()
}

/// The area that outlines enclose by the even-odd rule, for outlines that are nested without crossing: the sum of
/// the signed areas with the sign by depth is not needed here, as all tests have disjoint or known nestings.
fn area(chain: &Chain) -> f64 {
    let n = chain.points.len();
    let cross = |k: usize| {
        let ((x1, y1), (x2, y2)) = (chain.points[k], chain.points[(k + 1) % n]);
        x1 * y2 - x2 * y1
    };
    ((0..n).map(cross).sum::<f64>() / 2.0).abs()
}

fn length(chain: &Chain) -> f64 {
    let n = chain.points.len();
    let last = if chain.closed { n } else { n - 1 };
    let step = |k: usize| {
        let ((x1, y1), (x2, y2)) = (chain.points[k], chain.points[(k + 1) % n]);
        (x2 - x1).hypot(y2 - y1)
    };
    (0..last).map(step).sum()
}

#[test]
fn circles_converge_to_circles() {
    let mut errors = Vec::new();
    for n in [21, 41, 81] {
        // Unequal axes: a grid whose two directions are confused would show here.
        let (xs, ys) = (axis(n, -2.0, 2.0), axis(n + 6, -1.5, 1.5));
        let heights = sampled(&xs, &ys, |x, y| x * x + y * y);
        let grid = Grid { xs: &xs, ys: &ys, heights: &heights };
        let lines = grid.lines(1.0);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].closed);
        let worst = lines[0].points.iter().map(|(x, y)| (x.hypot(*y) - 1.0).abs()).fold(0.0, f64::max);
        assert!((length(&lines[0]) / std::f64::consts::TAU - 1.0).abs() < worst);
        assert!((area(&lines[0]) / std::f64::consts::PI - 1.0).abs() < 2.0 * worst);
        errors.push(worst);
    }
    // Linear interpolation errs by the second derivative times the square of the step.
    assert!(errors[0] < 0.01 && errors[1] < errors[0] / 3.0 && errors[2] < errors[1] / 3.0, "{errors:?}");
}

#[test]
fn a_region_and_its_complement_fill_the_grid() {
    let (xs, ys) = (axis(31, -1.0, 2.0), axis(17, 0.0, 1.0));
    let heights = sampled(&xs, &ys, |x, _| x);
    let grid = Grid { xs: &xs, ys: &ys, heights: &heights };
    let everywhere = grid.region_at_or_above(f64::NEG_INFINITY);
    assert_eq!(everywhere.len(), 1);
    assert!((area(&everywhere[0]) - 3.0).abs() < 1e-12);
    let right = grid.region_at_or_above(0.55);
    assert!(right.iter().all(|chain| chain.closed));
    assert!((right.iter().map(area).sum::<f64>() - 1.45).abs() < 1e-12);
    assert!(grid.region_at_or_above(2.5).is_empty());
}

#[test]
fn lines_that_leave_the_grid_are_open_and_reach_its_border() {
    let (xs, ys) = (axis(11, 0.0, 1.0), axis(7, 0.0, 1.0));
    let heights = sampled(&xs, &ys, |x, y| x + 0.1 * y);
    let lines = Grid { xs: &xs, ys: &ys, heights: &heights }.lines(0.5);
    assert_eq!(lines.len(), 1);
    let chain = &lines[0];
    assert!(!chain.closed);
    let ends = [chain.points[0].1, chain.points[chain.points.len() - 1].1];
    assert_eq!((ends[0].min(ends[1]), ends[0].max(ends[1])), (0.0, 1.0));
    assert!(chain.points.iter().all(|(x, y)| (x + 0.1 * y - 0.5).abs() < 1e-12));
}

#[test]
fn saddles_are_cut_by_their_middle() {
    let unit = [0.0, 1.0];
    // High corners at (0,0) and (1,1); the mean is 0.5.
    let heights = [1.0, 0.0, 0.0, 1.0];
    let grid = Grid { xs: &unit, ys: &unit, heights: &heights };
    // Above the mean the high corners are apart: each line stays on one side of the falling diagonal x + y = 1.
    for chain in grid.lines(0.75) {
        let sides: Vec<bool> = chain.points.iter().map(|(x, y)| x + y < 1.0).collect();
        assert!(sides.windows(2).all(|w| w[0] == w[1]), "{chain:?}");
    }
    // Below it they hang together: each line stays on one side of the rising diagonal.
    let low = grid.lines(0.25);
    assert_eq!(low.len(), 2);
    for chain in low {
        let sides: Vec<bool> = chain.points.iter().map(|(x, y)| x < y).collect();
        assert!(sides.windows(2).all(|w| w[0] == w[1]), "{chain:?}");
    }
}

#[test]
fn gaps_cut_lines_and_regions() {
    let (xs, ys) = (axis(9, 0.0, 8.0), axis(9, 0.0, 8.0));
    let mut heights = sampled(&xs, &ys, |x, _| x);
    heights[4 * 9 + 4] = f64::NAN;
    heights[0] = f64::INFINITY;
    let grid = Grid { xs: &xs, ys: &ys, heights: &heights };
    let lines = grid.lines(3.5);
    assert_eq!(lines.len(), 2, "the four cells around the gap have no line");
    assert!((lines.iter().map(length).sum::<f64>() - 6.0).abs() < 1e-12);
    // A missing node takes the diamond of its neighbours, a missing corner half a cell.
    let everywhere = grid.region_at_or_above(f64::NEG_INFINITY);
    let mut areas: Vec<f64> = everywhere.iter().map(area).collect();
    areas.sort_by(f64::total_cmp);
    assert_eq!(areas, [2.0, 63.5], "a hole and the outline around it");
}

#[test]
fn grids_without_cells_have_no_lines() {
    let one = [0.0];
    let grid = Grid { xs: &one, ys: &one, heights: &one };
    assert!(grid.lines(0.0).is_empty());
    assert!(Grid { xs: &[], ys: &[], heights: &[] }.region_at_or_above(0.0).is_empty());
}

#[test]
fn a_level_through_the_nodes_gives_each_point_once() {
    let (xs, ys) = (axis(5, -2.0, 2.0), axis(5, -2.0, 2.0));
    let heights = sampled(&xs, &ys, |x, y| x.abs().max(y.abs()));
    for chain in (Grid { xs: &xs, ys: &ys, heights: &heights }).lines(1.0) {
        assert!(chain.points.windows(2).all(|w| w[0] != w[1]), "{chain:?}");
    }
}
