//! The table itself: every primitive at some shapes.

use super::support::Array;
use thalweg_kernel::Key;
use thalweg_program::builder::{Builder, Var};
use thalweg_program::prim::{Gather, Pad, ScatterAdd, Slide, Uniform};

/// What the arguments are drawn from: finite differences must not cross a kink or a pole.
#[derive(Clone, Copy)]
pub(crate) enum Domain {
    Normal,
    Positive,
    AwayFromZero,
    Index(usize),
    /// Words of a key: real, and without a derivative.
    Key,
}

impl Domain {
    pub(crate) fn draw(self, shape: &[usize], key: Key) -> Array {
        let mut array = Array::normal(shape, key);
        let mut uniforms = vec![0.0; array.data.len()];
        key.named("uniform").uniforms(&mut uniforms);
        for (x, u) in array.data.iter_mut().zip(uniforms) {
            *x = match self {
                Self::Normal => *x,
                Self::Positive => 0.5 + u,
                Self::AwayFromZero => x.signum() * (0.3 + u),
                Self::Index(limit) => (u * limit as f64).floor(),
                Self::Key => (u * 16_777_216.0).floor(),
            };
        }
        array
    }
}

type Write = Box<dyn for<'b> Fn(&'b Builder, &[Var<'b>]) -> Var<'b>>;

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) arguments: Vec<(Vec<usize>, Domain)>,
    pub(crate) write: Write,
}

fn case(
    name: &str,
    arguments: &[(&[usize], Domain)],
    write: impl for<'b> Fn(&'b Builder, &[Var<'b>]) -> Var<'b> + 'static,
) -> Case {
    let shapes: Vec<_> = arguments.iter().map(|(shape, _)| *shape).collect();
    Case {
        name: format!("{name} {shapes:?}"),
        arguments: arguments.iter().map(|&(shape, domain)| (shape.to_vec(), domain)).collect(),
        write: Box::new(write),
    }
}

const SHAPES: [&[usize]; 7] = [&[], &[1], &[0], &[17], &[3, 5], &[2, 0, 3], &[4, 1, 33]];

fn elementwise() -> Vec<Case> {
    use Domain::{AwayFromZero, Normal, Positive};
    let mut cases = Vec::new();
    for shape in SHAPES {
        macro_rules! unary {
            ($($name:ident $domain:ident),+) => {
                $(cases.push(case(stringify!($name), &[(shape, $domain)], |_, x| x[0].$name()));)+
            };
        }
        unary!(exp Normal, log Positive, log1p Positive, tanh Normal, erf Normal, logistic Normal, sqrt Positive);
        unary!(reciprocal AwayFromZero, sin Normal, cos Normal, relu AwayFromZero, step AwayFromZero, abs AwayFromZero);
        cases.push(case("neg", &[(shape, Normal)], |_, x| -x[0]));
        for n in [-2, 3, 4] {
            cases.push(case("powi", &[(shape, AwayFromZero)], move |_, x| x[0].powi(n)));
        }
        let two = [(shape, Normal), (shape, Normal)];
        cases.push(case("add", &two, |_, x| x[0] + x[1]));
        cases.push(case("sub", &two, |_, x| x[0] - x[1]));
        cases.push(case("mul", &two, |_, x| x[0] * x[1]));
        cases.push(case("maximum", &two, |_, x| x[0].maximum(x[1])));
        cases.push(case("minimum", &two, |_, x| x[0].minimum(x[1])));
        cases.push(case("greater", &two, |_, x| x[0].greater(x[1])));
        cases.push(case("equal", &two, |_, x| x[0].equal(x[1])));
        cases.push(case("div", &[(shape, Normal), (shape, AwayFromZero)], |_, x| x[0] / x[1]));
        cases.push(case("power", &[(shape, Positive), (shape, Normal)], |_, x| x[0].power(x[1])));
        let three = [(shape, AwayFromZero), (shape, Normal), (shape, Normal)];
        cases.push(case("select", &three, |_, x| x[0].greater(0.0).select(x[1], x[2])));
        cases.push(case("same operand twice", &[(shape, Normal)], |_, x| x[0] * x[0] + x[0]));
        cases.push(case("with numbers", &[(shape, Positive)], |_, x| {
            1.0 / (2.0 * x[0] + 3.0) - x[0] / 4.0 + (1.5 - x[0])
        }));
    }
    let pairs: [(&[usize], &[usize]); 6] = [
        (&[3, 5], &[5]),
        (&[5], &[3, 5]),
        (&[3, 1], &[1, 4]),
        (&[], &[2, 3]),
        (&[2, 1, 3], &[4, 1]),
        (&[0, 3], &[3]),
    ];
    for (a, b) in pairs {
        let domains = [(a, Normal), (b, AwayFromZero)];
        cases.push(case("mul with broadcast", &domains, |_, x| x[0] * x[1]));
        cases.push(case("div with broadcast", &domains, |_, x| x[0] / x[1]));
        cases.push(case("sub with broadcast", &domains, |_, x| x[0].tanh() - x[1].exp()));
    }
    cases
}

fn structural() -> Vec<Case> {
    use Domain::Normal;
    let mut cases = vec![
        case("broadcast", &[(&[3], Normal)], |_, x| x[0].broadcast(&[2, 3, 4], &[1])),
        case("broadcast scalar", &[(&[], Normal)], |_, x| x[0].broadcast(&[2, 3], &[])),
        case("broadcast to nothing", &[(&[3], Normal)], |_, x| x[0].broadcast(&[0, 3], &[1])),
        case("broadcast_to", &[(&[2, 1, 3], Normal)], |_, x| x[0].broadcast_to(&[5, 2, 4, 3])),
        case("reshape", &[(&[4, 6], Normal)], |_, x| x[0].reshape(&[3, 1, 8])),
        case("reshape of a permuted array", &[(&[4, 6], Normal)], |_, x| {
            x[0].permute(&[1, 0]).reshape(&[3, 8])
        }),
        case("reshape of a broadcast array", &[(&[4], Normal)], |_, x| {
            x[0].broadcast(&[4, 3], &[0]).reshape(&[12])
        }),
        case("reshape of nothing", &[(&[0, 6], Normal)], |_, x| x[0].reshape(&[2, 0, 5])),
        case("permute", &[(&[2, 3, 4], Normal)], |_, x| x[0].permute(&[2, 0, 1])),
        case("permute in a chain", &[(&[5, 7], Normal)], |_, x| {
            x[0].permute(&[1, 0]).exp().permute(&[1, 0]) * x[0]
        }),
        case("slice", &[(&[5, 7], Normal)], |_, x| x[0].slice(1, 2, 4)),
        case("slice with step", &[(&[3, 9], Normal)], |_, x| x[0].slice_by(1, 1, 3, 3)),
        case("slice of nothing", &[(&[3, 4], Normal)], |_, x| x[0].slice(0, 3, 0)),
        case("slice in a chain", &[(&[6, 5], Normal)], |_, x| {
            (x[0].slice(0, 1, 2) * x[0].slice(0, 4, 2)).tanh()
        }),
        case("pad", &[(&[3, 2], Normal)], |_, x| x[0].pad(1, 2, 1)),
        case("pad between", &[(&[3, 2], Normal)], |b, x| {
            b.apply(Pad { axis: 0, before: 1, after: 0, between: 2 }, &[x[0].exp()])
        }),
        case("pad of nothing", &[(&[0, 2], Normal)], |_, x| x[0].pad(0, 1, 2)),
        case("concatenate", &[(&[2, 3], Normal), (&[2, 1], Normal), (&[2, 0], Normal)], |b, x| {
            b.concatenate(1, &[x[0], x[1], x[2], x[1]])
        }),
        case("concatenate with constants", &[(&[2], Normal)], |b, x| {
            b.concatenate(0, &[b.constant(2.0, &[3]), x[0], b.zeros(&[1])])
        }),
    ];
    for axes in [&[][..], &[0], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        for shape in [&[2, 3, 5][..], &[1, 4, 1], &[3, 0, 2], &[2, 17, 33]] {
            cases.push(case(&format!("sum over {axes:?}"), &[(shape, Normal)], move |_, x| x[0].sum(axes)));
            if !shape.contains(&0) {
                cases.push(case(&format!("mean over {axes:?}"), &[(shape, Normal)], move |_, x| {
                    (x[0] * 2.0).mean(axes)
                }));
                cases.push(case(&format!("max over {axes:?}"), &[(shape, Normal)], move |_, x| {
                    x[0].max(axes)
                }));
            }
        }
    }
    cases.push(case("sum of a broadcast", &[(&[3], Normal)], |_, x| {
        x[0].broadcast(&[2, 3, 4], &[1]).sum(&[0, 1])
    }));
    cases.push(case("max of a broadcast", &[(&[3], Normal)], |_, x| {
        x[0].broadcast(&[2, 3, 4], &[1]).max(&[1, 2])
    }));
    cases
}

fn bilinear() -> Vec<Case> {
    use Domain::Normal;
    let mut cases = Vec::new();
    let specs: [(&str, &[usize], &[usize]); 16] = [
        ("ik,kj->ij", &[3, 4], &[4, 5]),
        ("ik,jk->ij", &[3, 4], &[5, 4]),
        ("ki,kj->ji", &[4, 3], &[4, 5]),
        ("ik,kj->ij", &[17, 33], &[33, 18]),
        ("ik,kj->ij", &[1, 7], &[7, 1]),
        ("ik,kj->ij", &[3, 0], &[0, 2]),
        ("ik,kj->ij", &[0, 3], &[3, 2]),
        ("k,k->", &[9], &[9]),
        ("i,j->ij", &[3], &[5]),
        ("i,i->i", &[6], &[6]),
        (",i->i", &[], &[4]),
        ("bik,bkj->bij", &[2, 3, 4], &[2, 4, 5]),
        ("bik,kj->ibj", &[2, 3, 4], &[4, 5]),
        ("ik,bkj->bij", &[3, 4], &[2, 4, 5]),
        ("bhqd,bhkd->bhqk", &[2, 3, 4, 5], &[2, 3, 6, 5]),
        ("iklm,jmk->jil", &[2, 3, 4, 5], &[6, 5, 3]),
    ];
    for (spec, a, b) in specs {
        cases.push(case(&format!("contract {spec}"), &[(a, Normal), (b, Normal)], move |builder, x| {
            builder.einsum(spec, x[0], x[1])
        }));
    }
    cases.push(case("matmul", &[(&[2, 3, 4], Normal), (&[4, 5], Normal)], |_, x| x[0].matmul(x[1])));
    cases.push(case("matmul with itself", &[(&[3, 3], Normal)], |_, x| x[0].matmul(x[0])));
    cases.push(case("matmul of views", &[(&[3, 4], Normal), (&[3, 5], Normal)], |_, x| {
        x[0].permute(&[1, 0]).matmul(x[1].slice_by(1, 0, 2, 3))
    }));
    cases.push(case("matmul with constants", &[(&[3, 4], Normal)], |b, x| {
        x[0].matmul(b.constant(0.5, &[4, 2]))
    }));
    cases
}

fn indexed() -> Vec<Case> {
    use Domain::{Index, Normal};
    vec![
        case("one_hot", &[(&[5], Index(4)), (&[5, 4], Normal)], |_, x| x[0].one_hot(4) * x[1]),
        case("one_hot, classes first", &[(&[5, 2], Index(4)), (&[4, 5, 2], Normal)], |_, x| {
            x[0].one_hot(4).permute(&[2, 0, 1]) * x[1].tanh()
        }),
        case("one_hot of nothing", &[(&[0], Index(4)), (&[4], Normal)], |_, x| x[0].one_hot(4) * x[1]),
        case("gather", &[(&[7, 3], Normal), (&[2, 4], Index(7))], |_, x| x[0].gather(x[1])),
        case("gather of scalars", &[(&[7], Normal), (&[3], Index(7))], |_, x| x[0].gather(x[1])),
        case("gather in a batch", &[(&[2, 5, 3], Normal), (&[2, 4], Index(5))], |b, x| {
            b.apply(Gather { batch: 1 }, &[x[0], x[1]])
        }),
        case("scatter_add", &[(&[2, 4, 3], Normal), (&[2, 4], Index(5))], |_, x| x[0].scatter_add(x[1], 5)),
        case("scatter_add in a batch", &[(&[2, 4, 3], Normal), (&[2, 4], Index(5))], |b, x| {
            b.apply(ScatterAdd { batch: 1, rows: 5 }, &[x[0], x[1]])
        }),
        case("scatter_add of nothing", &[(&[0, 3], Normal), (&[0], Index(5))], |_, x| {
            x[0].scatter_add(x[1], 5)
        }),
    ]
}

/// Shapes of input and weights, how the windows slide, groups.
type Convolution<const AXES: usize> = (&'static [usize], &'static [usize], [Slide; AXES], usize);

/// Examples × positions × channels with weights in PyTorch's order: strides, paddings, dilations, groups; windows that
/// hang over, that do not fit, that see nothing.
fn convolutions() -> Vec<Case> {
    use Domain::Normal;
    let slide = |stride, dilation, padding| Slide { stride, dilation, padding };
    let mut cases = Vec::new();
    let one: [Convolution<1>; 9] = [
        (&[2, 7, 3], &[4, 3, 3], [slide(1, 1, [0, 0])], 1),
        (&[2, 7, 3], &[4, 3, 3], [slide(2, 1, [1, 1])], 1),
        (&[1, 8, 2], &[3, 2, 3], [slide(3, 2, [2, 1])], 1),
        (&[2, 5, 4], &[6, 2, 2], [slide(1, 1, [0, 1])], 2),
        (&[2, 5, 3], &[3, 1, 3], [slide(1, 1, [1, 1])], 3),
        (&[1, 2, 1], &[1, 1, 5], [slide(1, 1, [2, 2])], 1),
        (&[1, 2, 1], &[2, 1, 5], [slide(1, 1, [0, 0])], 1),
        (&[2, 3, 1], &[2, 1, 1], [slide(2, 1, [4, 4])], 1),
        (&[0, 5, 2], &[3, 2, 3], [slide(1, 1, [1, 1])], 1),
    ];
    let two: [Convolution<2>; 4] = [
        (&[2, 4, 5, 3], &[2, 3, 3, 3], [slide(1, 1, [1, 1]); 2], 1),
        (&[1, 5, 4, 2], &[3, 2, 1, 1], [slide(2, 1, [0, 0]); 2], 1),
        (&[1, 5, 6, 2], &[2, 1, 3, 2], [slide(2, 1, [1, 0]), slide(1, 2, [0, 1])], 2),
        (&[1, 3, 3, 1], &[2, 1, 3, 0], [slide(1, 1, [1, 1]); 2], 1),
    ];
    let none: [Convolution<0>; 1] = [(&[3, 4], &[5, 4], [], 1)];
    fn add<const AXES: usize>(cases: &mut Vec<Case>, all: &[Convolution<AXES>]) {
        for &(x, w, slides, groups) in all {
            let name = format!("convolve by {slides:?} in {groups} groups");
            let domains = [(x, Normal), (w, Normal)];
            cases.push(case(&name, &domains, move |_, v| v[0].convolve(v[1], &slides, groups)));
        }
    }
    add(&mut cases, &one);
    add(&mut cases, &two);
    add(&mut cases, &none);
    cases
}

/// A shape `[n, positions…, c]`, taps, how the windows slide.
type Pooling<const AXES: usize> = (&'static [usize], [usize; AXES], [Slide; AXES]);

/// Windows side by side, overlapping, padded, dilated; more channels than are taken at once; nothing.
fn poolings() -> Vec<Case> {
    let slide = |stride, dilation, padding| Slide { stride, dilation, padding };
    let mut cases = Vec::new();
    let one: [Pooling<1>; 6] = [
        (&[2, 7, 3], [2], [slide(2, 1, [0, 0])]),
        (&[2, 8, 1], [3], [slide(2, 1, [1, 1])]),
        (&[1, 9, 2], [3], [slide(1, 2, [2, 1])]),
        (&[1, 3, 67], [2], [slide(1, 1, [0, 1])]),
        (&[0, 5, 2], [2], [slide(2, 1, [0, 0])]),
        (&[2, 2, 2], [3], [slide(1, 1, [0, 0])]),
    ];
    let two: [Pooling<2>; 5] = [
        (&[2, 4, 6, 3], [2, 2], [slide(2, 1, [0, 0]); 2]),
        (&[1, 5, 5, 2], [3, 3], [slide(2, 1, [1, 1]); 2]),
        (&[2, 5, 4, 1], [2, 3], [slide(1, 2, [1, 0]), slide(3, 1, [1, 1])]),
        (&[1, 3, 4, 2], [3, 4], [slide(1, 1, [0, 0]); 2]),
        (&[1, 2, 2, 0], [2, 1], [slide(1, 1, [0, 0]); 2]),
    ];
    let three: [Pooling<3>; 1] = [(&[1, 3, 2, 4, 2], [2, 2, 2], [slide(1, 1, [0, 1]); 3])];
    let none: [Pooling<0>; 1] = [(&[3, 4], [], [])];
    fn add<const AXES: usize>(cases: &mut Vec<Case>, all: &[Pooling<AXES>]) {
        for &(shape, taps, slides) in all {
            let normal = [(shape, Domain::Normal)];
            let name = format!("of {taps:?} taps by {slides:?}");
            cases.push(case(&format!("max pool {name}"), &normal, move |_, x| x[0].max_pool(&taps, &slides)));
            cases.push(case(&format!("average pool {name}"), &normal, move |_, x| {
                x[0].average_pool(&taps, &slides)
            }));
        }
    }
    add(&mut cases, &one);
    add(&mut cases, &two);
    add(&mut cases, &three);
    add(&mut cases, &none);
    cases.push(case("max pool of a view", &[(&[2, 3, 4, 5], Domain::Normal)], move |_, x| {
        x[0].permute(&[0, 2, 3, 1]).max_pool(&[2, 2], &[slide(2, 1, [0, 0]), slide(1, 1, [1, 0])])
    }));
    cases
}

/// Softmax and attention, and dropout by keys.
fn attentive() -> Vec<Case> {
    use Domain::{Key, Normal};
    const WORDS: usize = thalweg_kernel::Key::WORDS;
    let mut cases = Vec::new();
    for (shape, axis) in [(&[4, 10][..], 1), (&[3, 5, 2], 0), (&[2, 3, 17], 2), (&[2, 1], 1), (&[0, 3], 1)] {
        cases
            .push(case(&format!("softmax along {axis}"), &[(shape, Normal)], move |_, x| x[0].softmax(axis)));
        cases.push(case(&format!("log_softmax along {axis}"), &[(shape, Normal)], move |_, x| {
            x[0].log_softmax(axis)
        }));
    }
    cases.push(case("iota", &[(&[2, 5], Normal)], |b, x| x[0] * b.iota(5)));
    let shapes: [[&[usize]; 3]; 4] = [
        [&[2, 3, 2, 4], &[2, 5, 2, 4], &[2, 5, 2, 3]],
        [&[5, 1, 2], &[5, 1, 2], &[5, 1, 2]],
        [&[4, 2, 1], &[2, 2, 1], &[2, 2, 3]],
        [&[0, 2, 1, 3], &[0, 2, 1, 3], &[0, 2, 1, 3]],
    ];
    for [q, k, v] in shapes {
        for causal in [false, true] {
            let name = if causal { "causal attention" } else { "attention" };
            cases.push(case(name, &[(q, Normal), (k, Normal), (v, Normal)], move |_, x| {
                x[0].attention(x[1], x[2], causal)
            }));
        }
    }
    cases.push(case("self-attention of one projection", &[(&[2, 3, 12], Normal)], |_, x| {
        let parts = x[0].tanh().reshape(&[2, 3, 3, 2, 2]);
        let [q, k, v] = [0, 1, 2].map(|part| parts.slice(2, part, 1).reshape(&[2, 3, 2, 2]));
        q.attention(k, v, true).reshape(&[2, 3, 4])
    }));
    cases.push(case("gather by an index that was computed", &[(&[7, 3], Normal)], |b, x| {
        x[0].tanh().gather(b.iota(7).slice_by(0, 1, 3, 2).as_index())
    }));
    for (x, keys) in [(&[4, 3, 5][..], &[4, WORDS][..]), (&[9], &[WORDS]), (&[2, 3, 4], &[2, 3, WORDS])] {
        cases.push(case("dropout", &[(x, Normal), (keys, Key)], |_, x| x[0].exp().dropout(x[1], 3, 0.4)));
    }
    cases.push(case("uniform", &[(&[3, 2], Normal), (&[3, WORDS], Key)], |b, x| {
        x[0] + b.apply(Uniform { stream: 1, shape: vec![2] }, &[x[1]])
    }));
    cases
}

fn norms() -> Vec<Case> {
    use Domain::Normal;
    let mut cases = Vec::new();
    for shape in SHAPES {
        cases.push(case("psum", &[(shape, Normal)], |_, x| x[0].psum() * x[0]));
    }
    // Examples, positions, channels: what shares a mean and a variance.
    let over: [(&str, &[usize]); 3] =
        [("instance norm", &[1]), ("layer norm", &[1, 2]), ("batch norm", &[0, 1])];
    for shape in [[2usize, 5, 3], [1, 4, 17], [3, 2, 1]] {
        for (name, axes) in over {
            cases.push(case(name, &[(&shape, Normal)], move |_, x| x[0].standardised(axes, 1e-2)));
        }
        cases.push(case("batch norm of all", &[(&shape, Normal)], |_, x| {
            let moments = x[0].moments_of_all(&[0, 1]);
            (x[0] - moments.mean) * (moments.variance + 1e-2).sqrt().reciprocal()
        }));
    }
    cases.push(case("group norm", &[(&[2, 5, 6], Normal)], |_, x| {
        x[0].reshape(&[2, 5, 2, 3]).standardised(&[1, 3], 1e-2).reshape(&[2, 5, 6])
    }));
    cases
}

pub(crate) fn all() -> Vec<Case> {
    elementwise()
        .into_iter()
        .chain(structural())
        .chain(bilinear())
        .chain(convolutions())
        .chain(poolings())
        .chain(norms())
        .chain(indexed())
        .chain(attentive())
        .collect()
}
