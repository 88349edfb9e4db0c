//! Images that look a little different in every epoch.

use serde::{Deserialize, Serialize};
use thalweg_kernel::{Key, Real};

use crate::data::Dataset;

/// How images of a training set are changed whenever they are seen: moved, cut out, mirrored, in this order.
///
/// What becomes of an example is a function of (key, epoch, example): any epoch can be replayed, and the order of the examples
/// plays no part. Measurements see examples as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Pixels that an image moves at most, each way: by a whole number from −shift to shift across and another down, all equally
    /// likely. What comes in repeats the pixel at the border.
    pub shift: usize,
    /// Rows and columns of zeros that are put around an image, of which a window of its own size is then cut out, all equally
    /// likely: `RandomCrop` with padding. He et al. (2016) have 4. Zero is what it is after scaling: of standardised images
    /// the mean, as there; `torchvision` before its `Normalize` has a black pixel instead.
    pub crop: usize,
    /// Whether an image is mirrored left to right with probability ½.
    pub flip: bool,
}

/// Images that an augmentation cannot be of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("augment{}: expected {expected}, found {found}", .field.map(|field| format!(".{field}")).unwrap_or_default())]
pub struct AugmentationError {
    /// The field of the configuration that asks for too much; none where it is the examples that are no images.
    pub field: Option<&'static str>,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

/// An augmentation of the images of a set.
#[derive(Clone, Debug)]
pub(crate) struct Augmenter {
    augmentation: Augmentation,
    key: Key,
    height: usize,
    width: usize,
}

impl Augmentation {
    /// Whether images of that set can be changed so.
    ///
    /// # Errors
    /// Examples that are not `[channels, height, width]`; a shift or crop that may leave nothing of an image.
    pub fn check(&self, data: &Dataset) -> Result<(), AugmentationError> {
        let &[_, height, width] = data.shape() else {
            let found = format!("examples of shape {:?} in {}", data.shape(), data.name());
            let expected = "images [channels, height, width]".to_owned();
            return Err(AugmentationError { field: None, expected, found });
        };
        let most = height.min(width) - 1;
        for (field, found) in [("shift", self.shift), ("crop", self.crop)] {
            if found > most {
                let expected = format!("from 0 to {most}, for images of {height}×{width} pixels");
                return Err(AugmentationError { field: Some(field), expected, found: found.to_string() });
            }
        }
        Ok(())
    }
}

impl Augmenter {
    /// Of a set that was checked.
    pub(crate) fn new(augmentation: Augmentation, data: &Dataset, key: Key) -> Self {
        let sides = |shape: &[usize]| match *shape {
            [_, height, width] => (height, width),
            _ => unreachable!("images, as was checked"),
        };
        let (height, width) = sides(data.shape());
        Self { augmentation, key, height, width }
    }

    /// Writes an example, as it is seen in that epoch. Cost: one pass over its numbers.
    pub(crate) fn write<T: Real>(&self, epoch: u64, example: usize, image: &[T], to: &mut [T]) {
        let Augmentation { shift, crop, flip } = self.augmentation;
        let (height, width) = (self.height, self.width);
        let mut drawn = [0.0; 5];
        self.key.fold_in(epoch).fold_in(example as u64).uniforms(&mut drawn);
        let [across, down, crop_across, crop_down, mirror] = drawn;
        // A uniform number in [0, 1) as one of −most to most.
        let step = |uniform: f64, most: usize| (uniform * (2 * most + 1) as f64) as isize - most as isize;
        let rows = Moved { crop: step(crop_down, crop), shift: step(down, shift), extent: height };
        let columns = Moved { crop: step(crop_across, crop), shift: step(across, shift), extent: width };
        let mut columns: Vec<Option<usize>> = (0..width).map(|column| columns.source(column)).collect();
        if flip && mirror < 0.5 {
            columns.reverse();
        }
        let channels = image.chunks_exact(height * width).zip(to.chunks_exact_mut(height * width));
        for (channel, to) in channels {
            for (row, to) in to.chunks_exact_mut(width).enumerate() {
                match rows.source(row) {
                    None => to.fill(T::ZERO),
                    Some(row) => {
                        let row = &channel[row * width..][..width];
                        for (to, column) in to.iter_mut().zip(&columns) {
                            *to = column.map_or(T::ZERO, |at| row[at]);
                        }
                    }
                }
            }
        }
    }
}

/// An axis of an image that is moved, then cut.
struct Moved {
    crop: isize,
    shift: isize,
    extent: usize,
}

impl Moved {
    /// Where a position of the result comes from; none of a zero around the image.
    fn source(&self, position: usize) -> Option<usize> {
        let within = position.checked_add_signed(self.crop).filter(|&at| at < self.extent)?;
        Some(within.saturating_add_signed(self.shift).min(self.extent - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(shape: &[usize]) -> Dataset {
        let features = shape.iter().product();
        let inputs = (0..2 * features).map(|i| i as f32 + 1.0).collect();
        Dataset::new("toy", inputs, features, vec![0, 1], 2).unwrap().with_shape(shape).unwrap()
    }

    fn seen(augmentation: Augmentation, data: &Dataset, epoch: u64) -> Vec<f32> {
        let mut to = vec![f32::NAN; data.features()];
        Augmenter::new(augmentation, data, Key::from_seed(3)).write(epoch, 1, data.input(1), &mut to);
        to
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        let data = data(&[2, 3, 4]);
        assert_eq!(seen(Augmentation::default(), &data, 5), data.input(1));
    }

    #[test]
    fn every_change_is_as_likely_as_the_others() {
        let data = data(&[1, 3, 3]);
        let counts = |augmentation: Augmentation| {
            let mut images = std::collections::BTreeMap::<String, usize>::new();
            for epoch in 0..4500 {
                *images.entry(format!("{:?}", seen(augmentation, &data, epoch))).or_default() += 1;
            }
            images
        };
        let flips = counts(Augmentation { flip: true, ..Augmentation::default() });
        assert_eq!(flips.len(), 2);
        assert!(flips.contains_key("[12.0, 11.0, 10.0, 15.0, 14.0, 13.0, 18.0, 17.0, 16.0]"), "{flips:?}");
        let shifts = counts(Augmentation { shift: 1, ..Augmentation::default() });
        assert!(shifts.contains_key("[14.0, 15.0, 15.0, 17.0, 18.0, 18.0, 17.0, 18.0, 18.0]"), "{shifts:?}");
        let crops = counts(Augmentation { crop: 1, ..Augmentation::default() });
        assert!(crops.contains_key("[0.0, 10.0, 11.0, 0.0, 13.0, 14.0, 0.0, 16.0, 17.0]"), "{crops:?}");
        assert!(crops.contains_key("[14.0, 15.0, 0.0, 17.0, 18.0, 0.0, 0.0, 0.0, 0.0]"), "{crops:?}");
        for (images, ways) in [(flips, 2), (shifts, 9), (crops, 9)] {
            assert_eq!(images.len(), ways);
            // Five deviations of a binomial distribution.
            let (mean, share) = (4500.0 / ways as f64, 1.0 / ways as f64);
            let most = 5.0 * (mean * (1.0 - share)).sqrt();
            assert!(images.values().all(|&count| (count as f64 - mean).abs() < most), "{images:?}");
        }
    }

    #[test]
    fn channels_change_together() {
        let data = data(&[2, 3, 4]);
        for epoch in 0..50 {
            let image = seen(Augmentation { shift: 2, crop: 2, flip: true }, &data, epoch);
            let (first, second) = image.split_at(12);
            let moved = first.iter().map(|&x| if x == 0.0 { 0.0 } else { x + 12.0 });
            assert!(moved.eq(second.iter().copied()), "{image:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refusal = |augmentation: Augmentation, shape: &[usize]| {
            augmentation.check(&data(shape)).unwrap_err().to_string()
        };
        let wide = Augmentation { crop: 3, ..Augmentation::default() };
        assert_eq!(
            refusal(wide, &[1, 3, 8]),
            "augment.crop: expected from 0 to 2, for images of 3×8 pixels, found 3"
        );
        assert_eq!(
            refusal(Augmentation::default(), &[9]),
            "augment: expected images [channels, height, width], found examples of shape [9] in toy"
        );
        let far = Augmentation { shift: usize::MAX, ..Augmentation::default() };
        assert!(far.check(&data(&[1, 3, 3])).is_err());
    }
}
