//! Findings as an aligned table of plain text.

use thalweg_lab::recipe::survey::Finding;

/// One line for each finding: name, value, unit. Empty if there is none.
pub(crate) fn findings(findings: &[Finding]) -> String {
    let width = |text: &dyn Fn(&Finding) -> &str| {
        findings.iter().map(|finding| text(finding).chars().count()).max().unwrap_or(0)
    };
    let (names, values) = (width(&|finding| &finding.name), width(&|finding| &finding.value));
    let mut table = String::new();
    for Finding { name, value, unit, .. } in findings {
        let line = format!("  {}  {}  {unit}", left(name, names), left(value, values));
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// Counts characters where the formatter's own padding counts them too, but a combining sign would need more: the
/// names and numbers here have none.
fn left(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let finding = |name: &str, value: &str, unit: &str| Finding {
            name: name.to_owned(),
            value: value.to_owned(),
            unit: unit.to_owned(),
            meaning: String::new(),
        };
        let table = findings(&[finding("λ_max", "−1.5", ""), finding("loss, train", "0.0123", "nats")]);
        assert_eq!(table, "  λ_max        −1.5\n  loss, train  0.0123  nats\n");
        assert_eq!(findings(&[]), "");
    }
}
