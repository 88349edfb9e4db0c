//! A page needs nothing from outside, says everything that it was given, and takes nothing for markup.

use roxmltree::Document;
use thalweg_report::{Axis, Curves, Eigenvalues, Mark, Page, Path, Series, Spectrum, Surface};

/// A page with `text` in every place where text can stand.
fn page(text: &str) -> Page {
    let axis = || Axis::new(text).unit(text);
    let curves = Curves::new(text, axis(), axis())
        .caption(text)
        .with(Series::new(text, vec![0.0, 1.0], vec![1.0, f64::NAN]).unwrap())
        .mark(Mark::x(0.5, text))
        .mark(Mark::y(0.5, text));
    let grid = vec![0.0, 1.0];
    let surface = Surface::new(text, [axis(), axis(), axis()], grid.clone(), grid, vec![0.0, 1.0, 2.0, 3.0])
        .unwrap()
        .caption(text)
        .path(Path::new(text, vec![0.0, 1.0], vec![0.0, 1.0]).unwrap().labels(vec![text.into(); 2]).unwrap())
        .point(text, 0.5, 0.5);
    let spectrum = Spectrum::new(text, axis())
        .caption(text)
        .with(Eigenvalues::new(text, vec![1.0, -1.0]))
        .mark(0.5, text);
    Page::new(text, text)
        .finding(text, text, text, text)
        .section(text, text, [curves.into(), surface.into(), spectrum.into()])
        .section(text, text, [])
        .section(text, text, [])
        .convention(text, text, text)
        .provenance(text, text)
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    assert_eq!(page("loss").html(), page("loss").html());
}

#[test]
fn nothing_is_asked_from_outside() {
    let html = page("loss").html();
    let policy =
        html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    let scripts = policy.split("script-src ").nth(1).unwrap().split(';').next().unwrap();
    assert!(!scripts.contains("unsafe-inline"), "{scripts}");
    // The policy stands before anything that could ask.
    assert!(html.find("Content-Security-Policy").unwrap() < html.find("<style").unwrap());
    // Outside the scripts, whose requests the policy forbids, no address is named where one could be fetched.
    let mut markup = String::new();
    for (k, part) in html.split("<script").enumerate() {
        markup.push_str(if k == 0 { part } else { part.split("</script>").nth(1).unwrap_or("") });
    }
    for attribute in [" src=", " href=", " xlink:href=", " srcset=", " action=", " data=", " poster="] {
        for value in markup.split(attribute).skip(1) {
            let value = value.trim_start_matches(['"', '\'']);
            assert!(value.starts_with('#'), "{attribute}{}", value.chars().take(60).collect::<String>());
        }
    }
    for address in markup.split("url(").skip(1) {
        let inside = ["data:", "#"].iter().any(|start| address.starts_with(start));
        assert!(inside, "url({}", address.chars().take(60).collect::<String>());
    }
    assert!(!markup.contains("@import") && !markup.contains("<link") && !markup.contains("<iframe"));
}

#[test]
fn no_text_is_taken_for_markup() {
    let hostile = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "<!--<script>",
        "]]></style><style>*{display:none}",
        "`</code><b>`",
    ];
    let tags = |html: &str| {
        ["<script", "</script", "<img", "<svg", "<style", "<b>", "<!--", "</code"]
            .map(|tag| html.matches(tag).count())
    };
    // The same page with harmless text of the same shape has the same tags.
    let harmless = page("harmless `x`").html();
    for text in hostile {
        let html = page(text).html();
        let expected = if text.contains('`') { tags(&harmless) } else { tags(&page("harmless").html()) };
        assert_eq!(tags(&html), expected, "{text}");
        // In the data a quote is part of a JSON string; elsewhere it could end an attribute.
        let mut parts = html.split("class=\"data\">");
        let mut markup = parts.next().unwrap().to_owned();
        parts.for_each(|part| markup.push_str(part.split_once("</script>").unwrap().1));
        assert!(!markup.contains(text), "{text}");
    }
    let html = page("a\u{2028}b\u{2029}c\u{0}d").html();
    let data = html.split("class=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    assert!(!data.contains(['\u{2028}', '\u{2029}', '\u{0}']) && data.contains("\\u2028"));
}

#[test]
fn pictures_in_the_page_are_well_formed_and_their_ids_are_their_own() {
    let html = page("loss < 1 & falling").html();
    let body = html.split("<main").nth(1).unwrap();
    let mut ids = Vec::new();
    let mut count = 0;
    for part in body.split("<svg").skip(1) {
        let Some(end) = part.find("</svg>") else { continue };
        if !part.starts_with(" xmlns=\"http://www.w3.org/2000/svg\" width") {
            continue; // a string in the bundle
        }
        let svg = format!("<svg{}</svg>", &part[..end]);
        let document = Document::parse(&svg).unwrap();
        ids.extend(document.descendants().filter_map(|n| n.attribute("id").map(str::to_owned)));
        count += 1;
    }
    assert_eq!(count, 3);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids repeat");
}

#[test]
fn everything_given_is_there_and_the_data_is_the_record() {
    let record = page("plain");
    let html = record.html();
    for word in [
        "<h1>plain</h1>",
        "<b>Figure\u{a0}3. plain.</b> plain",
        "<td class=\"value\">plain</td>",
        "Provenance",
    ] {
        assert!(html.contains(word), "{word}");
    }
    let data = html.split("class=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(value["record"], serde_json::to_value(&record.sections[0].figures[0]).unwrap());
    assert_eq!(value["record"]["series"][0]["y"][1], "NaN");
    assert_eq!(value["looks"][0]["color"], "#0072b2");
    assert!(html.contains("Not drawn: 1 of 2 points"));
}

#[test]
fn text_is_set_and_every_part_can_be_reached() {
    let lines = "seed = 0\n[model]\nkind = \"mlp\"";
    let page = Page::new("Survey", "of `x`")
        .finding("λ_max at the solution", "0.0637", "", "It was 90.3 % higher at θ_t.")
        .section("Curvature", "Here λ_max = 2, in `sigma_w = 1`.", [])
        .convention("mode", "evaluation", "")
        .provenance("configuration", lines);
    let html = page.html();
    for word in [
        "<th scope=\"row\">λ<sub>max</sub> at the solution</th>",
        "It was 90.3\u{a0}% higher at θ<sub>t</sub>.",
        "Here λ<sub>max</sub>\u{a0}=\u{a0}2, in <code>sigma_w = 1</code>.",
        "seed = 0\n[model]\nkind = &quot;mlp&quot;</pre>",
    ] {
        assert!(html.contains(word), "{word}");
    }
    for id in ["section-1", "conventions", "provenance"] {
        assert!(
            html.contains(&format!("<a href=\"#{id}\">")) && html.contains(&format!("id=\"{id}\"")),
            "{id}"
        );
    }
}

/// The script draws a surface in the levels and colours of its still picture, on each scale.
#[test]
fn surfaces_bring_their_levels() {
    let html = page("plain").html();
    let data = html.split("class=\"data\">").nth(2).unwrap().split("</script>").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    for scale in ["linear", "log", "sym_log"] {
        let bands = &value["bands"][scale];
        let levels = bands["levels"].as_array().unwrap();
        assert_eq!(bands["colors"].as_array().unwrap().len(), levels.len() + 1, "{scale}");
        let at = |level: &serde_json::Value| level[0].as_f64().unwrap();
        assert!(levels.windows(2).all(|pair| at(&pair[0]) < at(&pair[1])), "{scale} {levels:?}");
        assert!(levels.iter().all(|level| level[1].is_string()), "{scale}");
    }
}

#[test]
fn an_empty_page_is_a_page() {
    let html = Page::default().html();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert!(!html.contains("<figure id"));
}

#[test]
fn pages_survive_json() {
    let record = page("loss");
    let json = serde_json::to_string(&record).unwrap();
    let back: Page = serde_json::from_str(&json).unwrap();
    assert_eq!(back.html(), record.html());
    let error = serde_json::from_str::<Page>(r#"{"tittle": "x"}"#).unwrap_err().to_string();
    assert!(error.contains("tittle"), "{error}");
}
