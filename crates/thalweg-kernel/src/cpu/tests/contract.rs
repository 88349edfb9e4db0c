use super::{Bench, Cases};
use crate::call::{Call, Labels};
use crate::simd::Level;
use crate::{Layout, Real};

/// A random contraction: up to two labels of each of the four kinds, in any order, over views of any strides.
fn random(number: u64) -> Bench {
    let mut cases = Cases::new("contractions", number);
    let mut bench = Bench::default();
    let mut labels: [Vec<(u8, usize)>; 3] = Default::default();
    let mut name = b'a';
    let mut size = 1;
    for members in [[true, true, true], [true, false, true], [false, true, true], [true, true, false]] {
        for _ in 0..cases.pick(&[0, 1, 1, 1, 2]) {
            let extent = cases.pick(&[1, 2, 3, 5, 8, 17, 33, 40]);
            let extent = if cases.chance(2) { 0 } else { extent.min((60_000 / size).max(1)) };
            size *= extent.max(1);
            for (list, member) in labels.iter_mut().zip(members) {
                if member {
                    list.push((name, extent));
                }
            }
            name += 1;
        }
    }
    for list in &mut labels {
        for i in (1..list.len()).rev() {
            list.swap(i, cases.below(i + 1));
        }
    }
    let [a, b, out] = labels;
    let shape = |list: &[(u8, usize)]| list.iter().map(|l| l.1).collect::<Vec<_>>();
    let names = |list: &[(u8, usize)]| list.iter().map(|l| l.0).collect::<Vec<_>>();
    let labels = Labels { a: names(&a), b: names(&b), out: names(&out) };
    let repeats = cases.chance(40);
    let a = cases.layout(&shape(&a), repeats);
    let b = cases.layout(&shape(&b), repeats);
    let out = cases.layout(&shape(&out), false);
    let a = bench.input(a, || cases.whole());
    let b = bench.input(b, || cases.whole());
    let out = bench.output(out);
    let swapped = Labels { a: labels.b.clone(), b: labels.a.clone(), out: labels.out.clone() };
    let terms = if cases.chance(40) { cases.pick(&[2, 3, 6]) } else { 1 };
    for term in 0..terms {
        let (a, b, out, adds) = (a.clone(), b.clone(), out.clone(), term > 0);
        bench.call(if term > 0 && cases.chance(50) {
            Call::Contract { a: b, b: a, out, labels: swapped.clone(), adds }
        } else {
            Call::Contract { a, b, out, labels: labels.clone(), adds }
        });
    }
    bench
}

#[test]
fn random_contractions_on_integers_are_exact() {
    for n in 0..1200 {
        assert!(random(n).exact(&format!("case {n}")));
    }
}

/// Shapes of networks: forward, weight adjoint, input adjoint.
#[test]
fn matrix_products_of_real_numbers() {
    fn worst<T: Real>(bench: &Bench) -> f64 {
        let (expected, _) = super::reference::run(bench);
        let found = bench.run::<T>(Level::current());
        found.concat().iter().zip(expected.concat()).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max)
    }
    for (m, k, n) in [(32, 64, 32), (64, 300, 70), (5, 1000, 3), (100, 7, 33)] {
        for transposed in [false, true] {
            let mut bench = Bench::default();
            let mut cases = Cases::new("matrices", (m + k + n) as u64);
            let a = if transposed {
                Layout::contiguous(0, &[k, m]).permuted(&[1, 0])
            } else {
                Layout::contiguous(0, &[m, k])
            };
            let a = bench.input(a, || cases.real());
            let b = bench.input(Layout::contiguous(0, &[k, n]), || cases.real());
            let out = bench.output(Layout::contiguous(0, &[m, n]));
            let labels = Labels { a: vec![0, 1], b: vec![1, 2], out: vec![0, 2] };
            bench.call(Call::Contract { a, b, out, labels, adds: false });
            assert!(worst::<f32>(&bench) < 2e-6 * (k as f64).sqrt());
            assert!(worst::<f64>(&bench) < 1e-13);
        }
    }
}
