//! A page as one HTML file.
//!
//! Every figure stands in it twice: as its still SVG, which is what is printed and what is there without scripts, and
//! as its record, from which the script draws the plot that can be handled. The content security policy names the two
//! scripts by their digests and allows no other, and no request at all.

pub(crate) mod escape;
mod figure;

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use crate::palette;
use crate::record::{Convention, Entry, Finding, Page, Section};
use crate::scene::font_rules;
use escape::{json_in_script, markup, set};

const STYLE: &str = include_str!("../../assets/page/page.css");
/// One scope for all parts: nothing of the page's own is global.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../../assets/page/text.js"),
    include_str!("../../assets/page/scales.js"),
    include_str!("../../assets/page/curves.js"),
    include_str!("../../assets/page/words.js"),
    include_str!("../../assets/page/surface.js"),
    include_str!("../../assets/page/spectrum.js"),
    include_str!("../../assets/page/page.js"),
    "})();\n"
);
const PLOTLY: &str = include_str!("../../assets/plotly/plotly-thalweg.min.js");
const PLOTLY_LICENCES: &str = include_str!("../../assets/plotly/LICENSES");
const FONT_LICENCE: &str = include_str!("../../assets/font/LICENSE");

/// The digest of an inline script, as a content security policy names it.
fn digest(script: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(script.as_bytes())))
}

fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        format!(
            "default-src 'none'; script-src {} {}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; \
             base-uri 'none'; form-action 'none'",
            digest(PLOTLY),
            digest(SCRIPT)
        )
    })
}

/// Colours for the script, from the same palette as the still pictures.
fn theme() -> String {
    let stops: Vec<(f64, String)> =
        (0..=32).map(|k| f64::from(k) / 32.0).map(|share| (share, palette::viridis(share).hex())).collect();
    let paths: Vec<palette::Color> = (0..4).map(palette::path).collect();
    serde_json::json!({
        "ink": palette::INK, "muted": palette::MUTED, "grid": palette::GRID, "viridis": stops, "paths": paths,
    })
    .to_string()
}

/// The whole file.
pub(crate) fn page(page: &Page) -> String {
    let Page { title, subtitle, findings, sections, conventions, provenance } = page;
    let mut out = String::with_capacity(PLOTLY.len() + (1 << 20));
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"thalweg-report {}\">\n<title>{}</title>\n<style>\n{}\n{STYLE}</style>\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to the findings</a>\n<header>\n<h1>{}</h1>\n",
        policy(),
        env!("CARGO_PKG_VERSION"),
        markup(title),
        font_rules(),
        set(title)
    );
    if !subtitle.is_empty() {
        let _ = writeln!(out, "<p class=\"subtitle\">{}</p>", set(subtitle));
    }
    write_contents(&mut out, page);
    out.push_str("</header>\n<main id=\"content\">\n");
    write_findings(&mut out, findings);
    let mut number = 0;
    for (k, section) in sections.iter().enumerate() {
        write_section(&mut out, section, k + 1, &mut number);
    }
    write_conventions(&mut out, conventions);
    write_provenance(&mut out, provenance);
    let _ = write!(
        out,
        "</main>\n<footer>\n<p>Made by thalweg-report {}. Everything that this page shows is inside this file.</p>\n\
         <details><summary>Licences of what is inside</summary>\n<pre tabindex=\"0\">Plots: plotly.js 3.7.0. Type: Roboto, \
         Apache License 2.0, cut down to the characters that are used, with a few signs added.\n\n{}\n\n{}</pre></details>\n\
         </footer>\n<script type=\"application/json\" id=\"theme\">{}</script>\n<script>{PLOTLY}</script>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        markup(PLOTLY_LICENCES),
        markup(FONT_LICENCE),
        json_in_script(&theme())
    );
    out
}

fn write_contents(out: &mut String, page: &Page) {
    let sections = page.sections.iter().enumerate();
    let mut places: Vec<(String, &str)> =
        sections.map(|(k, section)| (format!("section-{}", k + 1), &section.heading[..])).collect();
    let ends = [
        ("conventions", "Conventions", page.conventions.len()),
        ("provenance", "Provenance", page.provenance.len()),
    ];
    let ends = ends.into_iter().filter(|(.., entries)| *entries > 0);
    places.extend(ends.map(|(id, heading, _)| (id.to_owned(), heading)));
    if places.len() < 3 {
        return;
    }
    out.push_str("<nav aria-label=\"Contents\"><ul>\n");
    for (id, heading) in places {
        let _ = writeln!(out, "<li><a href=\"#{id}\">{}</a></li>", set(heading));
    }
    out.push_str("</ul></nav>\n");
}

fn write_findings(out: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    out.push_str(
        "<section class=\"findings\" aria-label=\"Findings\"><div class=\"scroll\"><table>\n<thead><tr>\
         <th scope=\"col\">Finding</th><th scope=\"col\" class=\"value\">Value</th><th scope=\"col\">Unit</th>\
         <th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n",
    );
    for Finding { name, value, unit, meaning } in findings {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"value\">{}</td><td class=\"unit\">{}</td>\
             <td class=\"meaning\">{}</td></tr>",
            set(name),
            set(value),
            set(unit),
            set(meaning)
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn write_section(out: &mut String, section: &Section, k: usize, number: &mut usize) {
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"section-{k}\">\n<h2 id=\"section-{k}\">{}</h2>",
        set(&section.heading)
    );
    let paragraphs = section.prose.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    for paragraph in paragraphs {
        let _ = writeln!(out, "<p>{}</p>", with_code(paragraph));
    }
    for record in &section.figures {
        *number += 1;
        figure::write(out, record, *number);
    }
    out.push_str("</section>\n");
}

/// A paragraph whose `backquoted` parts are code. A quote without its partner is a quote.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let part = |(k, part): (usize, &&str)| match k % 2 {
        1 if k < last => format!("<code>{}</code>", markup(part)),
        1 => format!("`{}", set(part)),
        _ => set(part),
    };
    parts.iter().enumerate().map(part).collect()
}

fn write_conventions(out: &mut String, conventions: &[Convention]) {
    if conventions.is_empty() {
        return;
    }
    out.push_str(
        "<section class=\"conventions\" aria-labelledby=\"conventions\"><h2 id=\"conventions\">Conventions</h2>\n<div class=\"scroll\"><table>\n\
         <thead><tr><th scope=\"col\">Of</th><th scope=\"col\">Convention</th><th scope=\"col\">Meaning</th></tr></thead>\n\
         <tbody>\n",
    );
    for Convention { name, value, meaning } in conventions {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"meaning\">{}</td></tr>",
            set(name),
            set(value),
            set(meaning)
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn write_provenance(out: &mut String, provenance: &[Entry]) {
    if provenance.is_empty() {
        return;
    }
    out.push_str(
        "<section class=\"provenance\" aria-labelledby=\"provenance\"><h2 id=\"provenance\">Provenance</h2>\n\
         <div class=\"scroll\"><table>\n<tbody>\n",
    );
    for Entry { name, value } in provenance {
        // What has lines of its own keeps them: a configuration is copied from here.
        let value = match value.trim_end().contains('\n') {
            true => format!("<pre tabindex=\"0\">{}</pre>", markup(value.trim_end())),
            false => markup(value).into_owned(),
        };
        let _ = writeln!(out, "<tr><th scope=\"row\">{}</th><td>{value}</td></tr>", set(name));
    }
    out.push_str("</tbody></table></div></section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backquotes_set_code_in_pairs() {
        assert_eq!(with_code("run `a<b` now"), "run <code>a&lt;b</code> now");
        assert_eq!(with_code("one ` alone & no more"), "one ` alone &amp; no more");
        assert_eq!(with_code("`a` and `b"), "<code>a</code> and `b");
        assert_eq!(with_code(""), "");
    }

    #[test]
    fn digests_are_those_of_sha_256() {
        // FIPS 180-4, the message "abc".
        assert_eq!(digest("abc"), "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
    }
}
