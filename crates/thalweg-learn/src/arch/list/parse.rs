//! Layers from words: a name, numbers, and options.

use std::str::FromStr;

use crate::arch::Activation;
use crate::arch::layer::{
    Convolution, Dropout, GlobalPool, Layer, Linear, Norm, NormOver, Padding, Pool, PoolOf, Sliding,
    Subsample,
};

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclear {
    pub(super) expected: String,
    pub(super) found: String,
}

const NAMES: &str = "linear, conv, maxpool, avgpool, globalmaxpool, globalavgpool, subsample, batchnorm, groupnorm, layernorm, instancenorm, dropout, flatten, relu, tanh, \
                     erf, sigmoid, gelu or silu";
/// Larger numbers make no layer.
const NUMBER_MAX: usize = 1 << 40;

/// The layer that a text says.
pub(super) fn layer(text: &str) -> Result<Layer, Unclear> {
    let mut words = Words::new(text);
    let name = words.rest.first().copied().unwrap_or_default();
    words.rest.drain(..1.min(words.rest.len()));
    let layer = match name {
        "linear" => {
            let units = words.argument("the number of units, as in `linear 10`")?;
            Linear { bias: !words.flag("nobias"), ..Linear::new(units) }.into()
        }
        "conv" => convolution(&mut words)?.into(),
        "maxpool" => pool(PoolOf::Max, &mut words)?.into(),
        "avgpool" => pool(PoolOf::Average, &mut words)?.into(),
        "globalmaxpool" => GlobalPool { of: PoolOf::Max }.into(),
        "globalavgpool" => GlobalPool { of: PoolOf::Average }.into(),
        "subsample" => {
            let channels = words.argument("the number of channels, as in `subsample 32`")?;
            let stride = words.option("stride")?.unwrap_or(2);
            Subsample { channels, stride }.into()
        }
        "batchnorm" => Norm { over: NormOver::Batch, affine: !words.flag("noaffine") }.into(),
        "groupnorm" => {
            let groups = words.argument("the number of groups, as in `groupnorm 4`")?;
            Norm { over: NormOver::Groups(groups), affine: !words.flag("noaffine") }.into()
        }
        "layernorm" => Norm { over: NormOver::Layer, affine: !words.flag("noaffine") }.into(),
        "instancenorm" => Norm { over: NormOver::Instance, affine: words.flag("affine") }.into(),
        "dropout" => {
            let probability = words.argument("the probability of being dropped, as in `dropout 0.5`")?;
            Dropout { probability }.into()
        }
        "flatten" => Layer::Flatten,
        other => match Activation::ALL.into_iter().find(|activation| activation.name() == other) {
            Some(Activation::Linear) | None => {
                return Err(unclear(format!("a layer: {NAMES}"), format!("`{other}`")));
            }
            Some(activation) => activation.into(),
        },
    };
    words.end(name, layer)
}

fn convolution(words: &mut Words<'_>) -> Result<Convolution, Unclear> {
    let like = "as in `conv 16 3x3`";
    let channels = words.argument(&format!("the number of channels, {like}"))?;
    let Pair(taps) = words.argument(&format!("rows and columns of the window, {like}"))?;
    let mut window = Sliding::new(taps, [1, 1]);
    window.padding = words.option::<Pad>("pad")?.map_or(window.padding, |pad| pad.0);
    slide(&mut window, words)?;
    let groups = words.option("groups")?.unwrap_or(1);
    Ok(Convolution { window, groups, bias: !words.flag("nobias"), ..Convolution::new(channels, 1) })
}

fn pool(of: PoolOf, words: &mut Words<'_>) -> Result<Pool, Unclear> {
    let Pair(taps) = words.argument("rows and columns of the window, as in `maxpool 2`")?;
    let mut window = Sliding::new(taps, taps);
    window.padding = Padding::Each(words.option::<Pair>("pad")?.map_or([0, 0], |pad| pad.0));
    slide(&mut window, words)?;
    Ok(Pool { of, window })
}

fn slide(window: &mut Sliding, words: &mut Words<'_>) -> Result<(), Unclear> {
    window.stride = words.option::<Pair>("stride")?.map_or(window.stride, |pair| pair.0);
    window.dilation = words.option::<Pair>("dilation")?.map_or(window.dilation, |pair| pair.0);
    Ok(())
}

/// `3x5`, or `3` for both axes.
struct Pair([usize; 2]);

struct Pad(Padding);

impl FromStr for Pair {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse().map_err(drop).and_then(|x| bounded(x).ok_or(()));
        match text.split_once('x') {
            Some((rows, columns)) => Ok(Self([number(rows)?, number(columns)?])),
            None => Ok(Self([number(text)?; 2])),
        }
    }
}

impl FromStr for Pad {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "same" {
            Ok(Self(Padding::Same))
        } else {
            Ok(Self(Padding::Each(text.parse::<Pair>()?.0)))
        }
    }
}

fn bounded(number: usize) -> Option<usize> {
    (number <= NUMBER_MAX).then_some(number)
}

fn unclear(expected: impl Into<String>, found: impl Into<String>) -> Unclear {
    Unclear { expected: expected.into(), found: found.into() }
}

/// The words that have not been understood yet, and the options that have been asked for.
struct Words<'t> {
    rest: Vec<&'t str>,
    options: Vec<String>,
}

impl<'t> Words<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text.split_whitespace().collect(), options: Vec::new() }
    }

    /// The next word.
    fn argument<T: FromStr>(&mut self, expected: &str) -> Result<T, Unclear> {
        if self.rest.is_empty() {
            return Err(unclear(expected, "nothing"));
        }
        let word = self.rest.remove(0);
        word.parse().map_err(|_| unclear(expected, format!("`{word}`")))
    }

    /// What stands behind `name=`, anywhere among the words that are left.
    fn option<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Unclear> {
        self.options.push(format!("{name}=…"));
        let value = |word: &&str| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        let Some(at) = self.rest.iter().position(value) else { return Ok(None) };
        let word = self.rest.remove(at);
        let parsed = word[name.len() + 1..].parse();
        parsed.map(Some).map_err(|_| unclear(format!("a number in `{name}=…`"), format!("`{word}`")))
    }

    /// Whether that word is among those that are left.
    fn flag(&mut self, name: &str) -> bool {
        self.options.push(name.to_owned());
        let at = self.rest.iter().position(|&word| word == name);
        at.map(|at| self.rest.remove(at)).is_some()
    }

    /// The layer, if nothing is left.
    fn end(self, name: &str, layer: Layer) -> Result<Layer, Unclear> {
        match self.rest.first() {
            None => Ok(layer),
            Some(word) if self.options.is_empty() => {
                Err(unclear(format!("nothing after `{name}`"), format!("`{word}`")))
            }
            Some(word) => {
                let options = self.options.join(", ");
                Err(unclear(format!("options of `{name}`: {options}, each once"), format!("`{word}`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_layer_says_of_itself_reads_back() {
        for text in [
            "linear 10",
            "linear 3 nobias",
            "conv 16 3x3",
            "conv 16 3x5 stride=2 pad=1x2 dilation=3x1 groups=4 nobias",
            "conv 8 1x1 pad=same",
            "maxpool 2",
            "maxpool 3x2 stride=1 pad=1 dilation=2",
            "avgpool 3 stride=2x1 pad=1",
            "globalmaxpool",
            "globalavgpool",
            "subsample 32",
            "subsample 32 stride=3",
            "batchnorm",
            "batchnorm noaffine",
            "groupnorm 4",
            "groupnorm 4 noaffine",
            "layernorm",
            "layernorm noaffine",
            "instancenorm",
            "instancenorm affine",
            "dropout 0.5",
            "dropout 0.1",
            "flatten",
            "gelu",
        ] {
            assert_eq!(layer(text).unwrap().to_string(), text);
        }
        assert_eq!(layer(" conv  4 5 nobias  pad=2 ").unwrap().to_string(), "conv 4 5x5 pad=2 nobias");
        assert_eq!(layer("dropout 25e-2").unwrap().to_string(), "dropout 0.25");
        assert_eq!(layer("maxpool 3 stride=3").unwrap().to_string(), "maxpool 3");
    }

    #[test]
    fn what_is_no_layer_is_told_from_what_is() {
        for (text, expected, found) in [
            ("", "a layer: linear, conv, ", "``"),
            ("cnov 3", "a layer: linear, conv, ", "`cnov`"),
            ("linear", "the number of units, as in `linear 10`", "nothing"),
            ("linear -1", "the number of units, as in `linear 10`", "`-1`"),
            ("conv 16", "rows and columns of the window, as in `conv 16 3x3`", "nothing"),
            ("conv 16 3y3", "rows and columns of the window, as in `conv 16 3x3`", "`3y3`"),
            ("conv 16 99999999999999x1", "rows and columns of the window", "`99999999999999x1`"),
            (
                "conv 16 3 strde=2",
                "options of `conv`: pad=…, stride=…, dilation=…, groups=…, nobias",
                "`strde=2`",
            ),
            ("conv 16 3 stride=two", "a number in `stride=…`", "`stride=two`"),
            ("conv 16 3 stride=2 stride=1", "options of `conv`: ", "`stride=1`"),
            ("avgpool 2 pad=same", "a number in `pad=…`", "`pad=same`"),
            ("relu 3", "nothing after `relu`", "`3`"),
            ("dropout", "the probability of being dropped, as in `dropout 0.5`", "nothing"),
            ("dropout half", "the probability of being dropped, as in `dropout 0.5`", "`half`"),
            ("dropout 0.5 0.5", "nothing after `dropout`", "`0.5`"),
            ("instancenorm noaffine", "options of `instancenorm`: affine", "`noaffine`"),
        ] {
            let error = layer(text).unwrap_err();
            assert!(error.expected.starts_with(expected), "{text}: {error:?}");
            assert_eq!(error.found, found, "{text}");
        }
    }
}
