//! Language models: transformers that see the past only.

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;
use thalweg_program::params::{Leaf, ParamSpace, Role};

use super::layer::{LayerError, Shape, notes, probability};
use super::leaves::{Leaves, check_counts, misfit, outputs_everywhere, take};
use super::transformer::{Block, BlockDropout, Names, layer_norm};
use super::{Architecture, Pass};
use crate::init::{Distribution, Init};

/// Added to the variances.
const EPS: f64 = 1e-5;

/// A decoder-only transformer (GPT-2 of Radford et al. 2019): a vector for each token and one for each
/// position are added; `depth` blocks, in which a position sees those up to itself; a layer norm; and at every position a linear map
/// to the next token. The data decide how many tokens there are and how many of them make an example.
///
/// Leaves with the names of a plain GPT in PyTorch: `transformer.wte.weight [tokens, width]`, `transformer.wpe.weight [positions,
/// width]`, `transformer.h.0.ln_1.weight`, …, `transformer.h.0.attn.c_attn.weight`, …, `transformer.ln_f.bias`,
/// `lm_head.weight [tokens, width]`. The last is a leaf of its own, and not that of the tokens again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GptConfig {
    /// Units of the residual stream; 32 unless given.
    pub width: usize,
    /// Blocks; 2 unless given.
    pub depth: usize,
    /// Heads of attention, which divide the width; 4 unless given.
    pub heads: usize,
    /// Hidden units of each block's perceptron; 128 unless given.
    pub mlp_width: usize,
    /// How probable it is in training that a number of the tokens with their positions is dropped; 0 unless given, 0.1 in GPT-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_dropout: Option<f64>,
    /// The same of the weights with which positions attend to one another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_dropout: Option<f64>,
    /// The same of what attention and perceptron add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual_dropout: Option<f64>,
    /// Initial weights and biases; LeCun's normal ones unless given. Tokens and positions are drawn by the same rule with the
    /// width as fan-in.
    pub init: Init,
}

impl Default for GptConfig {
    fn default() -> Self {
        let init = Init::Lecun { distribution: Distribution::Normal };
        Self {
            width: 32,
            depth: 2,
            heads: 4,
            mlp_width: 128,
            embedding_dropout: None,
            attention_dropout: None,
            residual_dropout: None,
            init,
        }
    }
}

impl GptConfig {
    /// The network for examples of so many tokens, of which there are `tokens` different ones.
    ///
    /// # Errors
    /// Inputs that are an image, a count of 0, heads that do not divide the width, or a probability outside [0, 1).
    pub fn network(&self, input: Shape, tokens: usize) -> Result<Gpt, LayerError> {
        let &Self { width, depth, heads, mlp_width, .. } = self;
        let embedding = probability("embedding_dropout", self.embedding_dropout)?;
        let attention = probability("attention_dropout", self.attention_dropout)?;
        let residual = probability("residual_dropout", self.residual_dropout)?;
        let dropout = BlockDropout { attention, hidden: None, residual };
        let block = Block { width, heads, mlp_width, eps: EPS, causal: true, dropout };
        block.check(depth)?;
        let Shape::Features(positions) = input else {
            return Err(misfit("a sequence of tokens", format!("an image of {input}")));
        };
        check_counts(&[("tokens", tokens), ("positions", positions)])?;
        let mut gpt =
            Gpt { tokens, positions, depth, embedding_dropout: embedding, block, space: ParamSpace::new() };
        gpt.space = gpt.declared()?;
        Ok(gpt)
    }
}

/// A language model for sequences of one length: see [`GptConfig`]. Inputs are tokens as whole numbers from 0; one outside
/// of the vocabulary makes the outputs behind it NaN.
#[derive(Clone, Debug)]
pub struct Gpt {
    tokens: usize,
    positions: usize,
    depth: usize,
    embedding_dropout: f64,
    block: Block,
    space: ParamSpace,
}

impl Gpt {
    fn declared(&self) -> Result<ParamSpace, LayerError> {
        let width = self.block.width;
        let mut leaves = Leaves::default();
        let stream = leaves.units("residual stream".to_owned(), width);
        leaves.embedding("transformer.wte.weight", &[self.tokens, width], stream);
        leaves.embedding("transformer.wpe.weight", &[self.positions, width], stream);
        for number in 0..self.depth {
            let of = |name: &str| format!("transformer.h.{number}.{name}");
            let names = Names {
                ln_1: of("ln_1"),
                attention_in: ["weight", "bias"].map(|part| of(&format!("attn.c_attn.{part}"))),
                attention_out: of("attn.c_proj"),
                ln_2: of("ln_2"),
                mlp_in: of("mlp.c_fc"),
                mlp_out: of("mlp.c_proj"),
            };
            self.block.declare(&mut leaves, &names, stream);
        }
        leaves.norm("transformer.ln_f", width, stream);
        let head = Leaf::new("lm_head.weight", &[self.tokens, width], Role::Weight);
        leaves.weight(head, &[(1, stream)]);
        leaves.finish()
    }
}

impl Architecture for Gpt {
    fn space(&self) -> &ParamSpace {
        &self.space
    }

    fn draws(&self) -> bool {
        self.embedding_dropout > 0.0 || self.block.dropout.draws()
    }

    fn inputs(&self) -> usize {
        self.positions
    }

    fn outputs(&self) -> usize {
        self.positions * self.tokens
    }

    fn positions(&self) -> usize {
        self.positions
    }

    fn describe(&self) -> String {
        let Block { width, heads, mlp_width, dropout, .. } = self.block;
        let notes = notes(&[
            ("embedding dropout", self.embedding_dropout),
            ("attention dropout", dropout.attention),
            ("residual dropout", dropout.residual),
        ]);
        format!(
            "gpt {} of {} tokens, width {width}, depth {}, heads {heads}, mlp {mlp_width}{notes}",
            self.positions, self.tokens, self.depth
        )
    }

    fn write<'b>(&self, params: &[Var<'b>], pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let params = &mut params.iter().copied();
        let embedded = take(params).gather(x.as_index()) + take(params);
        let embedded = pass.dropout(embedded, self.embedding_dropout);
        let y = (0..self.depth).fold(embedded, |x, _| self.block.write(params, pass, x));
        let normed = layer_norm(params, y, EPS);
        let logits = outputs_everywhere(normed, take(params), None);
        assert!(params.next().is_none(), "one leaf a variable");
        logits
    }
}
