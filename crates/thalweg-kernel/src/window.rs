//! Windows that slide along an axis.

/// One axis along which a window slides: input position = stride·(output position) + dilation·tap − before. Positions
/// outside of the input are padding: zeros in a sum, and no candidates for a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Input positions.
    pub input: usize,
    /// Taps: positions in the window.
    pub taps: usize,
    /// Output positions.
    pub output: usize,
    /// Input positions from one output position to the next; at least 1.
    pub stride: usize,
    /// Input positions from one tap to the next; at least 1.
    pub dilation: usize,
    /// Padding before the first input position.
    pub before: usize,
}

impl Window {
    /// A window with as many output positions as fit between padding `before` in front and `after` behind, as PyTorch
    /// counts them: ⌊(input + before + after − dilation·(taps − 1) − 1)/stride⌋ + 1; none if the window does not fit.
    pub fn new(
        input: usize,
        taps: usize,
        stride: usize,
        dilation: usize,
        [before, after]: [usize; 2],
    ) -> Self {
        let reach = dilation.saturating_mul(taps.saturating_sub(1)).saturating_add(1);
        let room = input.saturating_add(before).saturating_add(after).checked_sub(reach);
        let output = room.map_or(0, |room| room / stride.max(1) + 1);
        Self { input, taps, output, stride, dilation, before }
    }

    /// The input position of a tap at an output position, if it lies inside the input.
    pub fn place(&self, output: usize, tap: usize) -> Option<usize> {
        let at = (self.stride * output + self.dilation * tap).checked_sub(self.before)?;
        (at < self.input).then_some(at)
    }

    /// Whether each output position has a tap inside the input.
    pub fn sees_everywhere(&self) -> bool {
        // Later taps see earlier output positions: the ranges begin in order, from the last tap to the first.
        let mut seen = 0;
        for outputs in (0..self.taps).rev().map(|tap| self.inside(tap).0) {
            if outputs.start <= seen {
                seen = seen.max(outputs.end);
            }
        }
        seen == self.output
    }

    /// The output positions whose tap `tap` lies inside the input, and the first one's input position.
    pub fn inside(&self, tap: usize) -> (std::ops::Range<usize>, usize) {
        let shift = self.dilation.saturating_mul(tap);
        let first = self.before.saturating_sub(shift).div_ceil(self.stride);
        // stride·y + shift − before < input
        let end = self.input.saturating_add(self.before).saturating_sub(shift).div_ceil(self.stride);
        let end = end.min(self.output);
        let first = first.min(end);
        (first..end, (self.stride * first + shift).saturating_sub(self.before))
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn windows_know_which_positions_lie_inside() {
        for input in 0..7 {
            for taps in 1..5 {
                for (stride, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
                    for (before, after) in [(0, 0), (1, 1), (2, 0), (0, 5), (7, 1)] {
                        let window = Window::new(input, taps, stride, dilation, [before, after]);
                        let last = |output: usize| stride * (output - 1) + dilation * (taps - 1);
                        let room = input + before + after;
                        assert!(window.output == 0 || last(window.output) < room);
                        assert!(last(window.output + 1) >= room);
                        for tap in 0..taps {
                            let (found, first) = window.inside(tap);
                            let place = |y: usize| (stride * y + dilation * tap).checked_sub(before);
                            let inside = |&y: &usize| place(y).is_some_and(|x| x < input);
                            for y in 0..window.output {
                                assert_eq!(window.place(y, tap), place(y).filter(|_| inside(&y)));
                            }
                            let truth: Vec<usize> = (0..window.output).filter(inside).collect();
                            assert_eq!(found.clone().collect::<Vec<_>>(), truth, "{window:?}, tap {tap}");
                            assert!(truth.first().is_none_or(|&y| place(y) == Some(first)));
                        }
                        let sees = |y| (0..taps).any(|tap| window.inside(tap).0.contains(&y));
                        assert_eq!(window.sees_everywhere(), (0..window.output).all(sees), "{window:?}");
                    }
                }
            }
        }
    }
}
