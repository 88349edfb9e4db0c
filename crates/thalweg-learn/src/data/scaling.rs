//! How raw pixels become inputs.

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Split};

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
}

/// The map x ↦ (x − mean)/deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standardisation {
    /// Mean over every input of the training part.
    pub mean: f64,
    /// Standard deviation over the same, divided by their number (not one less).
    pub deviation: f64,
}

impl Split {
    /// Standardises both parts by the mean and deviation of the training part, and says by which.
    ///
    /// # Errors
    /// If all training inputs are the same number; nothing is changed then.
    pub fn standardise(&mut self) -> Result<Standardisation, DataError> {
        let map = Standardisation::of(&self.train)?;
        map.apply(&mut self.train);
        map.apply(&mut self.test);
        Ok(map)
    }
}

impl Standardisation {
    /// Of all inputs of that data set as one population.
    ///
    /// # Errors
    /// If all inputs are the same number.
    pub fn of(data: &Dataset) -> Result<Self, DataError> {
        if data.inputs.iter().all(|&x| x == data.inputs[0]) {
            return Err(DataError::Constant { data: data.name.clone(), value: data.inputs[0] });
        }
        let count = data.inputs.len() as f64;
        let mean = data.inputs.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = data.inputs.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        Ok(Self { mean, deviation: variance.sqrt() })
    }

    fn apply(self, data: &mut Dataset) {
        for x in &mut data.inputs {
            *x = ((f64::from(*x) - self.mean) / self.deviation) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_move_by_the_training_part() {
        let data = |inputs: Vec<f32>| {
            let labels = vec![0; inputs.len()];
            Dataset::new("d", inputs, 1, labels, 1).unwrap()
        };
        let mut split = Split { train: data(vec![1.0, 3.0, 5.0, 7.0]), test: data(vec![4.0, 9.0]) };
        let map = split.standardise().unwrap();
        // Mean 4, variance (9 + 1 + 1 + 9)/4 = 5.
        assert_eq!(map, Standardisation { mean: 4.0, deviation: 5f64.sqrt() });
        assert_eq!(split.test.inputs(), [0.0, 5f64.sqrt() as f32]);
        assert_eq!(split.train.inputs()[0], (-3.0 / 5f64.sqrt()) as f32);
        let mut flat = Split { train: data(vec![2.0, 2.0]), test: data(vec![1.0]) };
        assert_eq!(flat.standardise().unwrap_err().to_string(), "d: cannot standardise: every input is 2");
        assert_eq!(flat.test.inputs(), [1.0]);
    }
}
