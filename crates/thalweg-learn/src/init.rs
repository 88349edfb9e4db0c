//! Initial weights and biases.
//!
//! A weight is `[out, in, ...]` with fan-in and fan-out as in the literature (for a convolution each is channels times
//! kernel positions); filling needs nothing of its shape but those two. Numbers are drawn in f64 and rounded, so a
//! network has the same initial weights in both precisions up to that rounding.

use serde::{Deserialize, Serialize};
use thalweg_kernel::{Key, Real};

/// Numbers of connections into and out of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fans {
    /// Inputs of a unit: `in · kernel positions`.
    pub fan_in: usize,
    /// Outputs that an input reaches: `out · kernel positions`.
    pub fan_out: usize,
}

/// The shape of a distribution of mean 0 and given variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// N(0, σ²), not truncated (some frameworks cut theirs off at 2σ). The one that is meant unless given.
    #[default]
    Normal,
    /// U(−√3 σ, √3 σ).
    Uniform,
}

/// A rule for initial weights and biases.
///
/// | rule | variance of a weight | bias |
/// |---|---|---|
/// | He | 2/fan_in | 0 |
/// | Glorot | 2/(fan_in + fan_out) | 0 |
/// | LeCun | 1/fan_in | 0 |
/// | mean field | σ_w²/fan_in, normal | N(0, σ_b²) |
/// | torch | 1/(3 fan_in), uniform in ±1/√fan_in | U(±1/√fan_in) |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Init {
    /// Keeps the second moment through ReLU layers: gain √2 over fan-in (He et al. 2015, eq. 10).
    He {
        /// Shape of the distribution.
        #[serde(default)]
        distribution: Distribution,
    },
    /// Balances the variances of activations and gradients of linear units (Glorot & Bengio 2010, eqs. 12 and 16).
    Glorot {
        /// Shape of the distribution.
        #[serde(default)]
        distribution: Distribution,
    },
    /// Keeps the variance through linear units (LeCun et al. 1998, eq. 16).
    Lecun {
        /// Shape of the distribution.
        #[serde(default)]
        distribution: Distribution,
    },
    /// The ensemble of mean-field theory (Poole et al. 2016, section 2).
    MeanField {
        /// σ_w: a weight has the deviation σ_w/√fan_in.
        sigma_w: f64,
        /// σ_b: the deviation of a bias.
        sigma_b: f64,
    },
    /// PyTorch's default for linear and convolutional layers: Kaiming uniform with a = √5, whose bound is 1/√fan_in.
    Torch,
}

impl Default for Init {
    /// He's normal ones.
    fn default() -> Self {
        Self::He { distribution: Distribution::Normal }
    }
}

/// A rule that cannot be followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("init mean_field: expected {field} to be finite and at least 0, found {found}")]
pub struct InitError {
    /// Name of the field.
    pub field: &'static str,
    /// The value given.
    pub found: f64,
}

impl Init {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn validate(&self) -> Result<(), InitError> {
        if let Self::MeanField { sigma_w, sigma_b } = *self {
            for (field, found) in [("sigma_w", sigma_w), ("sigma_b", sigma_b)] {
                if !(found.is_finite() && found >= 0.0) {
                    return Err(InitError { field, found });
                }
            }
        }
        Ok(())
    }

    /// Fills a weight, in the order of its memory.
    ///
    /// The two leaves of a layer need keys of their own: the same key gives them the same underlying draws.
    pub fn fill_weight<T: Real>(&self, weight: &mut [T], fans: Fans, key: Key) {
        let (distribution, deviation) = self.weight_law(fans);
        fill(weight, distribution, deviation, key);
    }

    /// Fills a bias.
    pub fn fill_bias<T: Real>(&self, bias: &mut [T], fans: Fans, key: Key) {
        match self.bias_law(fans) {
            Some((distribution, deviation)) => fill(bias, distribution, deviation, key),
            None => bias.fill(T::ZERO),
        }
    }

    /// Distribution and standard deviation of a weight.
    pub fn weight_law(&self, Fans { fan_in, fan_out }: Fans) -> (Distribution, f64) {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match *self {
            Self::He { distribution } => (distribution, (2.0 / fan_in).sqrt()),
            Self::Glorot { distribution } => (distribution, (2.0 / (fan_in + fan_out)).sqrt()),
            Self::Lecun { distribution } => (distribution, (1.0 / fan_in).sqrt()),
            Self::MeanField { sigma_w, .. } => (Distribution::Normal, sigma_w / fan_in.sqrt()),
            Self::Torch => (Distribution::Uniform, (1.0 / (3.0 * fan_in)).sqrt()),
        }
    }

    /// Distribution and standard deviation of a bias; none if it is zero.
    pub fn bias_law(&self, fans: Fans) -> Option<(Distribution, f64)> {
        match *self {
            Self::He { .. } | Self::Glorot { .. } | Self::Lecun { .. } => None,
            Self::MeanField { sigma_b, .. } => Some((Distribution::Normal, sigma_b)),
            Self::Torch => Some(self.weight_law(fans)),
        }
    }
}

fn fill<T: Real>(out: &mut [T], distribution: Distribution, deviation: f64, key: Key) {
    let mut draws = vec![0.0; out.len()];
    match distribution {
        Distribution::Normal => {
            key.normals(&mut draws);
            draws.iter_mut().for_each(|x| *x *= deviation);
        }
        Distribution::Uniform => {
            key.uniforms(&mut draws);
            let bound = 3f64.sqrt() * deviation;
            draws.iter_mut().for_each(|x| *x = bound * (2.0 * *x - 1.0));
        }
    }
    for (out, x) in out.iter_mut().zip(draws) {
        *out = T::from_f64(x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Distribution::{Normal, Uniform};

    const FANS: Fans = Fans { fan_in: 50, fan_out: 200 };

    fn draw(fill: impl Fn(&mut [f64], Key)) -> Vec<f64> {
        let mut x = vec![0.0; 40_000];
        fill(&mut x, Key::from_seed(7).named("test"));
        x
    }

    /// Mean and variance within four standard errors; bounds (uniform) or tails and kurtosis (normal).
    fn assert_law(x: &[f64], distribution: Distribution, variance: f64) {
        let n = x.len() as f64;
        let moment = |p: i32| x.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        let kurtosis = if distribution == Normal { 3.0 } else { 9.0 / 5.0 };
        assert!(moment(1).abs() < 4.0 * (variance / n).sqrt(), "mean {}", moment(1));
        let error = 4.0 * variance * ((kurtosis - 1.0) / n).sqrt();
        assert!((moment(2) - variance).abs() < error, "variance {} instead of {variance}", moment(2));
        assert!(
            (moment(4) / variance.powi(2) - kurtosis).abs() < 0.2,
            "kurtosis {}",
            moment(4) / variance.powi(2)
        );
        let most = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let bound = (3.0 * variance).sqrt();
        match distribution {
            // The bounds are nearly reached and never passed.
            Uniform => assert!(most <= bound && most > 0.999 * bound, "{most} of {bound}"),
            Normal => assert!(most > 3.5 * variance.sqrt()),
        }
    }

    #[test]
    fn weights_have_the_variance_of_the_table() {
        for distribution in [Normal, Uniform] {
            for (init, variance) in [
                (Init::He { distribution }, 2.0 / 50.0),
                (Init::Glorot { distribution }, 2.0 / 250.0),
                (Init::Lecun { distribution }, 1.0 / 50.0),
            ] {
                assert_law(&draw(|x, key| init.fill_weight(x, FANS, key)), distribution, variance);
                assert!(draw(|x, key| init.fill_bias(x, FANS, key)).iter().all(|&b| b == 0.0));
            }
        }
        let field = Init::MeanField { sigma_w: 1.3, sigma_b: 0.3 };
        assert_law(&draw(|x, key| field.fill_weight(x, FANS, key)), Normal, 1.69 / 50.0);
        assert_law(&draw(|x, key| field.fill_bias(x, FANS, key)), Normal, 0.09);
    }

    #[test]
    fn torch_bounds_are_one_over_the_root_of_fan_in() {
        for x in [
            draw(|x, key| Init::Torch.fill_weight(x, FANS, key)),
            draw(|x, key| Init::Torch.fill_bias(x, FANS, key)),
        ] {
            assert_law(&x, Uniform, 1.0 / 150.0);
            let most = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert!(most <= 1.0 / 50f64.sqrt() && most > 0.999 / 50f64.sqrt());
        }
        // Kaiming uniform with a = √5: gain √(2/(1 + a²)) = √⅓, bound gain·√3/√fan_in.
        let (distribution, deviation) = Init::Torch.weight_law(FANS);
        assert_eq!(distribution, Uniform);
        assert!((deviation - (2.0f64 / 6.0).sqrt() / 50f64.sqrt()).abs() < 1e-16);
    }

    #[test]
    fn precisions_share_their_draws_and_keys_do_not() {
        let he = Init::He { distribution: Normal };
        let key = Key::from_seed(0);
        let (mut single, mut double, mut other) = ([0f32; 9], [0f64; 9], [0f64; 9]);
        he.fill_weight(&mut single, FANS, key);
        he.fill_weight(&mut double, FANS, key);
        he.fill_weight(&mut other, FANS, key.fold_in(1));
        assert_eq!(single, double.map(|x| x as f32));
        assert!(double.iter().zip(&other).all(|(a, b)| a != b));
    }

    #[test]
    fn configurations_read_back() {
        for (text, init) in [
            (r#"{"kind":"he","distribution":"normal"}"#, Init::He { distribution: Normal }),
            (
                r#"{"kind":"mean_field","sigma_w":1.3,"sigma_b":0.3}"#,
                Init::MeanField { sigma_w: 1.3, sigma_b: 0.3 },
            ),
            (r#"{"kind":"torch"}"#, Init::Torch),
        ] {
            assert_eq!(serde_json::from_str::<Init>(text).unwrap(), init);
            assert_eq!(serde_json::to_string(&init).unwrap(), text);
        }
        assert!(serde_json::from_str::<Init>(r#"{"kind":"he","distribution":"normal","gain":2}"#).is_err());
        let error = Init::MeanField { sigma_w: 1.0, sigma_b: f64::NAN }.validate().unwrap_err();
        assert_eq!(
            error.to_string(),
            "init mean_field: expected sigma_b to be finite and at least 0, found NaN"
        );
    }
}
