//! Vision transformers.

use serde::{Deserialize, Serialize};
use thalweg_program::builder::Var;
use thalweg_program::params::{Leaf, ParamSpace, Role};

use super::layer::{LayerError, Shape, notes, probability};
use super::leaves::{Leaves, check_counts, misfit, outputs, take};
use super::transformer::{Block, BlockDropout, Names, layer_norm};
use super::{Architecture, Pass};
use crate::init::{Distribution, Init};

/// Added to the variances, as torchvision's has it.
const EPS: f64 = 1e-6;

/// A vision transformer (Dosovitskiy et al. 2021), with the names and semantics of torchvision's `VisionTransformer`:
/// square patches, each mapped to a vector, behind a class token; learned positions are added; `depth` blocks; a layer
/// norm; a linear map of the class token. Leaves `class_token`, `conv_proj.weight`, …, `encoder.pos_embedding`,
/// `encoder.layers.encoder_layer_0.ln_1.weight`, …, `encoder.ln.weight`, …, `heads.head.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VitConfig {
    /// Rows and columns of a patch; 2 unless given. They divide those of the image.
    pub patch_size: usize,
    /// Units of the residual stream; 32 unless given.
    pub width: usize,
    /// Blocks; 2 unless given.
    pub depth: usize,
    /// Heads of attention, which divide the width; 4 unless given.
    pub heads: usize,
    /// Hidden units of each block's perceptron; 64 unless given.
    pub mlp_width: usize,
    /// How probable it is in training that a number is dropped: of the tokens with their positions, of the hidden units of each
    /// block's perceptron, and of what attention and perceptron add; 0 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// The same of the weights with which positions attend to one another; 0 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention_dropout: Option<f64>,
    /// Initial weights and biases; LeCun's normal ones unless given. Class token and positions are drawn by the same rule with
    /// the width as fan-in.
    pub init: Init,
}

impl Default for VitConfig {
    fn default() -> Self {
        let init = Init::Lecun { distribution: Distribution::Normal };
        let (dropout, attention_dropout) = (None, None);
        Self { patch_size: 2, width: 32, depth: 2, heads: 4, mlp_width: 64, dropout, attention_dropout, init }
    }
}

impl VitConfig {
    /// The network for images of that shape and so many outputs.
    ///
    /// # Errors
    /// Inputs that are no image, patches that do not tile it, a count of 0, heads that do not divide the width, or a
    /// probability outside [0, 1).
    pub fn network(&self, input: Shape, outputs: usize) -> Result<Vit, LayerError> {
        let &Self { patch_size, width, depth, heads, mlp_width, .. } = self;
        let residual = probability("dropout", self.dropout)?;
        let attention = probability("attention_dropout", self.attention_dropout)?;
        let dropout = BlockDropout { attention, hidden: Some(residual), residual };
        let block = Block { width, heads, mlp_width, eps: EPS, causal: false, dropout };
        block.check(depth)?;
        let Shape::Image { channels, height, width: columns } = input else {
            return Err(misfit("an image, channels×height×width", format!("{input} features")));
        };
        check_counts(&[("patch_size", patch_size), ("channels", channels), ("outputs", outputs)])?;
        check_counts(&[("rows of the image", height), ("columns of the image", columns)])?;
        if !height.is_multiple_of(patch_size) || !columns.is_multiple_of(patch_size) {
            let found = patch_size.to_string();
            return Err(misfit(format!("a patch_size that divides {height} and {columns}"), found));
        }
        let image = [channels, height, columns];
        let mut vit = Vit { image, patch_size, depth, block, outputs, space: ParamSpace::new() };
        vit.space = vit.declared()?;
        Ok(vit)
    }
}

/// A vision transformer for images of one shape: see [`VitConfig`].
#[derive(Clone, Debug)]
pub struct Vit {
    /// Channels, rows, columns.
    image: [usize; 3],
    patch_size: usize,
    depth: usize,
    block: Block,
    outputs: usize,
    space: ParamSpace,
}

impl Vit {
    /// Rows and columns of patches.
    fn patches(&self) -> [usize; 2] {
        let [_, height, width] = self.image;
        [height / self.patch_size, width / self.patch_size]
    }

    fn declared(&self) -> Result<ParamSpace, LayerError> {
        let (width, patch) = (self.block.width, self.patch_size);
        let positions = 1 + self.patches().iter().product::<usize>();
        let mut leaves = Leaves::default();
        let stream = leaves.units("residual stream".to_owned(), width);
        leaves.embedding("class_token", &[1, 1, width], stream);
        let projection = Leaf::new("conv_proj.weight", &[width, self.image[0], patch, patch], Role::Weight);
        leaves.weight(projection, &[(0, stream)]);
        leaves.bias(Leaf::new("conv_proj.bias", &[width], Role::Bias), &[(0, stream)]);
        leaves.embedding("encoder.pos_embedding", &[1, positions, width], stream);
        for number in 0..self.depth {
            let of = |name: &str| format!("encoder.layers.encoder_layer_{number}.{name}");
            let names = Names {
                ln_1: of("ln_1"),
                attention_in: ["weight", "bias"].map(|part| of(&format!("self_attention.in_proj_{part}"))),
                attention_out: of("self_attention.out_proj"),
                ln_2: of("ln_2"),
                mlp_in: of("mlp.0"),
                mlp_out: of("mlp.3"),
            };
            self.block.declare(&mut leaves, &names, stream);
        }
        leaves.norm("encoder.ln", width, stream);
        leaves.linear("heads.head", [self.outputs, width], &[(1, stream)]);
        leaves.finish()
    }

    /// Images `[examples, channels·rows·columns]` to their patches, mapped: `[examples, patches, width]`.
    fn projected<'b>(&self, x: Var<'b>, weight: Var<'b>, bias: Var<'b>) -> Var<'b> {
        let (examples, [channels, ..], p, [rows, columns]) =
            (x.shape()[0], self.image, self.patch_size, self.patches());
        let width = self.block.width;
        let cut = x.reshape(&[examples, channels, rows, p, columns, p]).permute(&[0, 2, 4, 1, 3, 5]);
        let flat = cut.reshape(&[examples, rows * columns, channels * p * p]);
        x.builder().einsum("bti,oi->bto", flat, weight.reshape(&[width, channels * p * p])) + bias
    }
}

impl Architecture for Vit {
    fn space(&self) -> &ParamSpace {
        &self.space
    }

    fn draws(&self) -> bool {
        self.block.dropout.draws()
    }

    fn inputs(&self) -> usize {
        self.image.iter().product()
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn describe(&self) -> String {
        let [channels, height, columns] = self.image;
        let Block { width, heads, mlp_width, dropout, .. } = self.block;
        let notes = notes(&[("dropout", dropout.residual), ("attention dropout", dropout.attention)]);
        format!(
            "vit {channels}×{height}×{columns}-{} patch {}, width {width}, depth {}, heads {heads}, mlp {mlp_width}{notes}",
            self.outputs, self.patch_size, self.depth
        )
    }

    fn write<'b>(&self, params: &[Var<'b>], pass: &mut Pass<'b>, x: Var<'b>) -> Var<'b> {
        let params = &mut params.iter().copied();
        let (examples, width) = (x.shape()[0], self.block.width);
        let token = take(params).broadcast_to(&[examples, 1, width]);
        let (weight, bias) = (take(params), take(params));
        let patches = self.projected(x, weight, bias);
        let tokens = x.builder().concatenate(1, &[token, patches]) + take(params);
        let tokens = pass.dropout(tokens, self.block.dropout.residual);
        let y = (0..self.depth).fold(tokens, |x, _| self.block.write(params, pass, x));
        // Only the class token is read: the norm takes each position by itself.
        let class = layer_norm(params, y.slice(1, 0, 1).reshape(&[examples, width]), EPS);
        let (weight, bias) = (take(params), take(params));
        assert!(params.next().is_none(), "one leaf a variable");
        outputs(class, weight, bias)
    }
}
