//! How raw pixels become inputs.

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Place, Split};

/// The scale of inputs, a named policy because every curvature depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Pixels over their greatest possible value: inputs in [0, 1].
    UnitInterval,
    /// Mean 0 and variance 1 over all pixels of the training part together; the other part is moved by the same numbers.
    ///
    /// Not per pixel: corner pixels that are nearly always 0 would be blown up by their tiny deviation.
    Standardised,
    /// Mean 0 and variance 1 over the training part in every channel by itself, as it is usual for colour images. The channels
    /// are the first axis of an example's shape; of examples without another axis every feature is one.
    StandardisedByChannel,
    /// Numbers as the source has them; pixels of images in [0, 1].
    AsGiven,
}

/// The map x ↦ (x − mean)/deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standardisation {
    /// Mean of what is standardised, over the training part.
    pub mean: f64,
    /// Standard deviation of the same, divided by their number (not one less).
    pub deviation: f64,
}

/// How raw inputs became those of a split.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// All by one map.
    Together(Standardisation),
    /// Each channel by its own.
    ByChannel(Vec<Standardisation>),
}

impl Split {
    /// Scales both parts, by the mean and deviation of the training part where it is one of these, and says how.
    ///
    /// # Errors
    /// If all that is to be standardised is the same number, or an input is outside the unit interval where that is the scale;
    /// nothing is changed then.
    pub fn scale(&mut self, scaling: Scaling) -> Result<Scale, DataError> {
        if scaling == Scaling::UnitInterval {
            [&self.train, &self.test].into_iter().try_for_each(check_unit_interval)?;
        }
        let scale = Scale::of(&self.train, scaling)?;
        scale.apply(&mut self.train);
        scale.apply(&mut self.test);
        Ok(scale)
    }
}

impl Standardisation {
    /// The map that changes nothing.
    pub const IDENTITY: Self = Self { mean: 0.0, deviation: 1.0 };

    fn of(data: &Dataset) -> Result<Self, DataError> {
        if data.inputs.iter().all(|&x| x == data.inputs[0]) {
            return Err(DataError::Constant { data: data.name.clone(), value: data.inputs[0] });
        }
        let count = data.inputs.len() as f64;
        let mean = data.inputs.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = data.inputs.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        Ok(Self { mean, deviation: variance.sqrt() })
    }

    fn at(self, x: f32) -> f32 {
        ((f64::from(x) - self.mean) / self.deviation) as f32
    }
}

/// Sums of one channel, about its first number so that a mean far from 0 costs no digits.
#[derive(Clone, Copy)]
struct Sums {
    first: f64,
    sum: f64,
    squares: f64,
}

impl Scale {
    /// The scale of that data set's inputs.
    ///
    /// # Errors
    /// If all that is to be standardised is the same number.
    pub fn of(data: &Dataset, scaling: Scaling) -> Result<Self, DataError> {
        match scaling {
            Scaling::UnitInterval | Scaling::AsGiven => Ok(Self::Together(Standardisation::IDENTITY)),
            Scaling::Standardised => Ok(Self::Together(Standardisation::of(data)?)),
            Scaling::StandardisedByChannel => Self::by_channel(data),
        }
    }

    /// One pass over the inputs.
    fn by_channel(data: &Dataset) -> Result<Self, DataError> {
        let channels = data.shape.first().copied().unwrap_or(1);
        let size = data.features / channels;
        let first = |channel: usize| f64::from(data.inputs[channel * size]);
        let mut sums: Vec<Sums> =
            (0..channels).map(|c| Sums { first: first(c), sum: 0.0, squares: 0.0 }).collect();
        for example in data.inputs.chunks(data.features) {
            for (sums, plane) in sums.iter_mut().zip(example.chunks(size)) {
                for &x in plane {
                    let x = f64::from(x) - sums.first;
                    sums.sum += x;
                    sums.squares += x * x;
                }
            }
        }
        let count = (data.examples() * size) as f64;
        let map = |(channel, Sums { first, sum, squares }): (usize, Sums)| {
            let deviation = ((squares - sum * sum / count) / count).sqrt();
            match squares > 0.0 && deviation > 0.0 {
                true => Ok(Standardisation { mean: first + sum / count, deviation }),
                false => {
                    let (data, value) = (data.name.clone(), first as f32);
                    Err(DataError::ConstantChannel { data, channel, value })
                }
            }
        };
        Ok(Self::ByChannel(sums.into_iter().enumerate().map(map).collect::<Result<_, _>>()?))
    }

    fn apply(&self, data: &mut Dataset) {
        match self {
            Self::Together(map) if *map == Standardisation::IDENTITY => {}
            Self::Together(map) => data.inputs.iter_mut().for_each(|x| *x = map.at(*x)),
            Self::ByChannel(maps) => {
                let size = data.features / maps.len();
                for (plane, map) in data.inputs.chunks_mut(size).zip(maps.iter().cycle()) {
                    plane.iter_mut().for_each(|x| *x = map.at(*x));
                }
            }
        }
    }

    /// What becomes of a raw number at that place of an example of so many features.
    pub fn at(&self, x: f32, feature: usize, features: usize) -> f32 {
        match self {
            Self::Together(map) => map.at(x),
            Self::ByChannel(maps) => maps[feature / (features / maps.len())].at(x),
        }
    }
}

fn check_unit_interval(data: &Dataset) -> Result<(), DataError> {
    match data.inputs.iter().position(|x| !(0.0..=1.0).contains(x)) {
        None => Ok(()),
        Some(at) => {
            let place = Place::Example { data: data.name.clone(), example: at / data.features };
            Err(DataError::OutsideUnit { place, feature: at % data.features, found: data.inputs[at] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(inputs: Vec<f32>, features: usize, shape: &[usize]) -> Dataset {
        let labels = vec![0; inputs.len() / features];
        Dataset::new("d", inputs, features, labels, 1).unwrap().with_shape(shape).unwrap()
    }

    fn column(inputs: Vec<f32>) -> Dataset {
        data(inputs, 1, &[1])
    }

    #[test]
    fn both_parts_move_by_the_training_part() {
        let mut split = Split { train: column(vec![1.0, 3.0, 5.0, 7.0]), test: column(vec![4.0, 9.0]) };
        let scale = split.scale(Scaling::Standardised).unwrap();
        // Mean 4, variance (9 + 1 + 1 + 9)/4 = 5.
        assert_eq!(scale, Scale::Together(Standardisation { mean: 4.0, deviation: 5f64.sqrt() }));
        assert_eq!(split.test.inputs(), [0.0, 5f64.sqrt() as f32]);
        assert_eq!(split.train.inputs()[0], (-3.0 / 5f64.sqrt()) as f32);
        let mut flat = Split { train: column(vec![2.0, 2.0]), test: column(vec![1.0]) };
        let refused = flat.scale(Scaling::Standardised).unwrap_err().to_string();
        assert_eq!(refused, "d: cannot standardise: every input is 2");
        assert_eq!(flat.test.inputs(), [1.0]);
    }

    #[test]
    fn channels_move_by_their_own() {
        // Two channels of two pixels each.
        let train = vec![1.0, 3.0, 1000.0, 1002.0, 5.0, 7.0, 1004.0, 1006.0];
        let test = vec![4.0, 4.0, 1003.0, 1003.0];
        let mut split = Split { train: data(train.clone(), 4, &[2, 2]), test: data(test, 4, &[2, 1, 2]) };
        let scale = split.scale(Scaling::StandardisedByChannel).unwrap();
        let deviation = 5f64.sqrt();
        let maps =
            vec![Standardisation { mean: 4.0, deviation }, Standardisation { mean: 1003.0, deviation }];
        assert_eq!(scale, Scale::ByChannel(maps));
        assert_eq!(split.test.inputs(), [0.0; 4]);
        let expected: Vec<f32> =
            [-3.0, -1.0, -3.0, -1.0, 1.0, 3.0, 1.0, 3.0].map(|x| (x / deviation) as f32).into();
        assert_eq!(split.train.inputs(), expected);
        let at = |i: usize| scale.at(train[i], i % 4, 4);
        assert!((0..8).map(at).eq(split.train.inputs().iter().copied()));

        // Features without another axis are channels; the far mean costs no digits.
        let far: Vec<f32> = (0..600).flat_map(|i| [16_777_000.0 + (i % 2) as f32, i as f32]).collect();
        let mut split = Split { train: data(far.clone(), 2, &[2]), test: data(far, 2, &[2]) };
        let Scale::ByChannel(maps) = split.scale(Scaling::StandardisedByChannel).unwrap() else { panic!() };
        assert_eq!(maps[0], Standardisation { mean: 16_777_000.5, deviation: 0.5 });
        assert_eq!(maps[1].mean, 299.5);

        let mut flat =
            Split { train: data(vec![0.5, 2.0, 1.5, 2.0], 2, &[2]), test: data(vec![0.0; 2], 2, &[2]) };
        let refused = flat.scale(Scaling::StandardisedByChannel).unwrap_err().to_string();
        assert_eq!(refused, "d: cannot standardise channel 1: every input of it is 2");
        assert_eq!(flat.train.inputs(), [0.5, 2.0, 1.5, 2.0]);
    }

    #[test]
    fn one_channel_is_all_together() {
        let inputs: Vec<f32> = (0..40).map(|i| ((i * i) % 17) as f32 / 16.0).collect();
        let split = || Split {
            train: data(inputs.clone(), 4, &[1, 2, 2]),
            test: data(inputs.clone(), 4, &[1, 2, 2]),
        };
        let (mut one, mut all) = (split(), split());
        one.scale(Scaling::StandardisedByChannel).unwrap();
        all.scale(Scaling::Standardised).unwrap();
        one.train.inputs().iter().zip(all.train.inputs()).for_each(|(a, b)| assert!((a - b).abs() < 1e-6));
    }

    #[test]
    fn the_unit_interval_is_checked_and_what_is_given_stays() {
        let outside = || Split { train: column(vec![0.0, 1.0]), test: column(vec![0.5, 1.5]) };
        let refused = outside().scale(Scaling::UnitInterval).unwrap_err().to_string();
        assert_eq!(
            refused,
            "d, example 1: expected inputs from 0 to 1, as in scaling \"unit_interval\", found 1.5 at feature 0"
        );
        let mut given = outside();
        given.scale(Scaling::AsGiven).unwrap();
        assert_eq!(given, outside());
    }
}
