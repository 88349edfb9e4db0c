//! Aligned tables of plain text.

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
    aligned(&rows)
}

/// Rows in columns as wide as their widest.
pub(crate) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    // Characters are what is counted: the names and numbers here have no combining signs.
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut table = String::new();
    for row in rows {
        // By hand: the formatter's widths end at 65535, and a name in a file may be of any length.
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("  {cell}{}", " ".repeat(width - cell.chars().count())));
        table.push_str(cells.collect::<String>().trim_end());
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
