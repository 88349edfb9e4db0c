//! One figure of a page: its still picture, its record for the script, and its caption.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape::{json_in_script, markup};
use crate::draw::style::{Look, sign};
use crate::draw::{self, Dress};
use crate::palette;
use crate::record::Figure;

/// What the script draws from: the record, and what was decided about its lines.
#[derive(Serialize)]
struct Data<'a> {
    record: &'a Figure,
    looks: Vec<Look>,
}

pub(super) fn write(out: &mut String, record: &Figure, number: usize) {
    let scene = draw::scene(record, Dress { notes: false, ..Dress::PLAIN });
    let looks = match record {
        Figure::Curves(curves) => curves.series.iter().enumerate().map(|(k, s)| Look::of(s, k)).collect(),
        Figure::Surface(_) => Vec::new(),
        Figure::Spectrum(spectrum) => (0..spectrum.groups.len())
            .map(|k| Look { color: palette::line(k), dash: Some(&[]), sign: Some(sign(k)) })
            .collect(),
    };
    let data =
        serde_json::to_string(&Data { record, looks }).expect("a record is plain data with string keys");
    let title = markup(record.title());
    let stop =
        if record.title().ends_with(['.', '?', '!', ':']) || record.title().is_empty() { "" } else { "." };
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<figure id=\"figure-{number}\">\n<div class=\"controls\" role=\"toolbar\" aria-label=\"Figure {number}: scales and \
         views\" hidden></div>\n<div class=\"still\">{}</div>\n\
         <div class=\"live\" tabindex=\"0\" role=\"group\" aria-label=\"{title}. Arrow keys move, plus and minus zoom, 0 \
         resets.\" aria-describedby=\"caption-{number}\" hidden></div>\n",
        scene.svg_fragment(&format!("f{number}"))
    );
    for note in &scene.notes {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", markup(note));
    }
    let _ = write!(
        out,
        "<figcaption id=\"caption-{number}\"><b>Figure {number}. {title}{stop}</b> {}</figcaption>\n\
         <script type=\"application/json\" class=\"data\">{}</script>\n</figure>\n",
        markup(record.caption()),
        json_in_script(&data)
    );
}
