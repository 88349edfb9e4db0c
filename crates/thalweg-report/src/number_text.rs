//! Numbers as people write them: a true minus, groups of three, 10⁻³.

/// A value to `digits` significant digits, as it should stand in a table: `0.0123`, `12 300`, `1.2×10⁻⁷`, `∞`,
/// `not a number`.
///
/// ```
/// assert_eq!(thalweg_report::humane(-0.012_345, 3), "−0.0123");
/// assert_eq!(thalweg_report::humane(1.5e-9, 2), "1.5×10⁻⁹");
/// ```
pub fn humane(v: f64, digits: usize) -> String {
    let digits = digits.clamp(1, 17);
    if v.is_nan() {
        return "not a number".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    if v == 0.0 {
        return "0".to_owned();
    }
    // Rounding first: 9.99 to two digits is 10, with another exponent.
    let rounded = format!("{v:.*e}", digits - 1);
    let exponent: i32 = rounded.split('e').nth(1).and_then(|e| e.parse().ok()).unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        return scientific(v, exponent, digits - 1);
    }
    decimal(v, (digits as i32 - 1 - exponent).max(0) as usize)
}

/// `digits` places after the point; a thin gap every three digits from 10 000 on.
pub(crate) fn decimal(v: f64, digits: usize) -> String {
    let plain = format!("{:.digits$}", v.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = String::new();
    if v < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        text.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && whole.len() > 4 && (whole.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if !fraction.is_empty() && digits > 0 && !(v == 0.0) {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `v` as a multiple of 10 to the `exponent`; zero is `0`.
pub(crate) fn scientific(v: f64, exponent: i32, digits: usize) -> String {
    if v == 0.0 {
        return "0".to_owned();
    }
    // 10^-320 is no normal number: dividing in two steps keeps the mantissa right.
    let half = exponent / 2;
    let mantissa = v / 10f64.powi(half) / 10f64.powi(exponent - half);
    format!("{}×{}", decimal(mantissa, digits), power_of_ten(exponent))
}

/// `10⁻³`.
pub(crate) fn power_of_ten(exponent: i32) -> String {
    let superscript = |c: char| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    std::iter::once("10".to_owned())
        .chain(exponent.to_string().chars().map(|c| superscript(c).to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_should() {
        let cases = [
            (0.0, 3, "0"),
            (1.0, 3, "1.00"),
            (-0.012_345, 3, "−0.0123"),
            (9.99, 2, "10"),
            (123_456.0, 3, "123\u{a0}456"),
            (1_234_567.0, 3, "1.23×10⁶"),
            (1e-10, 1, "1×10⁻¹⁰"),
            (5e-324, 1, "5×10⁻³²⁴"),
            (f64::INFINITY, 3, "∞"),
            (f64::NAN, 3, "not a number"),
        ];
        for (v, digits, expected) in cases {
            assert_eq!(humane(v, digits), expected, "{v} to {digits}");
        }
        assert_eq!(decimal(-0.001, 1), "0.0");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
    }
}
