//! Surfaces: one quantity over a plane, with paths and points on it.

use serde::{Deserialize, Serialize};

use super::{Axis, RecordError, number};

/// A height over a rectangular grid, drawn as filled and labelled contours.
///
/// Orientation: `z[j * xs.len() + i]` is the height at `(xs[i], ys[j])`. A row of `z` runs along x, rows follow each
/// other along y, and y points up in the picture. Heights that are not finite (or not positive, on a logarithmic
/// scale) are gaps, drawn hatched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Surface {
    /// A few words above the plot.
    pub title: String,
    /// What is to be seen and how it was measured, in sentences.
    pub caption: String,
    /// The horizontal axis. Only linear scales have a meaning on a plane: another is drawn as linear.
    pub x: Axis,
    /// The vertical axis, likewise.
    pub y: Axis,
    /// The height and its colour scale.
    pub z: Axis,
    #[serde(with = "number::list")]
    xs: Vec<f64>,
    #[serde(with = "number::list")]
    ys: Vec<f64>,
    #[serde(with = "number::list")]
    heights: Vec<f64>,
    /// Whether a step along x and a step along y have the same length on paper, as they should if both axes are
    /// orthonormal directions of one space.
    pub equal_aspect: bool,
    /// Lines on the surface: a training trajectory, a connecting curve.
    pub paths: Vec<Path>,
    /// Single places: minima, the ends of a segment.
    pub points: Vec<Point>,
}

impl Surface {
    /// Heights over the grid `xs` × `ys`; see the type for their order.
    ///
    /// # Errors
    /// [`RecordError::SurfaceLength`] if `z` has not `xs.len() * ys.len()` values, [`RecordError::GridOrder`] if the
    /// coordinates are not finite and strictly increasing.
    pub fn new(
        title: impl Into<String>,
        [x, y, z]: [Axis; 3],
        xs: Vec<f64>,
        ys: Vec<f64>,
        heights: Vec<f64>,
    ) -> Result<Self, RecordError> {
        let title = title.into();
        for (axis, values) in [("xs", &xs), ("ys", &ys)] {
            let offends = |&at: &usize| !values[at].is_finite() || (at > 0 && values[at] <= values[at - 1]);
            if let Some(at) = (0..values.len()).find(offends) {
                return Err(RecordError::GridOrder { title, axis, at, found: values[at] });
            }
        }
        if heights.len() != xs.len() * ys.len() {
            let (rows, columns, found) = (ys.len(), xs.len(), heights.len());
            return Err(RecordError::SurfaceLength { title, rows, columns, found });
        }
        let (caption, paths, points) = (String::new(), Vec::new(), Vec::new());
        Ok(Self { title, caption, x, y, z, xs, ys, heights, equal_aspect: true, paths, points })
    }

    /// The same figure with this caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = caption.into();
        self
    }

    /// The same figure with one more path.
    #[must_use]
    pub fn path(mut self, path: Path) -> Self {
        self.paths.push(path);
        self
    }

    /// The same figure with one more place.
    #[must_use]
    pub fn point(mut self, name: impl Into<String>, x: f64, y: f64) -> Self {
        self.points.push(Point { name: name.into(), x, y });
        self
    }

    /// The same figure with axes that are stretched to fill the plot.
    #[must_use]
    pub fn free_aspect(mut self) -> Self {
        self.equal_aspect = false;
        self
    }

    /// Abscissae of the columns.
    pub fn xs(&self) -> &[f64] {
        &self.xs
    }

    /// Ordinates of the rows.
    pub fn ys(&self) -> &[f64] {
        &self.ys
    }

    /// The heights, a row of `xs().len()` values for each of the `ys()`.
    pub fn heights(&self) -> &[f64] {
        &self.heights
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    title: String,
    #[serde(default)]
    caption: String,
    x: Axis,
    y: Axis,
    z: Axis,
    #[serde(with = "number::list")]
    xs: Vec<f64>,
    #[serde(with = "number::list")]
    ys: Vec<f64>,
    #[serde(with = "number::list")]
    heights: Vec<f64>,
    #[serde(default = "equal")]
    equal_aspect: bool,
    #[serde(default)]
    paths: Vec<Path>,
    #[serde(default)]
    points: Vec<Point>,
}

fn equal() -> bool {
    true
}

impl TryFrom<Parts> for Surface {
    type Error = RecordError;

    fn try_from(parts: Parts) -> Result<Self, RecordError> {
        let Parts { title, caption, x, y, z, xs, ys, heights, equal_aspect, paths, points } = parts;
        let surface = Self::new(title, [x, y, z], xs, ys, heights)?;
        Ok(Self { caption, equal_aspect, paths, points, ..surface })
    }
}

/// A line on a surface. Vertices that are not finite break it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PathParts")]
pub struct Path {
    /// The word in the legend.
    pub name: String,
    #[serde(with = "number::list")]
    xs: Vec<f64>,
    #[serde(with = "number::list")]
    ys: Vec<f64>,
    labels: Vec<String>,
}

impl Path {
    /// A line through `(xs[i], ys[i])`, in the surface's coordinates.
    ///
    /// # Errors
    /// [`RecordError::PathLength`] if the two differ in length.
    pub fn new(name: impl Into<String>, xs: Vec<f64>, ys: Vec<f64>) -> Result<Self, RecordError> {
        let name = name.into();
        if xs.len() != ys.len() {
            return Err(RecordError::PathLength { name, xs: xs.len(), ys: ys.len() });
        }
        Ok(Self { name, xs, ys, labels: Vec::new() })
    }

    /// The same line with words at its vertices (`epoch 3`); an empty one is left out.
    ///
    /// # Errors
    /// [`RecordError::PathLabels`] if there is not one for each vertex.
    pub fn labels(mut self, labels: Vec<String>) -> Result<Self, RecordError> {
        if !labels.is_empty() && labels.len() != self.xs.len() {
            let (vertices, found) = (self.xs.len(), labels.len());
            return Err(RecordError::PathLabels { name: self.name, vertices, found });
        }
        self.labels = labels;
        Ok(self)
    }

    /// Abscissae of the vertices.
    pub fn xs(&self) -> &[f64] {
        &self.xs
    }

    /// Ordinates of the vertices.
    pub fn ys(&self) -> &[f64] {
        &self.ys
    }

    /// Words at the vertices: none, or one for each.
    pub fn vertex_labels(&self) -> &[String] {
        &self.labels
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PathParts {
    name: String,
    #[serde(with = "number::list")]
    xs: Vec<f64>,
    #[serde(with = "number::list")]
    ys: Vec<f64>,
    #[serde(default)]
    labels: Vec<String>,
}

impl TryFrom<PathParts> for Path {
    type Error = RecordError;

    fn try_from(parts: PathParts) -> Result<Self, RecordError> {
        Self::new(parts.name, parts.xs, parts.ys)?.labels(parts.labels)
    }
}

/// A named place on a surface; one that is not finite is not drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The word beside it.
    pub name: String,
    /// Abscissa.
    #[serde(with = "number::one")]
    pub x: f64,
    /// Ordinate.
    #[serde(with = "number::one")]
    pub y: f64,
}
