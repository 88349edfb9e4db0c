//! Edges of softmax, attention and dropout: masks, large numbers, misfits, what depends on a key, and how they are compiled.

use super::support::{Array, distance, run};
use thalweg_kernel::{Call, Key};
use thalweg_program::builder::{Builder, Var};
use thalweg_program::compile::{Signature, compile};
use thalweg_program::ir::Program;
use thalweg_program::transform::{batch, gradient, hvp, split_linear};

fn program(shapes: &[&[usize]], write: impl for<'b> Fn(&[Var<'b>]) -> Var<'b>) -> Program {
    let builder = Builder::new();
    let operands: Vec<Var<'_>> = shapes.iter().map(|shape| builder.real(shape)).collect();
    builder.finish(&[write(&operands)]).unwrap()
}

fn row(data: &[f64]) -> Array {
    Array { shape: vec![data.len()], data: data.to_vec() }
}

fn keys(seeds: &[u64]) -> Array {
    let data = seeds.iter().flat_map(|&seed| Key::from_seed(seed).words()).map(f64::from).collect();
    Array { shape: vec![seeds.len(), Key::WORDS], data }
}

#[test]
fn softmax_neither_overflows_nor_loses_what_is_small() {
    let inf = f64::INFINITY;
    let softmax = program(&[&[4]], |x| x[0].softmax(0));
    let log_softmax = program(&[&[4]], |x| x[0].log_softmax(0));
    let large = [1000.0, 999.0, -1000.0, -inf];
    let found = run::<f64>(&softmax, &[row(&large)]);
    let sum = 1.0 + (-1.0f64).exp();
    assert!(distance(&found, &[row(&[1.0 / sum, (-1.0f64).exp() / sum, 0.0, 0.0])]) < 1e-15);
    let logs = run::<f64>(&log_softmax, &[row(&large)])[0].data.clone();
    assert!((logs[2] + 2000.0 + sum.ln()).abs() < 1e-12 && logs[3] == -inf, "{logs:?}");
    // Nothing flows to what is shut out, nor from it; not even a second derivative.
    let scalar = program(&[&[4]], |x| {
        let y = x[0].softmax(0);
        (y * y).sum(&[0])
    });
    let second = run::<f64>(&hvp(&scalar, &[0]), &[row(&large), row(&[1.0, 2.0, 3.0, 4.0])]);
    assert!(second.iter().all(|array| array.data.iter().all(|x| x.is_finite()) && array.data[3] == 0.0));
    let shut = run::<f64>(&softmax, &[row(&[-inf; 4])]);
    assert!(shut[0].data.iter().all(|x| x.is_nan()));
}

#[test]
fn a_query_sees_no_later_key() {
    let shape = [2, 6, 2, 3];
    let attention = program(&[&shape[..]; 3], |x| x[0].attention(x[1], x[2], true));
    let operands: Vec<Array> = (0..3).map(|i| Array::normal(&shape, Key::from_seed(i))).collect();
    let found = run::<f64>(&attention, &operands).remove(0);
    let mut later = operands.clone();
    for operand in &mut later[1..] {
        *operand = Array::new(&shape, |at| if at[1] < 4 { operand.at(at) } else { 1e3 * operand.at(at) });
    }
    let moved = run::<f64>(&attention, &later).remove(0);
    let same = Array::new(&[2, 4, 2, 3], |at| found.at(at));
    assert_eq!(same, Array::new(&[2, 4, 2, 3], |at| moved.at(at)));
    assert_ne!(found, moved);
    // The first query sees one value alone.
    let first = |array: &Array| Array::new(&[2, 2, 3], |at| array.at(&[at[0], 0, at[1], at[2]]));
    assert_eq!(first(&found), first(&operands[2]));
}

/// Long causal attention is written in blocks of queries: it and its derivatives are those of softmax over the whole square,
/// and whatever is done to the weights is done to all that are seen.
#[test]
fn blocks_of_queries_are_the_whole() {
    for (queries, seen) in [(150, 150), (150, 70), (70, 150), (1100, 20)] {
        let (q_shape, k_shape) = ([1, queries, 2, 3], [1, seen, 2, 3]);
        let loss = |whole: bool| {
            program(&[&q_shape, &k_shape, &k_shape], move |x| {
                let [q, k, v] = [x[0], x[1], x[2]];
                let builder = q.builder();
                let y = if whole {
                    let scores = builder.einsum("nqhd,nkhd->nhqk", q, k) * (1.0 / 3f64.sqrt());
                    let later = builder.iota(seen).greater(builder.iota(queries).reshape(&[queries, 1]));
                    let weights = later.select(f64::NEG_INFINITY, scores).softmax(3) * 0.5;
                    builder.einsum("nhqk,nkhe->nqhe", weights, v)
                } else {
                    q.attention_through(k, v, true, |weights| weights * 0.5)
                };
                (y * y * y.sin()).sum(&[0, 1, 2, 3])
            })
        };
        let operand = |shape: &[usize], seed| Array::normal(shape, Key::from_seed(seed));
        let mut operands = vec![operand(&q_shape, 1), operand(&k_shape, 2), operand(&k_shape, 3)];
        operands.extend([operand(&q_shape, 4), operand(&k_shape, 5), operand(&k_shape, 6)]);
        let derivatives = |whole| run::<f64>(&hvp(&loss(whole), &[0, 1, 2]), &operands);
        let apart = distance(&derivatives(false), &derivatives(true));
        assert!(apart < 1e-13, "{queries} queries of {seen} keys: {apart}");
    }
    // Of no key nothing comes.
    for causal in [false, true] {
        let none =
            program(&[&[2, 3, 2, 4], &[2, 0, 2, 4], &[2, 0, 2, 5]], |x| x[0].attention(x[1], x[2], causal));
        let empty = |width| Array { shape: vec![2, 0, 2, width], data: vec![] };
        let found = run::<f64>(&none, &[Array::normal(&[2, 3, 2, 4], Key::from_seed(0)), empty(4), empty(5)]);
        assert_eq!((&found[0].shape[..], &found[0].data[..]), (&[2, 3, 2, 5][..], &[0.0; 60][..]));
    }
    // Of the square of 150, the blocks take 64·64 + 64·128 + 22·150.
    let attention = program(&[&[1, 150, 1, 3][..]; 3], |x| x[0].attention(x[1], x[2], true));
    let scores = |node: &thalweg_program::ir::Node| match &node.ty.shape[..] {
        [1, 1, queries, seen] if node.op.name() == "exp" => queries * seen,
        _ => 0,
    };
    assert_eq!(attention.nodes.iter().map(scores).sum::<usize>(), 64 * 64 + 64 * 128 + 22 * 150);
}

#[test]
fn what_is_dropped_depends_on_key_and_stream_alone() {
    let shape = [3, 400];
    let dropped = |stream, probability| {
        program(&[&shape, &[3, Key::WORDS]], move |x| x[0].dropout(x[1], stream, probability))
    };
    let ones = Array::new(&shape, |_| 1.0);
    let of = |program: &Program, seeds: &[u64]| run::<f64>(program, &[ones.clone(), keys(seeds)]).remove(0);
    let member = |array: &Array, i: usize| array.data[i * 400..(i + 1) * 400].to_vec();
    let some = dropped(5, 0.3);
    let found = of(&some, &[7, 8, 9]);
    assert!(found.data.iter().all(|&x| x == 0.0 || x == 1.0 / 0.7));
    // Four standard errors of a mean of 1200.
    let kept = found.data.iter().filter(|&&x| x > 0.0).count() as f64 / 1200.0;
    assert!((kept - 0.7).abs() < 4.0 * (0.21f64 / 1200.0).sqrt(), "{kept}");
    let other = of(&some, &[9, 7, 1]);
    assert_eq!((member(&other, 0), member(&other, 1)), (member(&found, 2), member(&found, 0)));
    assert_ne!(member(&found, 0), member(&found, 1));
    assert_ne!(of(&dropped(6, 0.3), &[7, 8, 9]), found);
    let single = run::<f32>(&some, &[ones.clone(), keys(&[7, 8, 9])]).remove(0);
    assert!(single.data.iter().zip(&found.data).all(|(a, b)| (*a == 0.0) == (*b == 0.0)));
    assert_eq!(of(&dropped(5, 0.0), &[7, 8, 9]), ones);
    assert!(of(&dropped(5, 1.0), &[7, 8, 9]).data.iter().all(|&x| x == 0.0));
    // Members of a batch have keys of their own.
    let batched = batch(&some, 2, &[false, true]);
    let both = Array {
        shape: vec![2, 3, Key::WORDS],
        data: [keys(&[7, 8, 9]), keys(&[1, 2, 3])].map(|k| k.data).concat(),
    };
    let both = run::<f64>(&batched, &[ones.clone(), both]).remove(0);
    assert_eq!(both.data[..1200], found.data);
    assert_eq!(both.data[1200..], of(&some, &[1, 2, 3]).data);
}

#[test]
fn products_at_one_point_drop_the_same() {
    let scalar = program(&[&[2, 6], &[2, Key::WORDS]], |x| {
        let y = x[0].tanh().dropout(x[1], 0, 0.5);
        (y * y * y).sum(&[0, 1])
    });
    let mut products = hvp(&scalar, &[0]);
    products.outputs.remove(0);
    let [x, v] = [1, 2].map(|seed| Array::normal(&[2, 6], Key::from_seed(seed)));
    let parts = split_linear(&products, 1);
    let residuals = run::<f64>(&parts.primal, &[x.clone(), keys(&[3, 4])]);
    let arguments = [&[x.clone(), keys(&[3, 4])], &residuals[..], std::slice::from_ref(&v)].concat();
    let found = run::<f64>(&parts.linear, &arguments);
    let truth = run::<f64>(&products, &[x.clone(), keys(&[3, 4]), v]);
    assert!(distance(&found, &truth) < 1e-14);
    let slope = run::<f64>(&gradient(&scalar, &[0]), &[x, keys(&[3, 4])]);
    assert!(slope[1].data.contains(&0.0) && slope[1].data.iter().any(|&x| x != 0.0));
}

/// Two products and the passes of a softmax, on views of one projection: nothing is copied.
#[test]
fn attention_copies_nothing() {
    for causal in [false, true] {
        let attention = program(&[&[4, 8, 3 * 2 * 16]], |x| {
            let parts = x[0].reshape(&[4, 8, 3, 2, 16]);
            let [q, k, v] = [0, 1, 2].map(|part| parts.slice(2, part, 1).reshape(&[4, 8, 2, 16]));
            q.attention(k, v, causal)
        });
        let calls = compile(&attention, &Signature::separate(&attention)).calls;
        let count = |is: fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count();
        assert_eq!(count(|call| matches!(call, Call::Contract { .. })), 2, "{calls:#?}");
        // The scale of the queries; the largest score; exponentials and their sum; the quotient; and a mask.
        assert_eq!(count(|call| matches!(call, Call::Fused(_))), 4 + usize::from(causal), "{calls:#?}");
        assert_eq!(count(|call| matches!(call, Call::Iota { .. })), usize::from(causal));
        assert_eq!(calls.len(), 6 + 2 * usize::from(causal), "{calls:#?}");
    }
}

#[test]
fn misfits_are_said() {
    let message = |shapes: &[&[usize]], write: &dyn for<'b> Fn(&[Var<'b>]) -> Var<'b>| {
        let builder = Builder::new();
        let operands: Vec<Var<'_>> = shapes.iter().map(|shape| builder.real(shape)).collect();
        builder.finish(&[write(&operands)]).expect_err("a misfit").to_string()
    };
    assert_eq!(
        message(&[&[2, 3]], &|x| x[0].softmax(2)),
        "max: expected an axis below 2, found axis 2 of real[2, 3]"
    );
    assert_eq!(
        message(&[&[2, 3, 4], &[2, 3, 5], &[2, 3, 4]], &|x| x[0].attention(x[1], x[2], false)),
        "attention: expected queries [n…, q, h, d], keys [n…, k, h, d] and values [n…, k, h, e], found real[2, 3, 4], \
         real[2, 3, 5] and real[2, 3, 4]"
    );
    assert!(
        message(&[&[3, 4][..]; 3], &|x| x[0].attention(x[1], x[2], false)).starts_with("attention: expected")
    );
    assert_eq!(
        message(&[&[2, 3], &[2, 8]], &|x| x[0].dropout(x[1], 0, 0.5)),
        "uniform: expected keys of 11 words, found real[2, 8]"
    );
    assert_eq!(
        message(&[&[2, 3], &[3, 11]], &|x| x[0].dropout(x[1], 0, 0.5)),
        "dropout: expected keys [k…, words] of [k…, m…], found real[3, 11] of real[2, 3]"
    );
    assert_eq!(
        message(&[&[2, 3], &[2, 11]], &|x| x[0].dropout(x[1], 0, f64::NAN)),
        "dropout: expected a probability in [0, 1], found NaN"
    );
    assert_eq!(
        message(&[&[2]], &|x| x[0] * x[0].builder().iota((1 << 24) + 1).sum(&[0])),
        "iota: expected at most 16777216 numbers, found 16777217"
    );
}
