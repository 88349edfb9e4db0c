//! One figure of a page: its still picture, its record for the script, and its caption.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape::{json_in_script, markup, set};
use std::collections::BTreeMap;

use crate::draw::style::{Look, sign};
use crate::draw::{self, Dress, needs_legend};
use crate::palette;
use crate::palette::Color;
use crate::record::{Figure, Scale, Surface};

/// What the script draws from: the record, and what was decided about its lines and colours.
#[derive(Serialize)]
struct Data<'a> {
    record: &'a Figure,
    looks: Vec<Look>,
    has_legend: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    bands: BTreeMap<&'static str, Bands>,
}

/// The levels of a surface on one scale, in increasing order, with their text, and the colours between them.
#[derive(Serialize)]
struct Bands {
    levels: Vec<(f64, String)>,
    colors: Vec<Color>,
}

fn bands(surface: &Surface) -> BTreeMap<&'static str, Bands> {
    let scales = [("linear", Scale::Linear), ("log", Scale::Log), ("sym_log", Scale::SymLog)];
    let on = |(name, scale)| {
        let bands = draw::bands_on(surface, scale);
        let colors = (0..=bands.levels.len()).map(|k| bands.color(k)).collect();
        (name, Bands { levels: bands.levels, colors })
    };
    scales.into_iter().map(on).collect()
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
    let (has_legend, bands) = match record {
        Figure::Curves(curves) => (needs_legend(curves), BTreeMap::new()),
        Figure::Surface(surface) => (true, bands(surface)),
        Figure::Spectrum(_) => (false, BTreeMap::new()),
    };
    let data = serde_json::to_string(&Data { record, looks, has_legend, bands })
        .expect("a record is plain data with string keys");
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
        let _ = writeln!(out, "<p class=\"note\">{}</p>", set(note));
    }
    let _ = write!(
        out,
        "<figcaption id=\"caption-{number}\"><b>Figure\u{a0}{number}. {}{stop}</b> {}</figcaption>\n\
         <script type=\"application/json\" class=\"data\">{}</script>\n</figure>\n",
        set(record.title()),
        set(record.caption()),
        json_in_script(&data)
    );
}
