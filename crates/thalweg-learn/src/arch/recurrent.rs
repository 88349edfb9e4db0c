//! Recurrent networks, unrolled over a fixed number of steps: over the rows of an image, or over the tokens of a text.

use serde::{Deserialize, Serialize};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::params::{Leaf, ParamSpace, Role};

use super::layer::{LayerError, Shape, notes, probability};
use super::leaves::{Leaves, Params, check_counts, check_depth, misfit, outputs, outputs_everywhere, take};
use super::{Architecture, Pass};
use crate::init::Init;

/// A recurrent network and a linear map of what it ends with. An image is a sequence of its rows, a step each (all channels of a
/// row together); features are a step each. With an `embedding` it is a language model: each token is looked up, and the
/// linear map is from the hidden units at every position to the next token.
///
/// Leaves as PyTorch has them: `embedding.weight [tokens, embedding]` of an `nn.Embedding`, those in a module of an `nn.LSTM` or `nn.RNN`, called `lstm` or `rnn`, and a `Linear` called `head`:
/// `lstm.weight_ih_l0 [4·units, in]`, `lstm.weight_hh_l0 [4·units, units]`, `lstm.bias_ih_l0`, `lstm.bias_hh_l0`, …, `head.weight`,
/// `head.bias`. Of four gates the first is i, then f, g, o.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecurrentConfig {
    /// Hidden units of each layer; 32 unless given.
    pub units: usize,
    /// Layers, each of which reads the one before; 1 unless given.
    pub depth: usize,
    /// Numbers of the vector that a token is looked up as, for a text; unless given, inputs are numbers and no tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<usize>,
    /// How probable it is in training that a hidden unit is dropped on its way from a layer to the next, at each step by
    /// itself; 0 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Initial weights and biases; PyTorch's unless given: uniform in ±1/√fan_in, recurrent biases included.
    pub init: Init,
}

/// What a unit does in a step, from its inputs x and the hidden units h of the step before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// h ← tanh(W x + b + W′ h + b′), as `nn.RNN` (Elman 1990).
    Rnn,
    /// Long short-term memory, as `nn.LSTM` (Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000): with
    /// i, f, o sigmoids and g a tanh of such sums, c ← f·c + i·g and h ← o·tanh c.
    Lstm,
}

impl Default for RecurrentConfig {
    fn default() -> Self {
        Self { units: 32, depth: 1, embedding: None, dropout: None, init: Init::Torch }
    }
}

impl RecurrentConfig {
    /// The network for inputs of that shape and so many outputs; with an embedding, of a text of so many different tokens.
    ///
    /// # Errors
    /// A count of 0, or one beyond all machines; dropout in a single layer, or a probability outside [0, 1); an embedding for
    /// an image.
    pub fn network(&self, cell: Cell, input: Shape, outputs: usize) -> Result<Recurrent, LayerError> {
        let &Self { units, depth, .. } = self;
        let source = match (self.embedding, input) {
            (Some(width), Shape::Features(positions)) => {
                check_counts(&[("embedding", width), ("positions", positions), ("tokens", outputs)])?;
                Source::Tokens { positions, width }
            }
            (Some(_), Shape::Image { .. }) => {
                return Err(misfit("a sequence of tokens for an embedding", format!("an image of {input}")));
            }
            (None, Shape::Features(features)) => Source::Rows { channels: 1, steps: features, columns: 1 },
            (None, Shape::Image { channels, height, width }) => {
                Source::Rows { channels, steps: height, columns: width }
            }
        };
        check_counts(&[("units", units), ("outputs", outputs)])?;
        check_depth(depth)?;
        let dropout = probability("dropout", self.dropout)?;
        if dropout > 0.0 && depth == 1 {
            return Err(misfit("a depth of at least 2 for dropout, which stands between layers", "1"));
        }
        if let Source::Rows { channels, steps, columns } = source {
            check_counts(&[("channels", channels), ("steps", steps), ("numbers of a step", columns)])?;
        }
        let space = ParamSpace::new();
        let mut network = Recurrent { cell, source, units, depth, dropout, classes: outputs, space };
        network.space = network.declared()?;
        Ok(network)
    }
}

/// What the steps are made of.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// Numbers: a step has the columns of all channels.
    Rows { channels: usize, steps: usize, columns: usize },
    /// Tokens, a step each, looked up as vectors; there is an output for each.
    Tokens { positions: usize, width: usize },
}

/// A recurrent network for inputs of one shape: see [`RecurrentConfig`]. Tokens are whole numbers from 0; one outside of the
/// vocabulary makes the outputs from there on NaN.
#[derive(Clone, Debug)]
pub struct Recurrent {
    cell: Cell,
    source: Source,
    units: usize,
    depth: usize,
    dropout: f64,
    /// Outputs, at each position if there are several.
    classes: usize,
    space: ParamSpace,
}

impl Cell {
    fn name(self) -> &'static str {
        match self {
            Self::Rnn => "rnn",
            Self::Lstm => "lstm",
        }
    }

    /// Sums that each unit takes.
    fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Lstm => 4,
        }
    }

    /// One step: from three terms of the sums `[examples, gates·units]` and the cells before it to hidden units and cells.
    fn step<'b>(self, [a, b, c]: [Var<'b>; 3], cells: Var<'b>) -> (Var<'b>, Var<'b>) {
        match self {
            Self::Rnn => ((a + b + c).tanh(), cells),
            Self::Lstm => {
                let units = a.shape()[1] / 4;
                // Gate by gate: sums that were added up first would be written, and read again.
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| {
                    let own = |all: Var<'b>| all.slice(1, gate * units, units);
                    own(a) + own(b) + own(c)
                });
                let cells = f.logistic() * cells + i.logistic() * g.tanh();
                (o.logistic() * cells.tanh(), cells)
            }
        }
    }
}

impl Recurrent {
    fn declared(&self) -> Result<ParamSpace, LayerError> {
        let (name, gates, units) = (self.cell.name(), self.cell.gates(), self.units);
        let rows = gates * units;
        let mut leaves = Leaves::default();
        let (numbers, mut below) = match self.source {
            Source::Rows { channels, columns, .. } => (channels * columns, None),
            Source::Tokens { width, .. } => {
                let embedding = leaves.units("embedding".to_owned(), width);
                leaves.embedding("embedding.weight", &[self.classes, width], embedding);
                (width, Some(embedding))
            }
        };
        for layer in 0..self.depth {
            let hidden = leaves.units(format!("hidden {layer}"), units);
            let leaf = |part: &str, shape: &[usize], role| {
                Leaf::new(&format!("{name}.{part}_l{layer}"), shape, role).stacked(gates)
            };
            let inputs = if layer == 0 { numbers } else { units };
            let of_inputs = below.map(|below| (1, below));
            let permuted: Vec<(usize, usize)> = [(0, hidden)].into_iter().chain(of_inputs).collect();
            leaves.weight(leaf("weight_ih", &[rows, inputs], Role::Weight), &permuted);
            leaves
                .weight_beside(leaf("weight_hh", &[rows, units], Role::Weight), &[(0, hidden), (1, hidden)]);
            leaves.bias(leaf("bias_ih", &[rows], Role::Bias), &[(0, hidden)]);
            leaves.bias(leaf("bias_hh", &[rows], Role::Bias), &[(0, hidden)]);
            below = Some(hidden);
        }
        let permuted: Vec<(usize, usize)> = below.map(|below| (1, below)).into_iter().collect();
        leaves.linear("head", [self.classes, units], &permuted);
        leaves.finish()
    }

    /// The inputs `[steps, examples, numbers]`.
    fn steps<'b>(&self, params: &mut Params<'_, 'b>, x: Var<'b>) -> Var<'b> {
        let examples = x.shape()[0];
        let rows = match self.source {
            Source::Rows { channels, steps, columns } => x
                .reshape(&[examples, channels, steps, columns])
                .permute(&[0, 2, 1, 3])
                .reshape(&[examples, steps, channels * columns]),
            Source::Tokens { .. } => take(params).gather(x.as_index()),
        };
        rows.permute(&[1, 0, 2])
    }

    /// The hidden units `[examples, units]` of one layer at each step, from its inputs `[steps, examples, inputs]`.
    fn layer<'b>(&self, builder: &'b Builder, params: &mut Params<'_, 'b>, x: Var<'b>) -> Vec<Var<'b>> {
        let [w, w_hidden, b, b_hidden] = [(); 4].map(|()| take(params));
        let [steps, examples, _] = x.shape()[..] else { unreachable!("steps of examples") };
        let gates = self.cell.gates() * self.units;
        // What does not wait for the hidden units is one product over all steps.
        let of_inputs = builder.einsum("tbi,oi->tbo", x, w);
        let biases = (b + b_hidden).broadcast(&of_inputs.shape(), &[2]);
        let at = |all: Var<'b>, step| all.slice(0, step, 1).reshape(&[examples, gates]);
        let mut hidden = builder.zeros(&[examples, self.units]);
        let mut cells = hidden;
        let mut all = Vec::with_capacity(steps);
        for step in 0..steps {
            let of_hidden = builder.einsum("bi,oi->bo", hidden, w_hidden);
            let sums = [at(of_inputs, step), of_hidden, at(biases, step)];
            (hidden, cells) = self.cell.step(sums, cells);
            all.push(hidden);
        }
        all
    }
}

/// Steps `[examples, units]`, one after another.
fn in_order<'b>(builder: &'b Builder, steps: &[Var<'b>]) -> Var<'b> {
    let each = |step: &Var<'b>| step.reshape(&[&[1], &step.shape()[..]].concat());
    builder.concatenate(0, &steps.iter().map(each).collect::<Vec<Var<'b>>>())
}

impl Architecture for Recurrent {
    fn space(&self) -> &ParamSpace {
        &self.space
    }

    fn draws(&self) -> bool {
        self.dropout > 0.0
    }

    fn inputs(&self) -> usize {
        match self.source {
            Source::Rows { channels, steps, columns } => channels * steps * columns,
            Source::Tokens { positions, .. } => positions,
        }
    }

    fn outputs(&self) -> usize {
        self.positions() * self.classes
    }

    fn positions(&self) -> usize {
        match self.source {
            Source::Rows { .. } => 1,
            Source::Tokens { positions, .. } => positions,
        }
    }

    fn describe(&self) -> String {
        let (cell, classes) = (self.cell.name(), self.classes);
        let notes = notes(&[("dropout", self.dropout)]);
        let about = match self.source {
            Source::Rows { channels, steps, columns } => format!("{channels}×{steps}×{columns}-{classes}"),
            Source::Tokens { positions, width } => {
                format!("{positions} of {classes} tokens, embedding {width},")
            }
        };
        format!("{cell} {about} units {}, depth {}{notes}", self.units, self.depth)
    }

    fn write<'b>(&self, params: &[Var<'b>], pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let params = &mut params.iter().copied();
        let builder = x.builder();
        let steps = self.steps(params, x);
        let mut all = self.layer(builder, params, steps);
        for _ in 1..self.depth {
            let kept: Vec<Var<'b>> = all.iter().map(|&step| pass.dropout(step, self.dropout)).collect();
            all = self.layer(builder, params, in_order(builder, &kept));
        }
        let (weight, bias) = (take(params), take(params));
        assert!(params.next().is_none(), "one leaf a variable");
        if self.positions() > 1 {
            return outputs_everywhere(in_order(builder, &all).permute(&[1, 0, 2]), weight, Some(bias));
        }
        outputs(*all.last().expect("a network has steps"), weight, bias)
    }
}
