//! A drawing as pixels.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Rect as SkiaRect, StrokeDash,
    Transform,
};

use super::{Anchor, Fill, Item, Outline, Scene, Stroke, Word};
use crate::font::{self, Pen};
use crate::palette::Color;

/// No side of a picture has more pixels than this.
const LARGEST_SIDE: f64 = 16_384.0;

impl Scene {
    /// The drawing with `scale` pixels for each CSS pixel, encoded as PNG. The scale is kept between 1/8 and what a
    /// side of 16 384 pixels allows.
    pub(crate) fn png(&self, scale: f64) -> Vec<u8> {
        let most = LARGEST_SIDE / self.width.max(self.height).max(1.0);
        let scale = if scale.is_finite() { scale.clamp(0.125_f64.min(most), most) } else { 1.0 };
        let side = |v: f64| ((v * scale).ceil() as u32).max(1);
        let mut pixels = Pixmap::new(side(self.width), side(self.height))
            .expect("the sides are between 1 and the largest");
        pixels.fill(tiny_skia::Color::WHITE);
        let view = Transform::from_scale(scale as f32, scale as f32);
        let mut clip: Option<Mask> = None;
        for item in &self.items {
            match item {
                Item::Shape { outline, fill, stroke } => {
                    if let Some(path) = path_of(outline) {
                        draw(&mut pixels, &path, fill.as_ref(), stroke.as_ref(), view, clip.as_ref());
                    }
                }
                Item::Disc { x, y, radius, fill, stroke } => {
                    if let Some(path) = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32) {
                        draw(&mut pixels, &path, fill.as_ref(), stroke.as_ref(), view, clip.as_ref());
                    }
                }
                Item::Word(word) => draw_word(&mut pixels, word, view, clip.as_ref()),
                Item::Clip(r) => {
                    let mut mask =
                        Mask::new(pixels.width(), pixels.height()).expect("as large as the picture");
                    let rect = SkiaRect::from_xywh(r.x as f32, r.y as f32, r.width as f32, r.height as f32);
                    if let Some(rect) = rect {
                        mask.fill_path(&PathBuilder::from_rect(rect), FillRule::Winding, true, view);
                    }
                    clip = Some(mask);
                }
                Item::Unclip => clip = None,
            }
        }
        pixels.encode_png().expect("encoding into memory does not fail")
    }
}

fn paint(color: Color, opacity: f64) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    let alpha = (opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
    paint.set_color_rgba8(color.0, color.1, color.2, alpha);
    paint
}

fn draw(
    pixels: &mut Pixmap,
    path: &Path,
    fill: Option<&Fill>,
    stroke: Option<&Stroke>,
    view: Transform,
    clip: Option<&Mask>,
) {
    if let Some(Fill { color, opacity }) = fill {
        pixels.fill_path(path, &paint(*color, *opacity), FillRule::EvenOdd, view, clip);
    }
    if let Some(Stroke { color, width, opacity, dash }) = stroke {
        let dashes = dash.iter().map(|d| *d as f32).collect();
        let line_cap = if dash.is_empty() { LineCap::Round } else { LineCap::Butt };
        let stroke = tiny_skia::Stroke {
            width: *width as f32,
            line_cap,
            line_join: LineJoin::Round,
            dash: StrokeDash::new(dashes, 0.0),
            ..tiny_skia::Stroke::default()
        };
        pixels.stroke_path(path, &paint(*color, *opacity), &stroke, view, clip);
    }
}

fn draw_word(pixels: &mut Pixmap, word: &Word, view: Transform, clip: Option<&Mask>) {
    let mut builder = PathBuilder::new();
    font::outline(&word.text, word.size, word.weight, &mut builder);
    let Some(path) = builder.finish() else {
        return;
    };
    let width = font::width(&word.text, word.size, word.weight);
    let shift = match word.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let place = view
        .pre_translate(word.x as f32, word.y as f32)
        .pre_rotate(word.turn as f32)
        .pre_translate(shift as f32, 0.0);
    if let Some(halo) = word.halo {
        let rim =
            tiny_skia::Stroke { width: 3.0, line_join: LineJoin::Round, ..tiny_skia::Stroke::default() };
        pixels.stroke_path(&path, &paint(halo, 1.0), &rim, place, clip);
    }
    // Letters overlap themselves in places: the winding rule fills them, the even-odd rule would cut them.
    pixels.fill_path(&path, &paint(word.color, 1.0), FillRule::Winding, place, clip);
}

fn path_of(outline: &Outline) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for piece in &outline.pieces {
        for (at, (x, y)) in piece.points.iter().enumerate() {
            let (x, y) = (*x as f32, *y as f32);
            if at == 0 {
                builder.move_to(x, y);
            } else {
                builder.line_to(x, y);
            }
        }
        if piece.closed {
            builder.close();
        }
    }
    builder.finish()
}

impl Pen for PathBuilder {
    fn move_to(&mut self, x: f32, y: f32) {
        Self::move_to(self, x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        Self::line_to(self, x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        Self::quad_to(self, x1, y1, x, y);
    }
    fn close(&mut self) {
        Self::close(self);
    }
}
