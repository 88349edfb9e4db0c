//! Made-up records with the shapes of real ones.

use thalweg_report::{
    Axis, Curves, Dash, Eigenvalues, Figure, Mark, Marker, Page, Path, RecordError, Series, Spectrum, Style,
    Surface,
};

/// A small deterministic noise in (−1, 1).
fn noise(k: usize) -> f64 {
    let mut s = (k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    s = (s ^ (s >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    s = (s ^ (s >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (s >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn grid(n: usize, from: f64, to: f64) -> Vec<f64> {
    (0..n).map(|k| from + (to - from) * k as f64 / (n - 1) as f64).collect()
}

fn training() -> Result<Figure, RecordError> {
    let steps: Vec<f64> = (0..=60).map(|k| f64::from(k) * 500.0).collect();
    let decay = |s: f64, rate: f64, floor: f64| 2.3 * (-s / rate).exp() + floor + 0.25 / (1.0 + s / 800.0);
    let mut figure = Curves::new("Loss during training", Axis::new("step"), Axis::new("loss").unit("nats").log())
        .caption(
            "Mean cross-entropy of ResNet-20 on CIFAR-10, measured every 500 steps over the whole set in evaluation \
             mode. Lines are medians of five seeds, bands reach from the least to the greatest. The learning rate is \
             divided by ten where the dashed lines stand.",
        )
        .mark(Mark::x(20_000.0, "lr ÷ 10"))
        .mark(Mark::x(25_000.0, "lr ÷ 10"));
    for (k, (name, rate, floor)) in [("train", 2600.0, 0.004), ("test", 2300.0, 0.31)].into_iter().enumerate()
    {
        let y: Vec<f64> = steps
            .iter()
            .enumerate()
            .map(|(i, s)| {
                decay(*s, rate, floor) * (1.0 + 0.05 * noise(i + 100 * k)) * if *s > 2e4 { 0.6 } else { 1.0 }
            })
            .collect();
        let lower = y.iter().map(|v| v * 0.82).collect();
        let upper = y.iter().map(|v| v * 1.22).collect();
        figure = figure.with(Series::new(name, steps.clone(), y)?.band(lower, upper)?);
    }
    Ok(figure.into())
}

fn barrier() -> Result<Figure, RecordError> {
    let alpha = grid(51, -0.25, 1.25);
    let bump = |a: f64, height: f64, floor: f64, wall: f64| {
        let outside = (-a).max(a - 1.0).max(0.0);
        floor + height * (std::f64::consts::PI * a.clamp(0.0, 1.0)).sin().powi(2) + wall * outside * outside
    };
    let solid = |color| Style { color: Some(color), dash: Dash::Solid, marker: Marker::None };
    let dashed = |color| Style { color: Some(color), dash: Dash::Dashed, marker: Marker::None };
    let curve = |name: &str, h, f, w, style| {
        let y = alpha.iter().map(|a| bump(*a, h, f, w)).collect();
        Series::new(name, alpha.clone(), y).map(|series| series.style(style))
    };
    let figure = Curves::new(
        "Two solutions, one segment",
        Axis::new("position α between solution A (0) and B (1)"),
        Axis::new("loss").unit("nats"),
    )
    .caption(
        "Loss along θ(α) = (1−α) A + α B for two copies that saw the data in different orders from the start, and \
         for two that shared their first 2000 steps. Statistics of batch normalisation are re-estimated at every α. \
         The barrier is the height of the hump over the chord between its ends.",
    )
    .with(curve("train, apart from step 0", 1.74, 0.012, 9.0, solid(0))?)
    .with(curve("test, apart from step 0", 1.52, 0.33, 9.5, dashed(0))?)
    .with(curve("train, apart from step 2000", 0.03, 0.011, 8.0, solid(1))?)
    .with(curve("test, apart from step 2000", -0.02, 0.34, 8.4, dashed(1))?)
    .mark(Mark::x(0.0, "A"))
    .mark(Mark::x(1.0, "B"))
    .mark(Mark::y(10f64.ln(), "ln 10: chance"));
    Ok(figure.into())
}

fn instability() -> Result<Figure, RecordError> {
    let k = vec![0.0, 100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];
    let names = ["dense", "IMP, 16.8 %", "random mask, 16.8 %", "re-initialised, 16.8 %"];
    let mut figure = Curves::new(
        "Instability against the step of the split",
        Axis::new("step k at which the copies part").sym_log(),
        Axis::new("instability").unit("% points of test error"),
    )
    .caption(
        "Highest error on the segment between two copies minus the mean of their own errors, by the step at which \
         they part. Below two points the network counts as stable to the noise of SGD.",
    )
    .mark(Mark::y(2.0, "2 points: stable below"));
    for (row, name) in names.into_iter().enumerate() {
        let height: f64 = [60.0, 48.0, 72.0, 76.0][row];
        let scale: f64 = [500.0, 380.0, 6000.0, 20_000.0][row];
        let mut y: Vec<f64> =
            k.iter().map(|k| height / (1.0 + (k / scale).powi(2)) + noise(row) * 0.4 + 0.6).collect();
        if row == 3 {
            y[5] = f64::NAN;
        }
        figure = figure.with(Series::new(name, k.clone(), y)?);
    }
    Ok(figure.into())
}

fn valley() -> Result<Figure, RecordError> {
    let axis = grid(51, -1.0, 1.0);
    let loss = |x: f64, y: f64| {
        let bowl = 3.0 * x * x + 5.0 * y * y * (1.0 + x * x) + 0.8 * (3.0 * x).sin() * y;
        0.02 + bowl * (1.0 + 0.25 * (4.0 * x + 1.0).cos() * (3.0 * y).sin()).abs()
    };
    let mut heights: Vec<f64> = axis.iter().flat_map(|y| axis.iter().map(move |x| loss(*x, *y))).collect();
    for k in [0, 1, 2, 51, 52, 102] {
        heights[k] = f64::INFINITY;
    }
    let axes =
        [Axis::new("step along δ"), Axis::new("step along η"), Axis::new("training loss").unit("nats").log()];
    let epochs = 24;
    let path_x: Vec<f64> = (0..=epochs).map(|k| 0.85 * (-f64::from(k) / 7.0).exp() - 0.005).collect();
    let path_y: Vec<f64> =
        (0..=epochs).map(|k| 0.7 * (-f64::from(k) / 4.0).exp() * (f64::from(k) / 3.0).cos()).collect();
    let labels =
        (0..=epochs).map(|k| if k % 6 == 0 { format!("epoch {k}") } else { String::new() }).collect();
    let surface = Surface::new("The valley that SGD walks down", axes, axis.clone(), axis, heights)?
        .caption(
            "Training loss of ResNet-20 around its solution on a plane of two filter-normalised random directions, 51 \
             × 51 points, with the trajectory of SGD projected orthogonally onto it. Colours and lines are \
             logarithmic. Both directions are orthogonal in the Euclidean norm.",
        )
        .path(Path::new("SGD, one dot an epoch", path_x, path_y)?.labels(labels)?)
        .point("solution", 0.0, 0.0);
    Ok(surface.into())
}

fn two_basins() -> Result<Figure, RecordError> {
    let (xs, ys) = (grid(71, -0.4, 1.4), grid(45, -0.5, 0.75));
    let well = |x: f64, y: f64, cx: f64, cy: f64, s: f64| (-((x - cx).powi(2) + (y - cy).powi(2)) / s).exp();
    let error = |x: f64, y: f64| {
        let ridge = 62.0 - 52.0 * well(x, y, 0.0, 0.0, 0.09) - 52.5 * well(x, y, 1.0, 0.0, 0.09);
        let bend = ((x - 0.5).powi(2) / 0.36 + (y - 0.1).powi(2) / 0.16 - 1.0).abs();
        let tunnel = if y > -0.05 { 46.0 * (-bend * bend / 0.18).exp() } else { 0.0 };
        (ridge - tunnel).max(8.0) + 3.0 * (x * 3.0).sin() * (y * 4.0).cos() + 4.0 * y * y
    };
    let heights = ys.iter().flat_map(|y| xs.iter().map(move |x| error(*x, *y))).collect();
    let axes = [
        Axis::new("distance from A towards B").unit("‖B − A‖"),
        Axis::new("distance towards the bend"),
        Axis::new("test error").unit("%"),
    ];
    let t = grid(61, 0.0, 1.0);
    let bezier_x = t.iter().map(|t| 2.0 * t * (1.0 - t) * 0.5 + t * t).collect();
    let bezier_y = t.iter().map(|t| 2.0 * t * (1.0 - t) * 0.98).collect();
    let surface = Surface::new("A curve around the barrier", axes, xs, ys, heights)?
        .caption(
            "Test error on the plane through two solutions and the bend of a quadratic Bézier curve that was trained \
             to connect them. The straight segment crosses the ridge, the curve goes around it.",
        )
        .path(Path::new("Bézier curve", bezier_x, bezier_y)?)
        .path(Path::new("segment", vec![0.0, 1.0], vec![0.0, 0.0])?)
        .point("A", 0.0, 0.0)
        .point("B", 1.0, 0.0)
        .point("bend", 0.5, 0.49);
    Ok(surface.into())
}

fn spectra() -> Result<Figure, RecordError> {
    let start: Vec<f64> =
        (0..12).map(|k| 6.0 * 0.62f64.powi(k)).chain((0..8).map(|k| -1.2 * 0.6f64.powi(k))).collect();
    let end: Vec<f64> = (0..12)
        .map(|k| if k < 9 { 95.0 * 0.72f64.powi(k) } else { 0.6 * 0.7f64.powi(k - 9) })
        .chain((0..8).map(|k| -0.09 * 0.7f64.powi(k)))
        .collect();
    let bounds = |values: &[f64]| {
        values.iter().enumerate().map(|(k, v)| v.abs() * if k % 4 == 3 { 0.12 } else { 0.004 }).collect()
    };
    let (a, b) = (bounds(&start), bounds(&end));
    let figure = Spectrum::new("Curvature before and after training", Axis::new("eigenvalue λ of the Hessian").sym_log())
        .caption(
            "The twelve largest and the eight smallest eigenvalues of the Hessian of the training loss (mean \
             cross-entropy, 5000 examples), by Lanczos with full reorthogonalisation. λ_max grows sixteenfold; nine outliers, \
             one less than there are classes, separate from the bulk.",
        )
        .with(Eigenvalues::new("at initialisation", start).residuals(a)?)
        .with(Eigenvalues::new("at the solution", end).residuals(b)?)
        .mark(40.0, "2/η = 40");
    Ok(figure.into())
}

/// The whole gallery.
pub(crate) fn page() -> Page {
    let drawn = || -> Result<[Figure; 6], RecordError> {
        Ok([training()?, barrier()?, instability()?, valley()?, two_basins()?, spectra()?])
    };
    let [training, barrier, instability, valley, basins, spectra] =
        drawn().expect("the gallery's records are sound");
    Page::new("Where two runs part", "ResNet-20 on CIFAR-10 · a gallery from made-up numbers")
        .finding("loss barrier, train", "1.74 ± 0.03", "nats", "Highest loss on the segment over the chord, apart from step 0.")
        .finding("loss barrier, train, late split", "0.03 ± 0.01", "nats", "The same for copies that share 2000 steps: connected.")
        .finding("sharpness at the solution", "95.0", "nats", "Largest eigenvalue of the Hessian; residual bound 0.4.")
        .finding("distance", "21.4", "", "‖B − A‖ of the copies that part at step 0.")
        .section(
            "Training",
            "Two copies of one network are trained from the same initialisation. They see the same examples in \
             different orders: what drives them apart is the noise of SGD alone.\n\nThe recipe is `resnet20-cifar10`, \
             30 000 steps at batch 128.",
            [training],
        )
        .section(
            "On the segment",
            "Between solutions that parted at the start the loss rises to three quarters of chance. Between solutions \
             that parted after 2000 steps it does not rise at all.",
            [barrier, instability],
        )
        .section(
            "The landscape around",
            "Planes are two directions among 270 000: what is flat here may be steep elsewhere.",
            [valley, basins],
        )
        .section("Curvature", "The same network, at both ends of training.", [spectra])
        .convention("reduction", "mean over examples", "A sum would scale every loss and every eigenvalue by 50 000.")
        .convention("normalisation", "filter (Li et al. 2018)", "Directions have the norm of the weights, filter by filter.")
        .convention("batch norm on a path", "re-estimated", "Running statistics are reset and averaged over the training set at every point.")
        .provenance("thalweg", "0.1.0")
        .provenance("configuration", "b3:5f2c 91aa 07de 4410")
        .provenance("data", "CIFAR-10, 50 000 / 10 000")
        .provenance("seeds", "0–4")
}
