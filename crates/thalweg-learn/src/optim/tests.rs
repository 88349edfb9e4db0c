//! What all optimisers have in common.

use thalweg_kernel::Real;

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
        Optimiser::Sam(Sam { weight_decay: 0.1, ..Sam::default() }),
        Optimiser::Sam(Sam { momentum: 0.9, nesterov: true, ..Sam::default() }),
    ]
}

fn noise<T: Real>(name: &str, n: usize) -> Vec<T> {
    let mut x = vec![0.0; n];
    thalweg_kernel::Key::from_seed(1).named(name).normals(&mut x);
    x.into_iter().map(T::from_f64).collect()
}

/// θ and the state after a few steps from the same beginning.
fn stepped<T: Real>(optimiser: Optimiser, shares: &Shares) -> (Vec<T>, OptimiserState<T>) {
    let n = shares.parameters();
    let mut theta = noise::<T>("theta", n);
    let mut state = OptimiserState::new(optimiser, n).unwrap();
    for name in ["a", "b", "c"] {
        state.step_shared(&mut theta, &noise::<T>(name, n), 0.1, shares);
    }
    (theta, state)
}

fn threads_and_neighbours_do_not_matter<T: Real>() {
    // More than a share for each of three threads, and no multiple of anything; the same in two large arrays and a small one.
    let n = 3 * (1 << 14) + 77;
    let arrays = [(40, 20_000), (3, 129), (100, 29_100)];
    for optimiser in all() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let evenly = stepped::<T>(optimiser, &Shares::even(n));
                assert_eq!(evenly, stepped(optimiser, &Shares::of_arrays(arrays)), "{optimiser:?}");
                evenly
            })
        };
        let (theta, state) = on(1);
        assert!(theta.iter().zip(noise::<T>("theta", n)).all(|(x, x_0)| *x != x_0), "{optimiser:?}");
        for threads in [2, 3, 7] {
            assert_eq!((&theta, &state), (&on(threads).0, &on(threads).1), "{optimiser:?}");
        }
        // The last few are moved one by one, all others many at a time.
        let (few, _) = stepped::<T>(optimiser, &Shares::even(3));
        assert_eq!(few, theta[..3], "{optimiser:?}");
    }
}

#[test]
fn who_moves_which_parameter_does_not_matter() {
    threads_and_neighbours_do_not_matter::<f32>();
    threads_and_neighbours_do_not_matter::<f64>();
}

#[test]
fn momentum_without_a_gradient_comes_to_nothing() {
    let momenta = [
        Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }),
        Optimiser::Sgd(Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() }),
        Optimiser::Adam(Adam::default()),
        Optimiser::Adamw(AdamW::default()),
        Optimiser::Rmsprop(Rmsprop { momentum: 0.9, ..Rmsprop::default() }),
    ];
    for optimiser in momenta {
        let mut state = OptimiserState::new(optimiser, 2).unwrap();
        let mut theta = [0.5f32; 2];
        state.step(&mut theta, &[1.0, -1.0], 0.01);
        let named = |state: &OptimiserState<f32>| {
            let is_momentum = |name: &str| ["momentum_buffer", "exp_avg"].contains(&name);
            let slot = state.slots().iter().find(|slot| is_momentum(&slot.name)).unwrap();
            slot.values.clone()
        };
        for _ in 0..1000 {
            state.step(&mut theta, &[0.0; 2], 0.01);
            assert!(named(&state).iter().all(|b| *b == 0.0 || b.is_normal()), "{optimiser:?}");
        }
        assert_eq!(named(&state), [0.0; 2], "{optimiser:?}");
    }
}

#[test]
fn a_restored_state_goes_on_to_the_same_bits() {
    let g = noise::<f32>("g", 5);
    for optimiser in all() {
        let mut theta = noise::<f32>("theta", 5);
        let mut state = OptimiserState::new(optimiser, 5).unwrap();
        for _ in 0..4 {
            state.step(&mut theta, &g, 0.01);
        }
        let (mut theta_2, slots) = (theta.clone(), state.slots().to_vec());
        let mut state_2 = OptimiserState::restore(optimiser, 5, state.steps(), slots, &[]).unwrap();
        state.step(&mut theta, &g, 0.01);
        state_2.step(&mut theta_2, &g, 0.01);
        assert_eq!((theta, state), (theta_2, state_2));
    }
}

#[test]
fn state_of_another_optimiser_is_refused() {
    let sgd = Optimiser::Sgd(Sgd { momentum: 0.9, ..Sgd::default() });
    let adam = OptimiserState::<f64>::new(Optimiser::Adam(Adam::default()), 3).unwrap();
    let error = OptimiserState::restore(sgd, 3, 1, adam.slots().to_vec(), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"optimiser sgd: expected state vectors ["momentum_buffer"], found ["exp_avg", "exp_avg_sq"]"#
    );
    let error = OptimiserState::restore(*adam.optimiser(), 4, 1, adam.slots().to_vec(), &[]).unwrap_err();
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
    assert!(message(r#"{"kind": "newton"}"#).contains("unknown variant `newton`"));
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
    assert_eq!(
        message(Optimiser::Sam(Sam { rho: 0.0, ..Sam::default() })),
        "optimiser sam: expected rho to be finite and above 0, found 0"
    );
    assert_eq!(
        message(Optimiser::Sam(Sam { nesterov: true, ..Sam::default() })),
        "optimiser sam: nesterov = true expects momentum > 0, found 0"
    );
    for history in [0, 101, u64::MAX] {
        let lbfgs = Lbfgs { history, ..Lbfgs::default() };
        let message = message(Optimiser::Lbfgs(lbfgs));
        assert!(
            message.starts_with("optimiser lbfgs: expected history to be from 1 to 100, found"),
            "{message}"
        );
    }
    assert_eq!(
        message(Optimiser::GradientFlow(GradientFlow { rtol: 0.0, ..GradientFlow::default() })),
        "optimiser gradient_flow: expected rtol to be finite and above 0, found 0"
    );
    assert_eq!(
        message(Optimiser::GradientFlow(GradientFlow { substeps_max: 0, ..GradientFlow::default() })),
        "optimiser gradient_flow: expected substeps_max to be at least 1, found 0"
    );
}

#[test]
fn numbers_of_another_optimiser_are_refused() {
    let flow = Optimiser::GradientFlow(GradientFlow::default());
    let restore = |numbers: &[(&str, f64)]| {
        let numbers: Vec<_> = numbers.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        OptimiserState::<f32>::restore(flow, 2, 1, Vec::new(), &numbers).map(|state| state.numbers().len())
    };
    assert_eq!(restore(&[("substep", 0.1), ("error", 0.0)]), Ok(2));
    let message = |numbers| restore(numbers).unwrap_err().to_string();
    assert_eq!(
        message(&[("substep", 0.1)]),
        r#"optimiser gradient_flow: expected the numbers ["substep", "error"], each finite and at least 0, found [("substep", 0.1)]"#
    );
    assert!(message(&[("substep", -0.1), ("error", 0.0)]).contains("-0.1"));
    assert!(message(&[("substep", f64::NAN), ("error", 0.0)]).contains("NaN"));
    assert!(message(&[("error", 0.1), ("substep", 0.1)]).contains("expected the numbers"));
}

#[test]
fn optimisers_that_choose_their_points_take_no_gradient() {
    let names = |optimiser: Optimiser| optimiser.slot_names();
    let lbfgs = Optimiser::Lbfgs(Lbfgs { history: 2, ..Lbfgs::default() });
    assert_eq!(names(lbfgs), ["s_0", "s_1", "y_0", "y_1"]);
    assert!(lbfgs.chooses_points() && Optimiser::GradientFlow(GradientFlow::default()).chooses_points());
    assert!(all().iter().all(|optimiser| !optimiser.chooses_points()));
    // Where a step begins that is not finite, nothing changes.
    let mut state = OptimiserState::new(lbfgs, 1).unwrap();
    let here = Probe { loss: 1.0, gradient: vec![f32::INFINITY], beside: () };
    let halted = state.step_along(&mut [1.0], here, 1.0, &mut |_: &[f32]| panic!("nothing is looked at"));
    assert_eq!((halted, state.steps()), (Err(Halt::NotFinite), 0));
}
