use super::{Bench, Cases};
use crate::Key;
use crate::call::Call;

fn short(cases: &mut Cases, most: usize) -> Vec<usize> {
    (0..cases.below(most + 1)).map(|_| cases.pick(&[0, 1, 2, 3, 4, 9])).collect()
}

#[test]
fn numbers_follow_their_keys() {
    for n in 0..300 {
        let mut cases = Cases::new("uniform", n);
        let mut bench = Bench::default();
        let (leading, inner) = (short(&mut cases, 2), short(&mut cases, 3));
        let keys = cases.layout(&[&leading[..], &[Key::WORDS]].concat(), true);
        let keys = bench.input(keys, || cases.below(1 << 24) as f64);
        let out = cases.layout(&[leading, inner].concat(), false);
        let out = bench.output(out);
        bench.call(Call::Uniform { keys, out, stream: n });
        let counted = cases.layout(&[n as usize % 40], false);
        let counted = bench.output(counted);
        bench.call(Call::Iota { to: counted });
        assert!(bench.exact(&format!("case {n}")));
    }
}

#[test]
#[should_panic(expected = "words of a key")]
fn keys_of_other_lengths_are_refused() {
    let mut bench = Bench::default();
    let keys = bench.input(crate::Layout::contiguous(0, &[3, 8]), || 0.0);
    let out = bench.output(crate::Layout::contiguous(0, &[3, 5]));
    bench.call(Call::Uniform { keys, out, stream: 0 });
    bench.run::<f64>(crate::simd::Level::Portable);
}
