//! A drawing as SVG 1.1: words stay words, set in the embedded face.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Anchor, Fill, Item, Outline, Rect, Scene, Stroke, Word};
use crate::font::{self, Weight};
use crate::html::escape;
use crate::typeset::{self, SUBSCRIPT_DROP, SUBSCRIPT_SIZE};

/// The name under which the embedded face is known, in an SVG and in a page alike.
const FAMILY: &str = "thalweg-sans";

/// `@font-face` rules for both weights, with the face itself inside.
pub(crate) fn font_rules() -> String {
    let rule = |bytes: &[u8], weight: u16| {
        format!(
            "@font-face{{font-family:{FAMILY};font-weight:{weight};src:url(data:font/woff2;base64,{}) format('woff2')}}",
            BASE64.encode(bytes)
        )
    };
    rule(font::REGULAR_WOFF2, 400) + &rule(font::MEDIUM_WOFF2, 500)
}

impl Scene {
    /// A file of its own, face included.
    pub(crate) fn svg(&self) -> String {
        self.write_svg("c", Some(&font_rules()))
    }

    /// A fragment for a page that carries [`font_rules`]; `prefix` keeps its ids apart from those of others.
    pub(crate) fn svg_fragment(&self, prefix: &str) -> String {
        self.write_svg(prefix, None)
    }

    fn write_svg(&self, prefix: &str, style: Option<&str>) -> String {
        let (w, h) = (num(self.width), num(self.height));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             role=\"img\" aria-labelledby=\"{prefix}-title {prefix}-desc\" \
             font-family=\"{FAMILY}, Roboto, Helvetica, Arial, sans-serif\">\n\
             <title id=\"{prefix}-title\">{}</title>\n<desc id=\"{prefix}-desc\">{}</desc>\n",
            escape::markup(&self.title),
            escape::markup(&self.description)
        );
        if let Some(style) = style {
            let _ = writeln!(out, "<style>{style}text{{font-kerning:none}}</style>");
        }
        let _ = writeln!(out, "<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>");
        let mut clips = 0;
        for item in &self.items {
            match item {
                Item::Shape { outline, fill, stroke } => {
                    let _ = writeln!(
                        out,
                        "<path d=\"{}\"{}{}/>",
                        path_data(outline),
                        fill_attributes(fill.as_ref()),
                        stroke_attributes(stroke.as_ref())
                    );
                }
                Item::Disc { x, y, radius, fill, stroke } => {
                    let _ = writeln!(
                        out,
                        "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}{}/>",
                        num(*x),
                        num(*y),
                        num(*radius),
                        fill_attributes(fill.as_ref()),
                        stroke_attributes(stroke.as_ref())
                    );
                }
                Item::Word(word) => write_word(&mut out, word),
                Item::Clip(Rect { x, y, width, height }) => {
                    clips += 1;
                    let _ = writeln!(
                        out,
                        "<clipPath id=\"{prefix}-{clips}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n\
                         <g clip-path=\"url(#{prefix}-{clips})\">",
                        num(*x),
                        num(*y),
                        num(*width),
                        num(*height)
                    );
                }
                Item::Unclip => out.push_str("</g>\n"),
            }
        }
        out.push_str("</svg>\n");
        out
    }
}

fn write_word(out: &mut String, word: &Word) {
    let Word { text, x, y, size, weight, anchor, turn, color, halo } = word;
    let (x, y) = (num(*x), num(*y));
    let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"", num(*size), color.hex());
    if *weight == Weight::Medium {
        out.push_str(" font-weight=\"500\"");
    }
    match anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(" text-anchor=\"middle\""),
        Anchor::End => out.push_str(" text-anchor=\"end\""),
    }
    if *turn != 0.0 {
        let _ = write!(out, " transform=\"rotate({} {x} {y})\"", num(*turn));
    }
    if let Some(halo) = halo {
        let _ = write!(
            out,
            " stroke=\"{}\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"",
            halo.hex()
        );
    }
    out.push('>');
    let mut is_lowered = false;
    for run in typeset::runs(text) {
        let text = escape::markup(run.text);
        let drop = num(size * SUBSCRIPT_DROP);
        let _ = match (run.is_subscript, is_lowered) {
            (true, _) => {
                write!(
                    out,
                    "<tspan dy=\"{drop}\" font-size=\"{}\">{text}</tspan>",
                    num(size * SUBSCRIPT_SIZE)
                )
            }
            (false, true) => write!(out, "<tspan dy=\"-{drop}\">{text}</tspan>"),
            (false, false) => write!(out, "{text}"),
        };
        is_lowered = run.is_subscript;
    }
    out.push_str("</text>\n");
}

fn fill_attributes(fill: Option<&Fill>) -> String {
    match fill {
        None => " fill=\"none\"".to_owned(),
        Some(Fill { color, opacity }) if *opacity < 1.0 => {
            format!(" fill=\"{}\" fill-opacity=\"{}\" fill-rule=\"evenodd\"", color.hex(), num(*opacity))
        }
        Some(Fill { color, .. }) => format!(" fill=\"{}\" fill-rule=\"evenodd\"", color.hex()),
    }
}

fn stroke_attributes(stroke: Option<&Stroke>) -> String {
    let Some(Stroke { color, width, opacity, dash }) = stroke else {
        return String::new();
    };
    let mut out = format!(
        " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"{}\"",
        color.hex(),
        num(*width),
        if dash.is_empty() { "round" } else { "butt" }
    );
    if *opacity < 1.0 {
        let _ = write!(out, " stroke-opacity=\"{}\"", num(*opacity));
    }
    if !dash.is_empty() {
        let dash: Vec<String> = dash.iter().map(|d| num(*d)).collect();
        let _ = write!(out, " stroke-dasharray=\"{}\"", dash.join(" "));
    }
    out
}

fn path_data(outline: &Outline) -> String {
    let mut out = String::new();
    for piece in &outline.pieces {
        for (at, (x, y)) in piece.points.iter().enumerate() {
            let _ = write!(out, "{}{} {}", if at == 0 { 'M' } else { 'L' }, num(*x), num(*y));
        }
        if piece.closed {
            out.push('Z');
        }
    }
    out
}

/// At most two decimals and no superfluous zero: a hundredth of a pixel is invisible, and files stay small.
fn num(v: f64) -> String {
    let text = format!("{v:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
