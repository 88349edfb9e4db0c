//! Gradients, and products with Hessians, Gauss–Newton matrices and Jacobians.

use super::jvp::{arguments, finished, jvp, tangent_arguments};
use super::linearize::linearize;
use super::transpose::transpose;
use crate::builder::{Builder, Var};
use crate::ir::Program;

/// x ↦ (f(x), ∂f/∂x for each argument in `wrt`) of a program whose one result is a scalar.
///
/// Cost: about 3 times f (2 for the layer next to data that needs no gradient).
///
/// # Panics
/// If the program has another number of results, or the result is not a real scalar.
pub fn gradient(program: &Program, wrt: &[usize]) -> Program {
    expect_scalar(program);
    let parts = linearize(program, wrt);
    let adjoint = transpose(&parts.linear, wrt.len());
    let builder = Builder::new();
    let x = arguments(&builder, program);
    let primal = builder.call(&parts.primal, &x);
    let one = builder.constant(1.0, &[]);
    let gradients = builder.call(&adjoint, &[&x, &primal[1..], &[one]].concat());
    finished(&builder, &[&primal[..1], &gradients].concat())
}

/// (x, v) ↦ (∂f/∂x, H v) of a program whose one result is a scalar: the jvp of the gradient. One v for each argument
/// in `wrt`, appended to the arguments; the results are the gradients, then the products.
///
/// Cost: about 2.1–2.7 gradients.
///
/// # Panics
/// As [`gradient`].
pub fn hvp(program: &Program, wrt: &[usize]) -> Program {
    let mut gradient = gradient(program, wrt);
    gradient.outputs.remove(0);
    jvp(&gradient, wrt)
}

/// (x, v) ↦ Jᵀ H J v: the Gauss–Newton product of loss ∘ model.
///
/// `model` takes its arguments x and gives one result z; `loss` takes z and then its own arguments, which are
/// appended to the model's (before the v), and gives a scalar. H is the loss's Hessian in z, J the model's Jacobian
/// in the arguments `wrt`. The results are the products.
///
/// Cost: about 1.6 gradients.
///
/// # Panics
/// If the programs do not fit each other.
pub fn ggn(model: &Program, loss: &Program, wrt: &[usize]) -> Program {
    expect_scalar(loss);
    let parts = linearize(model, wrt);
    let adjoint = transpose(&parts.linear, wrt.len());
    let curvature = hvp(loss, &[0]);
    let builder = Builder::new();
    let x = arguments(&builder, model);
    let own: Vec<Var<'_>> = loss.input_types()[1..].iter().map(|&ty| builder.input(ty.clone())).collect();
    let tangents = tangent_arguments(&builder, model, wrt);
    let v: Vec<Var<'_>> = wrt.iter().filter_map(|&argument| tangents[argument]).collect();
    let primal = builder.call(&parts.primal, &x);
    let (z, residuals) = (&primal[..1], &primal[1..]);
    let jv = builder.call(&parts.linear, &[&x, residuals, &v].concat());
    let hjv = builder.call(&curvature, &[z, &own, &jv].concat());
    let products = builder.call(&adjoint, &[&x, residuals, &hjv[1..]].concat());
    finished(&builder, &products)
}

/// (x, v) ↦ J v for each result, J being the Jacobian in the arguments `wrt`.
///
/// # Panics
/// If `wrt` names an argument that is not there or is not real.
pub fn jacobian_product(program: &Program, wrt: &[usize]) -> Program {
    let mut product = jvp(program, wrt);
    product.outputs.drain(..program.outputs.len());
    product
}

/// (x, u) ↦ Jᵀ u for each argument in `wrt`; one u for each result, appended to the arguments.
///
/// # Panics
/// If `wrt` names an argument that is not there or is not real.
pub fn jacobian_transpose_product(program: &Program, wrt: &[usize]) -> Program {
    let parts = linearize(program, wrt);
    let adjoint = transpose(&parts.linear, wrt.len());
    let builder = Builder::new();
    let x = arguments(&builder, program);
    let u: Vec<Var<'_>> = program.output_types().into_iter().map(|ty| builder.input(ty.clone())).collect();
    let primal = builder.call(&parts.primal, &x);
    let residuals = &primal[program.outputs.len()..];
    let products = builder.call(&adjoint, &[&x, residuals, &u].concat());
    finished(&builder, &products)
}

fn expect_scalar(program: &Program) {
    let types = program.output_types();
    assert!(types.len() == 1 && types[0].shape.is_empty(), "expected one scalar result, found {types:?}");
}
