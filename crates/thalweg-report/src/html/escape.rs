//! Text as text: nothing that a record holds may be read as markup or as script.

use std::borrow::Cow;

use crate::typeset;

/// Text for the content of an element or for a quoted attribute, in HTML and in XML. Characters that XML 1.0 forbids
/// become U+FFFD.
pub(crate) fn markup(text: &str) -> Cow<'_, str> {
    let forbidden =
        |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || forbidden(c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if forbidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Text for the content of an element, set: subscripts as such, and no break inside a formula or before a unit.
pub(crate) fn set(text: &str) -> String {
    let tied = typeset::tied(text);
    let run = |run: typeset::Run<'_>| match run.is_subscript {
        true => format!("<sub>{}</sub>", markup(run.text)),
        false => markup(run.text).into_owned(),
    };
    typeset::runs(&tied).into_iter().map(run).collect()
}

/// JSON for the inside of a `<script>` element: what could end the element, open a comment in it, or end a line of
/// JavaScript is written as an escape, which JSON reads as the same character.
pub(crate) fn json_in_script(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_inert() {
        assert_eq!(markup("a < b & \"c\" 'd'"), "a &lt; b &amp; &quot;c&quot; &#39;d&#39;");
        assert_eq!(markup("\u{0}x\u{1b}"), "\u{fffd}x\u{fffd}");
        assert!(matches!(markup("plain α"), Cow::Borrowed(_)));
    }

    #[test]
    fn set_text_is_inert_too() {
        assert_eq!(set("λ_max < 3 %"), "λ<sub>max</sub>\u{a0}&lt;\u{a0}3\u{a0}%");
        assert_eq!(set("<b>_x</b>"), "&lt;b&gt;_x&lt;/b&gt;");
    }

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"</script><!--": "\u{2028}&\u{2029}\\u003c"});
        let safe = json_in_script(&value.to_string());
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
