//! A second opinion: programs evaluated by naive loops over indices, in f64.

use thalweg_kernel::{Binary, Instruction, Key, ReductionKind, Unary};
use thalweg_program::ir::{Element, Op, Program};
use thalweg_program::prim::{Convolve, Evaluation, MaxIndex};

/// A dense row-major array; indices are whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f64>,
}

/// All multi-indices of a shape, in row-major order.
pub(crate) fn places(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut places = vec![Vec::new()];
    for &extent in shape {
        places = places
            .into_iter()
            .flat_map(|place| (0..extent).map(move |i| [&place[..], &[i]].concat()))
            .collect();
    }
    places
}

impl Array {
    pub(crate) fn new(shape: &[usize], mut element: impl FnMut(&[usize]) -> f64) -> Self {
        Self { shape: shape.to_vec(), data: places(shape).iter().map(|place| element(place)).collect() }
    }

    pub(crate) fn at(&self, place: &[usize]) -> f64 {
        let flat = place.iter().zip(&self.shape).fold(0, |flat, (i, extent)| flat * extent + i);
        self.data[flat]
    }

    pub(crate) fn normal(shape: &[usize], key: Key) -> Self {
        let mut data = vec![0.0; shape.iter().product()];
        key.normals(&mut data);
        Self { shape: shape.to_vec(), data }
    }

    pub(crate) fn plus(&self, other: &Self, scale: f64) -> Self {
        let data = self.data.iter().zip(&other.data).map(|(a, b)| a + scale * b).collect();
        Self { shape: self.shape.clone(), data }
    }

    pub(crate) fn dot(&self, other: &Self) -> f64 {
        self.data.iter().zip(&other.data).map(|(a, b)| a * b).sum()
    }
}

fn unary(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Neg => -x,
        Unary::Exp => libm::exp(x),
        Unary::Log => libm::log(x),
        Unary::Log1p => libm::log1p(x),
        Unary::Tanh => libm::tanh(x),
        Unary::Erf => libm::erf(x),
        Unary::Logistic => 1.0 / (1.0 + libm::exp(-x)),
        Unary::Sqrt => x.sqrt(),
        Unary::Reciprocal => 1.0 / x,
        Unary::Sin => libm::sin(x),
        Unary::Cos => libm::cos(x),
        Unary::Relu => x.max(0.0),
        Unary::Step => f64::from(u8::from(x > 0.0)),
        Unary::Abs => x.abs(),
        Unary::PowerInt(n) => libm::pow(x, f64::from(n)),
    }
}

fn binary(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Maximum => a.max(b),
        Binary::Minimum => a.min(b),
        Binary::Power => libm::pow(a, b),
        Binary::Greater => f64::from(u8::from(a > b)),
        Binary::Equal => f64::from(u8::from(a == b)),
    }
}

fn contract(op: &str, a: &Array, b: &Array, shape: &[usize]) -> Array {
    // The labels as the op prints them: three lists of numbers.
    let lists: Vec<Vec<usize>> = op
        .split('[')
        .skip(1)
        .map(|part| part.split(']').next().unwrap_or(""))
        .map(|list| list.split(',').filter_map(|n| n.trim().parse().ok()).collect())
        .collect();
    let (la, lb, lout) = (&lists[0], &lists[1], &lists[2]);
    let labels = la.iter().chain(lb).max().map_or(0, |m| m + 1);
    let mut extents = vec![1; labels];
    for (label, extent) in la.iter().chain(lb).zip(a.shape.iter().chain(&b.shape)) {
        extents[*label] = *extent;
    }
    let pick = |place: &[usize], labels: &[usize]| labels.iter().map(|&l| place[l]).collect::<Vec<_>>();
    let mut out = Array::new(shape, |_| 0.0);
    for place in places(&extents) {
        let flat = pick(&place, lout).iter().zip(shape).fold(0, |flat, (i, extent)| flat * extent + i);
        out.data[flat] += a.at(&pick(&place, la)) * b.at(&pick(&place, lb));
    }
    out
}

fn convolve(op: &Convolve, a: &Array, b: &Array, shape: &[usize]) -> Array {
    let labels = op.labels();
    let mut extents = vec![1; 64];
    for (label, extent) in labels.a.iter().chain(&labels.b).zip(a.shape.iter().chain(&b.shape)) {
        extents[usize::from(*label)] = *extent;
    }
    for (names, window) in op.windows() {
        // The input position follows from the other two.
        for (name, extent) in names.into_iter().zip([1, window.taps, window.output]) {
            extents[usize::from(name)] = extent;
        }
    }
    let used = labels.a.iter().chain(&labels.b).chain(&labels.out).max().map_or(0, |m| usize::from(*m) + 1);
    extents.truncate(used);
    let mut out = Array::new(shape, |_| 0.0);
    'places: for mut place in places(&extents) {
        for ([input, tap, output], window) in op.windows() {
            let at = window.stride * place[usize::from(output)] + window.dilation * place[usize::from(tap)];
            match at.checked_sub(window.before).filter(|&at| at < window.input) {
                Some(at) => place[usize::from(input)] = at,
                None => continue 'places,
            }
        }
        let pick = |labels: &[u8]| labels.iter().map(|&l| place[usize::from(l)]).collect::<Vec<_>>();
        let flat = pick(&labels.out).iter().zip(shape).fold(0, |flat, (i, extent)| flat * extent + i);
        out.data[flat] += a.at(&pick(&labels.a)) * b.at(&pick(&labels.b));
    }
    out
}

fn max_index(op: &MaxIndex, x: &Array, shape: &[usize]) -> Array {
    let first = shape.len() - 1 - op.windows.len();
    let taps: Vec<usize> = op.windows.iter().map(|window| window.taps).collect();
    Array::new(shape, |place| {
        let mut best: Option<(f64, usize)> = None;
        'taps: for tap in places(&taps) {
            let mut from = place.to_vec();
            for (axis, (window, tap)) in op.windows.iter().zip(tap).enumerate() {
                let at = window.stride * place[first + axis] + window.dilation * tap;
                match at.checked_sub(window.before).filter(|&at| at < window.input) {
                    Some(at) => from[first + axis] = at,
                    None => continue 'taps,
                }
            }
            let value = x.at(&from);
            if best.is_none_or(|(most, _)| value > most || value.is_nan()) {
                let number =
                    from[first..].iter().zip(&x.shape[first..]).fold(0, |n, (i, extent)| n * extent + i);
                best = Some((value, number));
            }
        }
        best.map_or(f64::NAN, |(_, number)| number as f64)
    })
}

fn without(place: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..place.len()).filter(|axis| !axes.contains(axis)).map(|axis| place[axis]).collect()
}

fn node(op: &Op, inputs: &[&Array], shape: &[usize]) -> Array {
    match op {
        Op::Input(_) => unreachable!("inputs are given"),
        Op::Constant(constant) => Array::new(shape, |_| constant.value()),
        Op::Unary(_) | Op::Binary(_) | Op::Select(_) => {
            let Evaluation::Elementwise(instruction) = op.evaluate() else { unreachable!("elementwise") };
            Array::new(shape, |place| match instruction {
                Instruction::Unary(op, _) => unary(op, inputs[0].at(place)),
                Instruction::Binary(op, ..) => binary(op, inputs[0].at(place), inputs[1].at(place)),
                Instruction::Select(..) if inputs[0].at(place) != 0.0 => inputs[1].at(place),
                Instruction::Select(..) => inputs[2].at(place),
            })
        }
        Op::Broadcast(broadcast) => Array::new(shape, |place| {
            inputs[0].at(&broadcast.axes.iter().map(|&axis| place[axis]).collect::<Vec<_>>())
        }),
        Op::Reshape(_) => Array { shape: shape.to_vec(), data: inputs[0].data.clone() },
        // Evaluated alone.
        Op::Psum(_) => inputs[0].clone(),
        Op::Permute(permute) => Array::new(shape, |place| {
            let mut from = vec![0; place.len()];
            permute.axes.iter().zip(place).for_each(|(&axis, &i)| from[axis] = i);
            inputs[0].at(&from)
        }),
        Op::Slice(slice) => Array::new(shape, |place| {
            let mut from = place.to_vec();
            from[slice.axis] = slice.start + place[slice.axis] * slice.step;
            inputs[0].at(&from)
        }),
        Op::Pad(pad) => Array::new(shape, |place| {
            let i = place[pad.axis];
            let inside = i >= pad.before && (i - pad.before) % (pad.between + 1) == 0;
            let from = i.saturating_sub(pad.before) / (pad.between + 1);
            if !inside || from >= inputs[0].shape[pad.axis] {
                return 0.0;
            }
            let mut source = place.to_vec();
            source[pad.axis] = from;
            inputs[0].at(&source)
        }),
        Op::Concatenate(concatenate) => Array::new(shape, |place| {
            let mut from = place.to_vec();
            for input in inputs {
                if from[concatenate.axis] < input.shape[concatenate.axis] {
                    return input.at(&from);
                }
                from[concatenate.axis] -= input.shape[concatenate.axis];
            }
            unreachable!("within the result's shape")
        }),
        Op::Reduce(reduce) => {
            let start = if reduce.kind == ReductionKind::Sum { 0.0 } else { f64::NEG_INFINITY };
            let mut out = Array::new(shape, |_| start);
            for place in places(&inputs[0].shape) {
                let kept = without(&place, &reduce.axes);
                let flat = kept.iter().zip(shape).fold(0, |flat, (i, extent)| flat * extent + i);
                let x = inputs[0].at(&place);
                out.data[flat] = match reduce.kind {
                    ReductionKind::Sum => out.data[flat] + x,
                    ReductionKind::Max => out.data[flat].max(x),
                };
            }
            out
        }
        Op::Convolve(op) => convolve(op, inputs[0], inputs[1], shape),
        Op::Contract(_) => contract(&format!("{op:?}"), inputs[0], inputs[1], shape),
        Op::Iota(_) => Array::new(shape, |place| place[0] as f64),
        Op::Uniform(uniform) => {
            let keys =
                inputs[0].data.chunks(Key::WORDS).map(|words| std::array::from_fn(|i| words[i] as u32));
            let mut numbers = vec![0.0; uniform.shape.iter().product()];
            let numbers = keys.flat_map(|words| {
                Key::from_words(words).fold_in(uniform.stream).short_uniforms(&mut numbers);
                numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>()
            });
            Array { shape: shape.to_vec(), data: numbers.collect() }
        }
        Op::OneHot(_) => Array::new(shape, |place| {
            let (class, index) = place.split_last().expect("a class axis");
            f64::from(u8::from(inputs[0].at(index) == *class as f64))
        }),
        Op::Gather(gather) => {
            let (table, index) = (inputs[0], inputs[1]);
            Array::new(shape, |place| {
                let row = index.at(&place[..index.shape.len()]) as usize;
                table.at(&[&place[..gather.batch], &[row], &place[index.shape.len()..]].concat())
            })
        }
        Op::ScatterAdd(scatter) => {
            let (values, index) = (inputs[0], inputs[1]);
            let mut out = Array::new(shape, |_| 0.0);
            for place in places(&values.shape) {
                let row = index.at(&place[..index.shape.len()]) as usize;
                let to = [&place[..scatter.batch], &[row], &place[index.shape.len()..]].concat();
                let flat = to.iter().zip(shape).fold(0, |flat, (i, extent)| flat * extent + i);
                out.data[flat] += values.at(&place);
            }
            out
        }
        Op::MaxIndex(op) => max_index(op, inputs[0], shape),
        Op::StopGradient(_) | Op::AsIndex(_) => inputs[0].clone(),
    }
}

/// Evaluates a program by naive loops.
pub(crate) fn interpret(program: &Program, arguments: &[Array]) -> Vec<Array> {
    let mut values: Vec<Array> = Vec::new();
    for entry in &program.nodes {
        let inputs: Vec<&Array> = entry.inputs.iter().map(|id| &values[id.position()]).collect();
        let value = match &entry.op {
            Op::Input(input) => arguments[input.position].clone(),
            op => node(op, &inputs, &entry.ty.shape),
        };
        assert_eq!(value.shape, entry.ty.shape, "{:?}", entry.op);
        values.push(value);
    }
    program.outputs.iter().map(|id| values[id.position()].clone()).collect()
}

/// Evaluates a program by the compiler and the kernels, in the precision `T`.
pub(crate) fn run<T: thalweg_kernel::Real>(program: &Program, arguments: &[Array]) -> Vec<Array> {
    let types = program.input_types();
    let real: Vec<Vec<T>> = types
        .iter()
        .zip(arguments)
        .filter(|(ty, _)| ty.element == Element::Real)
        .map(|(_, array)| array.data.iter().map(|&x| T::from_f64(x)).collect())
        .collect();
    let index: Vec<Vec<i32>> = types
        .iter()
        .zip(arguments)
        .filter(|(ty, _)| ty.element == Element::Index)
        .map(|(_, array)| array.data.iter().map(|&x| x as i32).collect())
        .collect();
    let shapes: Vec<Vec<usize>> = program.output_types().iter().map(|ty| ty.shape.clone()).collect();
    let mut outputs: Vec<Vec<T>> =
        shapes.iter().map(|shape| vec![T::from_f64(f64::NAN); shape.iter().product()]).collect();
    let executable = thalweg_program::evaluate::Executable::<T>::of(program);
    let real: Vec<&[T]> = real.iter().map(|v| &v[..]).collect();
    let index: Vec<&[i32]> = index.iter().map(|v| &v[..]).collect();
    let mut slices: Vec<&mut [T]> = outputs.iter_mut().map(|v| &mut v[..]).collect();
    executable.run(&real, &index, &mut slices);
    shapes
        .into_iter()
        .zip(outputs)
        .map(|(shape, data)| Array { shape, data: data.into_iter().map(T::to_f64).collect() })
        .collect()
}

/// Largest difference, relative to the largest magnitude in either (or to 1).
pub(crate) fn distance(a: &[Array], b: &[Array]) -> f64 {
    assert_eq!(a.len(), b.len());
    let mut worst: f64 = 0.0;
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.shape, b.shape);
        let scale = a.data.iter().chain(&b.data).fold(1.0, |m: f64, x| m.max(x.abs()));
        for (x, y) in a.data.iter().zip(&b.data) {
            if x != y && !(x.is_nan() && y.is_nan()) {
                let difference = (x - y).abs() / scale;
                worst = if difference.is_nan() { f64::INFINITY } else { worst.max(difference) };
            }
        }
    }
    worst
}
