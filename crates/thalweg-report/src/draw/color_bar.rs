//! The colours of a surface and the bar that explains them.

use super::frame::{self, TICK_SIZE};
use crate::palette::{self, Color, INK, MUTED};
use crate::scale::Span;
use crate::scene::{Anchor, Outline, Rect, Scene, Stroke, Word};
use crate::ticks::levels;

/// A surface has about this many levels: enough to see its shape, few enough to count.
const LEVELS: usize = 12;
pub(crate) const BAR: f64 = 16.0;

/// The bands between the levels, from the lowest up.
pub(crate) struct Bands {
    /// The span of the heights.
    pub(crate) span: Span,
    /// The levels with their text, in increasing order; one fewer than there are bands.
    pub(crate) levels: Vec<(f64, String)>,
}

impl Bands {
    pub(crate) fn new(span: Span) -> Self {
        Self { span, levels: levels(&span, LEVELS) }
    }

    /// The share of the bar at which band `k` begins; the band after the last begins at 1.
    fn begins(&self, k: usize) -> f64 {
        match k {
            0 => 0.0,
            _ => self.levels.get(k - 1).and_then(|(v, _)| self.span.share(*v)).unwrap_or(1.0),
        }
    }

    /// The colour of band `k`: that of its middle, except that the outermost bands show the ends of the map.
    pub(crate) fn color(&self, k: usize) -> Color {
        let last = self.levels.len();
        let share = match k {
            0 => 0.0,
            k if k >= last => 1.0,
            k => (self.begins(k) + self.begins(k + 1)) / 2.0,
        };
        palette::viridis(if last == 0 { 0.5 } else { share })
    }

    /// The colour of a single height.
    pub(crate) fn color_at(&self, height: f64) -> Color {
        self.color(self.levels.iter().take_while(|(v, _)| height >= *v).count())
    }

    /// The width that the bar needs with its texts.
    pub(crate) fn room(&self) -> f64 {
        BAR + 8.0 + frame::widest(self.levels.iter().map(|(_, t)| &t[..]), TICK_SIZE) + 26.0
    }

    /// Draws the bar with its left edge at `x`, beside the plot.
    pub(crate) fn draw_bar(&self, scene: &mut Scene, plot: &Rect, x: f64, label: &str) {
        let place = |share: f64| plot.bottom() - share * plot.height;
        for k in 0..=self.levels.len() {
            let (low, high) = (place(self.begins(k)), place(self.begins(k + 1)));
            // A hair of overlap: no white line may show between two bands.
            let low = if k == 0 { low } else { low + 0.5 };
            scene.fill(Outline::rect(Rect { x, y: high, width: BAR, height: low - high }), self.color(k));
        }
        let rim = Rect { x, y: plot.y, width: BAR, height: plot.height };
        scene.stroke(Outline::rect(rim), Stroke::new(MUTED, 0.8));
        let mut free_below = f64::INFINITY;
        for (v, text) in &self.levels {
            let y = place(self.span.share(*v).unwrap_or(0.0));
            scene.stroke(Outline::line(x + BAR, y, x + BAR + 3.0, y), Stroke::new(MUTED, 0.8));
            if y + 7.0 < free_below {
                scene.word(Word::new(text, x + BAR + 6.0, y + 4.2, TICK_SIZE, INK));
                free_below = y - 7.0;
            }
        }
        let widest = frame::widest(self.levels.iter().map(|(_, t)| &t[..]), TICK_SIZE);
        let size = frame::fitting(label, plot.height + 20.0);
        let (x, y) = (x + BAR + 8.0 + widest + 16.0, plot.y + plot.height / 2.0);
        scene.word(Word::new(label, x, y, size, INK).anchor(Anchor::Middle).turn(-90.0));
    }
}
