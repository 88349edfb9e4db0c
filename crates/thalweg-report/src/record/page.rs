//! Pages: findings, sections of prose and figures, the conventions behind the numbers, and where they come from.

use serde::{Deserialize, Serialize};

use super::Figure;

/// One report. All text is plain text: nothing in it is read as markup, except that an empty line ends a paragraph of
/// prose, that `` `backquotes` `` in prose set code, and that an underscore behind a single letter sets a subscript
/// (`λ_max`, `θ_t`). Lines do not break between a number and its unit or around the signs of a formula.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// The headline.
    pub title: String,
    /// One line under it.
    pub subtitle: String,
    /// The numbers that the report exists for.
    pub findings: Vec<Finding>,
    /// The body, in order.
    pub sections: Vec<Section>,
    /// Under which definitions the numbers hold.
    pub conventions: Vec<Convention>,
    /// Where they come from: version, configuration digest, data set digest, seed, hardware.
    pub provenance: Vec<Entry>,
}

/// One number that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Finding {
    /// What was measured: `loss barrier, train`.
    pub name: String,
    /// The number with its error, as it should be read: `0.412 ± 0.003`; [`crate::humane`] writes one.
    pub value: String,
    /// Its unit, if it has one.
    pub unit: String,
    /// What the number says, in words.
    pub meaning: String,
}

/// A part of the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Paragraphs, with an empty line between them.
    pub prose: String,
    /// The figures that follow the prose.
    pub figures: Vec<Figure>,
}

/// A definition that decides what the numbers mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convention {
    /// Of what: `reduction`.
    pub name: String,
    /// Which one: `mean over examples`.
    pub value: String,
    /// What would be different under another, or the source.
    pub meaning: String,
}

/// A key and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    /// The key.
    pub name: String,
    /// The value. One of several lines keeps them.
    pub value: String,
}

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>, subtitle: impl Into<String>) -> Self {
        Self { title: title.into(), subtitle: subtitle.into(), ..Self::default() }
    }

    /// The same page with one more finding.
    #[must_use]
    pub fn finding(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        unit: impl Into<String>,
        meaning: impl Into<String>,
    ) -> Self {
        let (name, value, unit, meaning) = (name.into(), value.into(), unit.into(), meaning.into());
        self.findings.push(Finding { name, value, unit, meaning });
        self
    }

    /// The same page with one more section.
    #[must_use]
    pub fn section(
        mut self,
        heading: impl Into<String>,
        prose: impl Into<String>,
        figures: impl IntoIterator<Item = Figure>,
    ) -> Self {
        let figures = figures.into_iter().collect();
        self.sections.push(Section { heading: heading.into(), prose: prose.into(), figures });
        self
    }

    /// The same page with one more convention.
    #[must_use]
    pub fn convention(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        meaning: impl Into<String>,
    ) -> Self {
        let (name, value, meaning) = (name.into(), value.into(), meaning.into());
        self.conventions.push(Convention { name, value, meaning });
        self
    }

    /// The same page with one more line of provenance.
    #[must_use]
    pub fn provenance(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.provenance.push(Entry { name: name.into(), value: value.into() });
        self
    }
}
