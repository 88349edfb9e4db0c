//! What can be wrong with a record: the lengths and the order of its arrays. The numbers themselves may be anything.

/// A record whose arrays do not fit each other. Non-finite numbers are no error: they are drawn as gaps.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The abscissae and the ordinates of a series differ in number.
    #[error("series `{name}`: expected as many y as x values ({x}), found {y}")]
    SeriesLength {
        /// Name of the series.
        name: String,
        /// Number of x values.
        x: usize,
        /// Number of y values.
        y: usize,
    },
    /// An edge of a band has another length than its series.
    #[error(
        "series `{name}`: expected {expected} values on each edge of the band, found {lower} and {upper}"
    )]
    BandLength {
        /// Name of the series.
        name: String,
        /// Length of the series.
        expected: usize,
        /// Length of the lower edge.
        lower: usize,
        /// Length of the upper edge.
        upper: usize,
    },
    /// The heights of a surface do not fill its grid.
    #[error(
        "surface `{title}`: expected {rows} rows (ys) of {columns} values (xs), that is {expected}, found {found}",
        expected = rows * columns
    )]
    SurfaceLength {
        /// Title of the surface.
        title: String,
        /// Number of ys.
        rows: usize,
        /// Number of xs.
        columns: usize,
        /// Number of heights.
        found: usize,
    },
    /// The coordinates of a grid are not finite or do not increase.
    #[error(
        "surface `{title}`: expected {axis} to be finite and to increase, found {found} at position {at}"
    )]
    GridOrder {
        /// Title of the surface.
        title: String,
        /// `xs` or `ys`.
        axis: &'static str,
        /// Position of the first offender.
        at: usize,
        /// Its value.
        found: f64,
    },
    /// The coordinates of a path differ in number.
    #[error("path `{name}`: expected as many ys as xs ({xs}), found {ys}")]
    PathLength {
        /// Name of the path.
        name: String,
        /// Number of xs.
        xs: usize,
        /// Number of ys.
        ys: usize,
    },
    /// A path has labels, but not one for each vertex.
    #[error("path `{name}`: expected no label or one for each of its {vertices} vertices, found {found}")]
    PathLabels {
        /// Name of the path.
        name: String,
        /// Number of vertices.
        vertices: usize,
        /// Number of labels.
        found: usize,
    },
    /// A group of eigenvalues has residual bounds, but not one for each.
    #[error("eigenvalues `{name}`: expected {expected} residual bounds, found {found}")]
    ResidualLength {
        /// Name of the group.
        name: String,
        /// Number of eigenvalues.
        expected: usize,
        /// Number of bounds.
        found: usize,
    },
}
