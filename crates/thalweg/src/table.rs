//! Findings as an aligned table of plain text.

use thalweg_lab::recipe::survey::Finding;

/// One line for each finding: name, value, unit, and what must be known of it first. Empty if there is none.
pub(crate) fn findings(findings: &[Finding]) -> String {
    // A ratio's unit is 1, which nobody says.
    let unit = |finding: &Finding| match finding.unit_shown() {
        "1" => String::new(),
        unit => unit.to_owned(),
    };
    let caveat = |finding: &Finding| finding.caveat().map(|caveat| format!("({caveat})")).unwrap_or_default();
    let rows: Vec<[String; 4]> = findings
        .iter()
        .map(|finding| [finding.name.clone(), finding.text.clone(), unit(finding), caveat(finding)])
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut table = String::new();
    for [name, value, unit, caveat] in &rows {
        let [names, values, units] = widths;
        // The formatter counts characters, and the names and numbers here have no combining signs.
        let line = format!("  {name:<names$}  {value:<values$}  {unit:<units$}  {caveat}");
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use thalweg_lab::recipe::survey::Outcome;

    #[test]
    fn columns_are_aligned_by_characters() {
        let finding = |name: &str, text: &str, unit: &str, outcome| Finding {
            name: name.to_owned(),
            value: None,
            bound: None,
            unit: unit.to_owned(),
            text: text.to_owned(),
            outcome,
            meaning: String::new(),
        };
        let table = findings(&[
            finding("λ_max", "−1.5", "1", Some(Outcome::BudgetSpent)),
            finding("λ_min", "0 ± 4×10⁻⁶", "nats", Some(Outcome::Converged)),
            finding("loss, train", "0.0123", "nats", None),
        ]);
        let expected = "  λ_max        −1.5              (not every pair converged: the budget was spent)\n  \
                          λ_min        0 ± 4×10⁻⁶  nats\n  loss, train  0.0123      nats\n";
        assert_eq!(table, expected);
        assert_eq!(findings(&[]), "");
    }
}
