//! Plain text as it is set: `λ_max` with a subscript, and spaces at which no line may break.
//!
//! Records hold plain text, so that they can be read and searched anywhere. What is set from it is decided here, once
//! for pictures and pages; the page's script has the same rule for subscripts.

/// A stretch of text on one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    pub(crate) text: &'a str,
    pub(crate) is_subscript: bool,
}

/// The size of a subscript over that of its line, and how far it is lowered, in sizes of its line.
pub(crate) const SUBSCRIPT_SIZE: f64 = 0.74;
pub(crate) const SUBSCRIPT_DROP: f64 = 0.2;

/// Splits `text` at its subscripts: letters and digits behind an underscore behind a single letter, as in `λ_max` or
/// `θ_t`. Longer names, as in `beta_1` or `a_b_c`, are names and stay as they are.
pub(crate) fn runs(text: &str) -> Vec<Run<'_>> {
    let mut found = Vec::new();
    let mut begun = 0;
    for (at, _) in text.match_indices('_') {
        let mut before = text[..at].chars().rev();
        let is_single = before.next().is_some_and(char::is_alphabetic)
            && !before.next().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let rest = &text[at + 1..];
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if !is_single || length == 0 || rest[length..].starts_with('_') {
            continue;
        }
        found.push(Run { text: &text[begun..at], is_subscript: false });
        found.push(Run { text: &rest[..length], is_subscript: true });
        begun = at + 1 + length;
    }
    found.push(Run { text: &text[begun..], is_subscript: false });
    found.retain(|run| !run.text.is_empty());
    found
}

/// `text` with no-break spaces between a number and its unit and around the signs of a formula: `90.3 %`, `α = 1`,
/// `‖θ − θ₀‖`.
pub(crate) fn tied(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut last: Option<&str> = None;
    for word in text.split(' ') {
        if let Some(last) = last {
            out.push(if belong(last, word) { '\u{a0}' } else { ' ' });
        }
        out.push_str(word);
        last = Some(word);
    }
    out
}

/// Whether a line must not break between two words.
fn belong(left: &str, right: &str) -> bool {
    let sign = |word: &str| matches!(word, "=" | "±" | "−" | "+" | "·" | "×" | "≤" | "≥" | "<" | ">" | "≈");
    let unit = right.trim_end_matches(['.', ',', ';', ':', ')']);
    let is_unit = matches!(unit, "%" | "nats" | "rad" | "s" | "ms" | "‖θ₀‖");
    let is_number = left.ends_with(|c: char| c.is_numeric() || c == '∞');
    sign(left) || sign(right) || (is_number && is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Subscripts in braces.
    fn marked(text: &str) -> String {
        let run = |run: &Run<'_>| match run.is_subscript {
            true => format!("{{{}}}", run.text),
            false => run.text.to_owned(),
        };
        runs(text).iter().map(run).collect()
    }

    #[test]
    fn subscripts_follow_single_letters() {
        let cases = [
            ("λ_max at the solution", "λ{max} at the solution"),
            ("displacements θ_t − θ_0.", "displacements θ{t} − θ{0}."),
            ("‖θ_t‖²", "‖θ{t}‖²"),
            (
                "model.init.sigma_w, beta_1, a_b_c, _x, x_, x_ y",
                "model.init.sigma_w, beta_1, a_b_c, _x, x_, x_ y",
            ),
            ("", ""),
            ("plain", "plain"),
        ];
        for (text, expected) in cases {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn numbers_keep_their_units_and_formulas_stay_whole() {
        assert_eq!(tied("90.3 % and 6.02 %."), "90.3\u{a0}% and 6.02\u{a0}%.");
        assert_eq!(tied("at α = 0.5, ‖θ − θ₀‖"), "at α\u{a0}=\u{a0}0.5, ‖θ\u{a0}−\u{a0}θ₀‖");
        assert_eq!(tied("−0.0043 ± 0.0003 nats (x)"), "−0.0043\u{a0}±\u{a0}0.0003\u{a0}nats (x)");
        assert_eq!(tied("two  spaces, s s"), "two  spaces, s s");
    }
}
