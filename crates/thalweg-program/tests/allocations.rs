//! Once memory was set up, an evaluation takes none; one over shards only short lists of who takes what.

use allocation_counter::measure;
use thalweg_program::builder::Builder;
use thalweg_program::compile::Signature;
use thalweg_program::evaluate::{Cut, Data, Executable, Point, Role, Sharded};
use thalweg_program::ir::Program;
use thalweg_program::transform::{gradient, hvp};

const FEATURES: usize = 20;

/// ½ Σ (v·tanh(W·x))² over the examples: of W, v and x.
fn objective(examples: usize, hidden: usize) -> Program {
    let builder = Builder::new();
    let (w, v) = (builder.real(&[hidden, FEATURES]), builder.real(&[1, hidden]));
    let x = builder.real(&[examples, FEATURES]);
    let out = x.matmul(w.permute(&[1, 0])).tanh().matmul(v.permute(&[1, 0]));
    builder.finish(&[(out * out).sum(&[0, 1]) * 0.5]).expect("shapes fit")
}

#[test]
fn an_executable_allocates_nothing() {
    let objective = objective(30, 40);
    for program in [gradient(&objective, &[0, 1]), hvp(&objective, &[0, 1])] {
        let executable = Executable::<f32>::of(&program);
        let inputs: Vec<Vec<f32>> = program.input_types().iter().map(|ty| vec![0.1; ty.len()]).collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<Vec<f32>> =
            program.output_types().iter().map(|ty| vec![0.0; ty.len()]).collect();
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(&inputs, &[], &mut outputs);
        assert_eq!(measure(|| executable.run(&inputs, &[], &mut outputs)).count_total, 0);
    }
}

/// Bytes that a second evaluation of the gradient takes, on a single thread.
fn bytes_over_shards(hidden: usize) -> u64 {
    let cut = Cut::by(100, 10);
    let sharded = Sharded::<f32>::new(cut, &[Role::Scalar, Role::Sum, Role::Sum], |examples| {
        let program = gradient(&objective(examples, hidden), &[0, 1]);
        let signature = Signature::separate(&program);
        (program, signature)
    });
    let (w, v, x) = (vec![0.1; hidden * FEATURES], vec![0.1; hidden], vec![0.1; cut.examples * FEATURES]);
    let (mut dw, mut dv) = (w.clone(), v.clone());
    let mut evaluate = || {
        let mut point = Point::scalars(vec![&w, &v]);
        point.sums = vec![&mut dw, &mut dv];
        sharded.evaluate(&mut [point], Data { rows: &[(&x, FEATURES)], indices: &[] });
    };
    evaluate();
    measure(evaluate).bytes_total
}

#[test]
fn what_an_evaluation_over_shards_allocates_does_not_grow_with_its_arrays() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        let bytes = bytes_over_shards(10);
        assert!(bytes < 1 << 14, "{bytes}");
        assert_eq!(bytes, bytes_over_shards(400));
    });
}
