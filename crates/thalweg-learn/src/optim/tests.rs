//! What all optimisers have in common.

use super::*;

fn all() -> Vec<Optimiser> {
    vec![
        Optimiser::Sgd(Sgd { weight_decay: 0.1, ..Sgd::default() }),
        Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }),
        Optimiser::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01 }),
        Optimiser::Adam(Adam { weight_decay: 0.1, ..Adam::default() }),
        Optimiser::Adamw(AdamW::default()),
        Optimiser::Rmsprop(Rmsprop { momentum: 0.9, ..Rmsprop::default() }),
        Optimiser::Rmsprop(Rmsprop { weight_decay: 0.1, ..Rmsprop::default() }),
        Optimiser::Adagrad(Adagrad { weight_decay: 0.1, ..Adagrad::default() }),
    ]
}

fn noise<T: Real>(name: &str, n: usize) -> Vec<T> {
    let mut x = vec![0.0; n];
    thalweg_kernel::Key::from_seed(1).named(name).normals(&mut x);
    x.into_iter().map(T::from_f64).collect()
}

fn parts_add_up_in_order<T: Real>() {
    // More than a block, and not a multiple of one.
    let n = 2 * BLOCK + 77;
    let [a, b, c] = ["a", "b", "c"].map(|name| noise::<T>(name, n));
    let sum: Vec<T> = (0..n).map(|i| (a[i] + b[i]) + c[i]).collect();
    for optimiser in all() {
        let (mut whole, mut parted) = (noise::<T>("theta", n), noise::<T>("theta", n));
        let mut state = OptimiserState::new(optimiser, n).unwrap();
        let mut state_parted = state.clone();
        for _ in 0..3 {
            state.step(&mut whole, &[&sum], 0.1);
            state_parted.step(&mut parted, &[&a, &b, &c], 0.1);
        }
        assert_eq!(whole, parted, "{optimiser:?}");
        assert_eq!(state, state_parted);
        assert!(whole.iter().zip(noise::<T>("theta", n)).all(|(x, x_0)| *x != x_0));
    }
}

#[test]
fn parts_of_a_gradient_add_up_in_order() {
    parts_add_up_in_order::<f32>();
    parts_add_up_in_order::<f64>();
}

#[test]
fn a_restored_state_goes_on_to_the_same_bits() {
    let g = noise::<f32>("g", 5);
    for optimiser in all() {
        let mut theta = noise::<f32>("theta", 5);
        let mut state = OptimiserState::new(optimiser, 5).unwrap();
        for _ in 0..4 {
            state.step(&mut theta, &[&g], 0.01);
        }
        let (mut theta_2, slots) = (theta.clone(), state.slots().to_vec());
        let mut state_2 = OptimiserState::restore(optimiser, 5, state.steps(), slots).unwrap();
        state.step(&mut theta, &[&g], 0.01);
        state_2.step(&mut theta_2, &[&g], 0.01);
        assert_eq!((theta, state), (theta_2, state_2));
    }
}

#[test]
fn state_of_another_optimiser_is_refused() {
    let sgd = Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
    let adam = OptimiserState::<f64>::new(Optimiser::Adam(Adam::default()), 3).unwrap();
    let error = OptimiserState::restore(sgd, 3, 1, adam.slots().to_vec()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"optimiser sgd: expected state vectors ["momentum_buffer"], found ["exp_avg", "exp_avg_sq"]"#
    );
    let error = OptimiserState::restore(*adam.optimiser(), 4, 1, adam.slots().to_vec()).unwrap_err();
    assert_eq!(error.to_string(), "optimiser adam: expected exp_avg to have 4 entries, found 3");
}

#[test]
fn configurations_name_every_field_and_no_other() {
    let read = |text: &str| serde_json::from_str::<Optimiser>(text);
    let sgd = read(r#"{"kind": "sgd", "momentum": 0.9}"#).unwrap();
    assert_eq!(sgd, Optimiser::Sgd(Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 }));
    for optimiser in all() {
        let text = serde_json::to_string(&optimiser).unwrap();
        assert_eq!(read(&text).unwrap(), optimiser);
        assert!(text.contains("weight_decay"), "{text}");
    }
    let message = |text| read(text).unwrap_err().to_string();
    assert!(message(r#"{"kind": "sgd", "dampening": 0.5}"#).contains("unknown field `dampening`"));
    assert!(message(r#"{"kind": "adam", "beta1": 0.5}"#).contains("unknown field `beta1`"));
    assert!(message(r#"{"kind": "lbfgs"}"#).contains("unknown variant `lbfgs`"));
}

#[test]
fn hyper_parameters_out_of_range_are_named() {
    let message = |optimiser: Optimiser| OptimiserState::<f32>::new(optimiser, 1).unwrap_err().to_string();
    assert_eq!(
        message(Optimiser::Sgd(Sgd { momentum: -0.1, ..Sgd::default() })),
        "optimiser sgd: expected momentum to be in [0, 1), found -0.1"
    );
    assert_eq!(
        message(Optimiser::Sgd(Sgd { nesterov: true, ..Sgd::default() })),
        "optimiser sgd: nesterov = true expects momentum > 0, found 0"
    );
    assert_eq!(
        message(Optimiser::Adam(Adam { beta_2: 1.0, ..Adam::default() })),
        "optimiser adam: expected beta_2 to be in [0, 1), found 1"
    );
    assert_eq!(
        message(Optimiser::Adamw(AdamW { weight_decay: f64::NAN, ..AdamW::default() })),
        "optimiser adamw: expected weight_decay to be at least 0, found NaN"
    );
    assert_eq!(
        message(Optimiser::Rmsprop(Rmsprop { alpha: 1.0, ..Rmsprop::default() })),
        "optimiser rmsprop: expected alpha to be in [0, 1), found 1"
    );
    assert_eq!(
        message(Optimiser::Adagrad(Adagrad { eps: -1.0, ..Adagrad::default() })),
        "optimiser adagrad: expected eps to be at least 0, found -1"
    );
}
