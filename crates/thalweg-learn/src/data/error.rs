//! What can be wrong with data, and where.

use std::path::PathBuf;

use super::{OwnError, Place};

/// Data that cannot be used, with the place, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A class index outside `0..classes`.
    #[error("{place}: expected a label from 0 to {}, found {found}", .classes - 1)]
    Label {
        /// Where.
        place: Place,
        /// Number of classes.
        classes: usize,
        /// The label there.
        found: i64,
    },
    /// A NaN or an infinity among the inputs.
    #[error("{place}: expected finite inputs, found {found} at feature {feature}")]
    NotFinite {
        /// Where.
        place: Place,
        /// Index of the feature.
        feature: usize,
        /// The value there.
        found: f32,
    },
    /// Inputs that are not `labels.len()` rows of `features`.
    #[error("{data}: expected {expected} inputs ({examples} labels × {features} features), found {found}")]
    InputCount {
        /// The data set's name.
        data: String,
        /// Number of labels.
        examples: usize,
        /// Features an example.
        features: usize,
        /// `examples × features`.
        expected: usize,
        /// Inputs given.
        found: usize,
    },
    /// Labels that are no whole number of examples.
    #[error("{data}: expected {positions} labels an example, found {found} in all")]
    LabelCount {
        /// The data set's name.
        data: String,
        /// Labels an example.
        positions: usize,
        /// Labels given.
        found: usize,
    },
    /// A text of more different characters than a network has outputs for.
    #[error("{}: expected at most {most} different characters, found {found}", .path.display())]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// How many there may be.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// A file that is no text.
    #[error("{}: expected text in UTF-8, found another byte at {at}", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Bytes before it.
        at: usize,
    },
    /// A text too short for a window.
    #[error(
        "{}: expected more than {context} characters, a window and the one behind it, found {found}",
        .path.display()
    )]
    ShortText {
        /// The file.
        path: PathBuf,
        /// Characters in a window.
        context: usize,
        /// Characters of the text.
        found: usize,
    },
    /// A shape whose axes do not multiply to the number of features.
    #[error("{data}: shape {shape:?} has {found} entries, expected one for each of {features} features")]
    Shape {
        /// The data set's name.
        data: String,
        /// The shape given.
        shape: Vec<usize>,
        /// Features an example.
        features: usize,
        /// Product of the axes.
        found: usize,
    },
    /// No example, no feature or no class.
    #[error("{data}: expected at least one of {what}, found none")]
    Empty {
        /// The data set's name, or its file.
        data: String,
        /// What there is none of.
        what: &'static str,
    },
    /// An index outside the data set.
    #[error("{data}: expected indices of examples below {examples}, found {found}")]
    Index {
        /// The data set's name.
        data: String,
        /// Number of examples.
        examples: usize,
        /// The index given.
        found: usize,
    },
    /// A request to hold out nothing or everything, or of data that cannot be parted.
    #[error("{data}: {}", held_out(*.examples, *.found))]
    HeldOut {
        /// The data set's name.
        data: String,
        /// Number of examples.
        examples: usize,
        /// The number asked for.
        found: usize,
    },
    /// Fewer examples than one, or more than there are.
    #[error("{data}: expected between 1 and {examples} examples, found {found}")]
    Examples {
        /// The data set's name.
        data: String,
        /// Number of examples.
        examples: usize,
        /// The number asked for.
        found: usize,
    },
    /// Classes that the set has not, or one of them twice.
    #[error("{data}: expected classes from 0 to {}, each once, found {found:?}", .classes - 1)]
    Classes {
        /// The data set's name.
        data: String,
        /// Number of classes.
        classes: usize,
        /// The classes asked for.
        found: Vec<usize>,
    },
    /// Examples that are no images, where images are asked for.
    #[error("{data}: expected images [channels, height, width], found examples of shape {shape:?}")]
    NoImages {
        /// The data set's name.
        data: String,
        /// Shape of an example.
        shape: Vec<usize>,
    },
    /// Images enlarged to nothing, or beyond all measure.
    #[error("{data}: expected images to be enlarged 1 to {most} times, found {found}")]
    Enlarged {
        /// The data set's name.
        data: String,
        /// How many times they may be.
        most: usize,
        /// How many times they should be.
        found: usize,
    },
    /// Inputs that are all the same number have no scale.
    #[error("{data}: cannot standardise: every input is {value}")]
    Constant {
        /// The data set's name.
        data: String,
        /// The one value.
        value: f32,
    },
    /// The same of a channel.
    #[error("{data}: cannot standardise channel {channel}: every input of it is {value}")]
    ConstantChannel {
        /// The data set's name.
        data: String,
        /// Index of the channel.
        channel: usize,
        /// The one value.
        value: f32,
    },
    /// Inputs that are no pixels in [0, 1], where the scale says they are.
    #[error(
        "{place}: expected inputs from 0 to 1, as in scaling \"unit_interval\", found {found} at feature {feature}"
    )]
    OutsideUnit {
        /// Where.
        place: Place,
        /// Index of the feature.
        feature: usize,
        /// The value there.
        found: f32,
    },
    /// A file of the user's own that is not as it should be.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// A file that cannot be opened, or a stream that breaks off or is corrupt.
    #[error("{place}: {source}")]
    Read {
        /// How far reading came: the line that could not be read (1: nothing could), or the byte.
        place: Place,
        /// What the system or the decompressor says.
        source: std::io::Error,
    },
    /// A row with too few or too many fields.
    #[error("{place}: expected {expected} fields, found {found}")]
    Fields {
        /// Where.
        place: Place,
        /// Fields of the format.
        expected: usize,
        /// Fields there.
        found: usize,
    },
    /// A field that is not a whole number.
    #[error("{place}, field {field}: expected a whole number, found {found:?}")]
    NotANumber {
        /// Where.
        place: Place,
        /// Number of the field, from 1.
        field: usize,
        /// Its first characters.
        found: String,
    },
    /// A pixel outside its range.
    #[error("{place}, field {field}: expected a pixel from 0 to {most}, found {found}")]
    Pixel {
        /// Where.
        place: Place,
        /// Number of the field, from 1.
        field: usize,
        /// Greatest pixel of the format.
        most: i64,
        /// The value there.
        found: i64,
    },
    /// A line longer than any row of the format.
    #[error("{place}: expected a line of at most {most} bytes, found more")]
    LongLine {
        /// Where.
        place: Place,
        /// The limit.
        most: usize,
    },
    /// A file of another kind, by its first bytes.
    #[error("{}: expected a file that begins with the bytes {expected:02x?}, found {found:02x?}", .path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// The first bytes of the format.
        expected: [u8; 4],
        /// Those there.
        found: [u8; 4],
    },
    /// An array larger than any of the format is.
    #[error("{}: expected an array of at most {most} bytes, found the extents {shape:?}", .path.display())]
    Large {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: usize,
        /// Extents that the header says.
        shape: Vec<usize>,
    },
    /// A file that is shorter or longer than its header says.
    #[error(
        "{}: expected {expected} bytes behind the header, for the extents {shape:?}, found {}{found}",
        .path.display(), at_least(*.more)
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Extents that the header says.
        shape: Vec<usize>,
        /// Their product.
        expected: usize,
        /// Bytes there, one more than expected if there are more.
        found: usize,
        /// Whether there are more.
        more: bool,
    },
    /// A pickle that is not CIFAR's Python version.
    #[error("{}: expected CIFAR's Python version, found {found}", .path.display())]
    Pickle {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A file of records that is shorter or longer than its images are.
    #[error(
        "{}: expected {expected} bytes, {images} images of {record}, found {}{found}",
        .path.display(), at_least(*.more)
    )]
    Records {
        /// The file.
        path: PathBuf,
        /// Images of the data set's file.
        images: usize,
        /// Bytes of one of them with its labels.
        record: usize,
        /// Bytes of all.
        expected: usize,
        /// Bytes there, one more than expected if there are more.
        found: usize,
        /// Whether there are more.
        more: bool,
    },
    /// An array of other extents than the data set's.
    #[error("{}: expected the extents {expected:?}, found {found:?}", .path.display())]
    Extents {
        /// The file.
        path: PathBuf,
        /// Extents of the data set.
        expected: Vec<usize>,
        /// Those there.
        found: Vec<usize>,
    },
    /// A file that lies in none of the places where it is looked for.
    #[error("{set}: expected {} in one of the folders {}, itself or under {set}, found it in none", .names.join(" or "), listed(.folders))]
    Missing {
        /// The data set.
        set: String,
        /// Names that the file may have.
        names: Vec<String>,
        /// Where was looked.
        folders: Vec<PathBuf>,
    },
    /// A set of known geometry that cannot be.
    #[error("{set}: expected {field} to be {expected}, found {found}")]
    Synthetic {
        /// The set.
        set: &'static str,
        /// Which of its numbers.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// The number given.
        found: String,
    },
    /// A share of labels to draw that is none.
    #[error("{data}: expected a share of labels from 0 to 1, found {found}")]
    Share {
        /// The data set's name.
        data: String,
        /// The share given.
        found: f64,
    },
    /// A file with another number of rows than announced.
    #[error("{}: expected {expected} rows, found {}{found}", .path.display(), at_least(*.more))]
    Rows {
        /// The file.
        path: PathBuf,
        /// Rows announced.
        expected: usize,
        /// Rows read before reading ended.
        found: usize,
        /// Whether reading stopped before the end of the file.
        more: bool,
    },
}

fn listed(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn at_least(more: bool) -> &'static str {
    if more { "at least " } else { "" }
}

fn held_out(examples: usize, found: usize) -> String {
    match examples {
        0 | 1 => {
            format!("expected at least 2 examples, some to train on and some to hold out, found {examples}")
        }
        _ => format!("expected to hold out between 1 and {} examples, found {found}", examples - 1),
    }
}
