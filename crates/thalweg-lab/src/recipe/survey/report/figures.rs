//! The figures of a survey, by the names of their files.

use thalweg_geometry::section::{Line, Normalisation};
use thalweg_geometry::site::{Outcome, Reading};
use thalweg_geometry::spectrum::Extremes;
use thalweg_learn::loss::Loss;
use thalweg_report::{
    Axis, Curves, Dash, Eigenvalues, Figure, Mark, Marker, Path, RecordError, Series, Spectrum, Style,
    Surface, humane,
};

use super::super::plane::PlaneArrays;
use super::super::trajectory::TrajectoryReadings;
use super::{Inputs, Readings, guess, guess_name, loss_unit};

/// Names of the figures' files, without extension.
pub(super) const TRAINING_LOSS: &str = "training-loss";
pub(super) const TRAINING_ERROR: &str = "training-error";
pub(super) const TRAINING_GRADIENT: &str = "training-gradient";
pub(super) const TRAINING_DISTANCE: &str = "training-distance";
pub(super) const LINE_LOSS: &str = "line-loss";
pub(super) const LINE_ERROR: &str = "line-error";
pub(super) const PLANE_LOSS: &str = "plane-loss-train";
pub(super) const PLANE_ERROR: &str = "plane-error-test";
pub(super) const TRAJECTORY_LOSS: &str = "trajectory-loss-train";
pub(super) const TRAJECTORY_ERROR: &str = "trajectory-error-test";
pub(super) const TRAJECTORY_PROJECTED: &str = "trajectory-projected";
pub(super) const TRAJECTORY_OFF_PLANE: &str = "trajectory-off-plane";
pub(super) const SPECTRUM: &str = "spectrum";

type Named = (&'static str, Figure);

/// All that the readings allow, in the order of the page.
pub(super) fn all(inputs: &Inputs, readings: &Readings) -> Result<Vec<Named>, RecordError> {
    let mut figures = training(inputs, readings)?;
    if let Some(reading) = &readings.line {
        figures.extend(line(inputs, reading)?);
    }
    if let Some((_, arrays)) = &readings.plane {
        figures.extend(random_plane(inputs, arrays)?);
    }
    if let Some(trajectory) = &readings.trajectory {
        figures.extend(trajectory_figures(inputs, readings, trajectory)?);
    }
    figures.push((SPECTRUM, spectrum(readings)?));
    if !inputs.setup.plan.recipe.loss.has_classes() {
        // Nothing is misclassified: pictures of errors would be empty.
        figures.retain(|(name, _)| ![TRAINING_ERROR, PLANE_ERROR, TRAJECTORY_ERROR].contains(name));
    }
    Ok(figures)
}

fn style(color: usize, dash: Dash) -> Style {
    Style { color: Some(color), dash, marker: Marker::Auto }
}

fn loss_axis(inputs: &Inputs, label: &str) -> Axis {
    match loss_unit(inputs) {
        "" => Axis::new(label),
        unit => Axis::new(label).unit(unit),
    }
}

fn percent(shares: &[f64]) -> Vec<f64> {
    shares.iter().map(|share| 100.0 * share).collect()
}

/// The pair of lines that most figures have.
fn train_and_test(figure: Curves, x: &[f64], train: Vec<f64>, test: Vec<f64>) -> Result<Curves, RecordError> {
    Ok(figure
        .with(Series::new("train", x.to_vec(), train)?.style(style(0, Dash::Solid)))
        .with(Series::new("test", x.to_vec(), test)?.style(style(1, Dash::Dashed))))
}

fn training(inputs: &Inputs, readings: &Readings) -> Result<Vec<Named>, RecordError> {
    let training = &readings.training.value;
    let x: Vec<f64> = training.step.iter().map(|&step| step as f64).collect();
    let marked = |figure: Curves| match readings.divergence() {
        Some(divergence) => figure.mark(Mark::x(divergence.step as f64, "diverged")),
        None => figure,
    };
    let steps = || Axis::new("step").sym_log();
    let mut loss = Curves::new("Loss during training", steps(), loss_axis(inputs, "loss").log()).caption(
        "Mean loss over the whole training set and the whole test set at every checkpoint. Both axes are \
         logarithmic (the step's is linear near 0), so the first steps and the last epochs can be read in one \
         picture. Where the test line leaves the training line, the network begins to fit what does not generalise.",
    );
    let label = match inputs.setup.plan.recipe.loss {
        Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => {
            format!("ln {}: {}", inputs.setup.data.train.classes(), guess_name(inputs))
        }
        Loss::HalfMeanSquare | Loss::Reconstruction => guess_name(inputs).to_owned(),
    };
    loss = loss.mark(Mark::y(guess(inputs), label));
    let loss = train_and_test(loss, &x, training.loss_train.clone(), training.loss_test.clone())?;

    let error = Curves::new("Error during training", steps(), Axis::new("misclassified").unit("% of examples"))
        .caption(
            "Share of examples whose label does not have the largest output, at every checkpoint. Once the training error \
             is 0, the training loss can go on falling: then only the confidence grows.",
        );
    let error = train_and_test(error, &x, percent(&training.error_train), percent(&training.error_test))?;

    let gradient = Curves::new("Gradient norm", steps(), Axis::new("‖∇L‖").log())
        .caption(
            "Euclidean norm of the gradient of the mean training loss, over the whole training set, at every \
             checkpoint. A landscape that flattens towards its minimum shows a norm that falls with the loss.",
        )
        .with(Series::new("train", x.clone(), training.gradient_norm.clone())?.style(style(0, Dash::Solid)));

    let start = training.norm[0];
    let relative: Vec<f64> = training.distance.iter().map(|distance| distance / start).collect();
    let norms: Vec<f64> = training.norm.iter().map(|norm| norm / start).collect();
    let distance = Curves::new("How far θ has moved", steps(), Axis::new("length over ‖θ₀‖"))
        .caption(
            "Distance ‖θ − θ₀‖ from the initialisation and norm ‖θ‖ of the parameters, both over ‖θ₀‖. A distance well \
             below 1 means that training stayed near where it began; a norm that keeps growing means that the loss is \
             still being lowered by scaling the outputs up.",
        )
        .with(Series::new("‖θ − θ₀‖", x.clone(), relative)?.style(style(0, Dash::Solid)))
        .with(Series::new("‖θ‖", x, norms)?.style(style(1, Dash::Dashed)));

    Ok(vec![
        (TRAINING_LOSS, marked(loss).into()),
        (TRAINING_ERROR, marked(error).into()),
        (TRAINING_GRADIENT, marked(gradient).into()),
        (TRAINING_DISTANCE, marked(distance).into()),
    ])
}

fn line(inputs: &Inputs, reading: &Reading<Line>) -> Result<Vec<Named>, RecordError> {
    let line = &reading.value;
    let position = || Axis::new("position α on the line");
    let ends = |figure: Curves| figure.mark(Mark::x(0.0, "initialisation")).mark(Mark::x(1.0, "solution"));
    let curves: Vec<_> = line.curves.iter().collect();
    let [train, test] = curves[..] else { return Ok(Vec::new()) };
    let losses = ends(Curves::new("Loss along the straight line", position(), loss_axis(inputs, "loss"))).caption(
        "Loss at θ(α) = (1−α)θ₀ + αθ*. Training did not walk along this line: it is what someone would see who knew \
         the solution and went there straight. A curve that only falls is called monotonic linear interpolation; a \
         hump is a barrier.",
    );
    let losses = train_and_test(losses, &line.alphas, train.losses.clone(), test.losses.clone())?;
    let mut named = vec![(LINE_LOSS, losses.into())];
    if let (Some(of_train), Some(of_test)) = (&train.errors, &test.errors) {
        let axis = Axis::new("misclassified").unit("% of examples");
        let errors = ends(Curves::new("Error along the straight line", position(), axis)).caption(
            "Share of misclassified examples on the straight line from initialisation (α = 0) to solution (α = 1). Compare it with the loss, which can sink or rise while no \
             decision changes.",
        );
        named.push((
            LINE_ERROR,
            train_and_test(errors, &line.alphas, percent(of_train), percent(of_test))?.into(),
        ));
    }
    Ok(named)
}

fn random_plane(inputs: &Inputs, arrays: &PlaneArrays) -> Result<Vec<Named>, RecordError> {
    let normalisation = inputs.config.plane.normalisation.name();
    let unit = match inputs.config.plane.normalisation {
        Normalisation::FilterWise => {
            "A unit step changes every row of weights by as much as its own length, which takes a rescaling of ReLU layers \
             out of the picture; Li et al. (2018) compare networks by such pictures, with biases and other scales left out."
        }
        Normalisation::LayerWise => {
            "A unit step changes every layer's weights by as much as their own length."
        }
        Normalisation::WholeModel => "A unit step is as long as θ* itself.",
        Normalisation::None => "A unit step is as long as a Gaussian vector, whatever the length of θ*.",
    };
    let axes = |z: Axis| [Axis::new("step a along u"), Axis::new("step b along v"), z];
    let loss = Surface::new(
        "Training loss around the solution",
        axes(loss_axis(inputs, "training loss").log()),
        arrays.a.clone(),
        arrays.b.clone(),
        arrays.loss_train.clone(),
    )?
    .caption(format!(
        "Training loss at θ* + a·u + b·v for two random directions with {normalisation} normalisation. The solution \
         lies at (0, 0). {unit} Colours and contour lines are logarithmic."
    ))
    .point("solution", 0.0, 0.0);
    let error = Surface::new(
        "Test error around the solution",
        axes(Axis::new("test error").unit("% of examples")),
        arrays.a.clone(),
        arrays.b.clone(),
        percent(&arrays.error_test),
    )?
    .caption(
        "Share of misclassified test examples over the plane of the same two random directions as the training loss around the \
         solution. Compare its flat region with that of the loss: the \
         error does not change as long as no decision does.",
    )
    .point("solution", 0.0, 0.0);
    Ok(vec![(PLANE_LOSS, loss.into()), (PLANE_ERROR, error.into())])
}

/// The trajectory as a path on a plane, with words at some checkpoints.
fn trajectory_path(inputs: &Inputs, trajectory: &TrajectoryReadings) -> Result<Option<Path>, RecordError> {
    let Some(axes) = &trajectory.axes else { return Ok(None) };
    let along = |k: usize| -> Vec<f64> {
        axes.value.coordinates.iter().map(|coordinates| coordinates.get(k).copied().unwrap_or(0.0)).collect()
    };
    let last = inputs.setup.plan.steps;
    let mut next = 10;
    let label = |&step: &u64| {
        // Decades only, and not the first: checkpoints crowd at both ends.
        if step == 0 || step == last {
            return String::new();
        }
        if step >= next && step * 2 < last {
            next = next.max(step) * 10;
            return format!("step {step}");
        }
        String::new()
    };
    let labels = trajectory.steps.iter().map(label).collect();
    Ok(Some(Path::new("checkpoints", along(0), along(1))?.labels(labels)?))
}

fn trajectory_figures(
    inputs: &Inputs,
    readings: &Readings,
    trajectory: &TrajectoryReadings,
) -> Result<Vec<Named>, RecordError> {
    let mut figures = Vec::new();
    let Some(axes) = &trajectory.axes else { return Ok(figures) };
    let explained = &axes.value.explained;
    let share = |k: usize| format!("{} %", humane(100.0 * explained.get(k).copied().unwrap_or(0.0), 3));
    if let (Some(arrays), Some(path)) = (&readings.trajectory_plane, trajectory_path(inputs, trajectory)?) {
        let start = (path.xs()[0], path.ys()[0]);
        let surface = |title: &str, z: Axis, heights: Vec<f64>, caption: String| {
            let axes = [
                Axis::new(format!("first principal component ({})", share(0))),
                Axis::new(format!("second principal component ({})", share(1))),
                z,
            ];
            Ok::<Figure, RecordError>(
                Surface::new(title, axes, arrays.a.clone(), arrays.b.clone(), heights)?
                    .caption(caption)
                    .path(path.clone())
                    .point("initialisation", start.0, start.1)
                    .point("solution", 0.0, 0.0)
                    .into(),
            )
        };
        figures.push((
            TRAJECTORY_LOSS,
            surface(
                "Training loss where the trajectory went",
                loss_axis(inputs, "training loss").log(),
                arrays.loss_train.clone(),
                format!(
                    "Training loss over the plane through the solution that the first two principal components of the \
                     checkpoints' displacements from it span, with the checkpoints projected onto it. The components \
                     carry {} and {} of the squared displacement. Both axes are Euclidean lengths in the space of parameters. The colour under a \
                     checkpoint is the loss at its projection, not at the checkpoint itself.",
                    share(0),
                    share(1)
                ),
            )?,
        ));
        figures.push((
            TRAJECTORY_ERROR,
            surface(
                "Test error where the trajectory went",
                Axis::new("test error").unit("% of examples"),
                percent(&arrays.error_test),
                "Share of misclassified test examples over the plane through the solution that the first two principal components of the \
                 checkpoints' displacements from it span, with the checkpoints projected onto it.".to_owned(),
            )?,
        ));
    }
    let x: Vec<f64> = trajectory.steps.iter().map(|&step| step as f64).collect();
    let steps = || Axis::new("step").sym_log();
    if trajectory.losses_projected.len() == x.len() {
        let figure = Curves::new("What the plane hides", steps(), loss_axis(inputs, "training loss").log())
            .caption(
                "Training loss at the checkpoints and at their projections onto the plane. The gap is what the picture \
                 of the plane does not show; at θ*, which lies in the plane, there is none.",
            )
            .with(
                Series::new("at the checkpoint", x.clone(), readings.training.value.loss_train.clone())?
                    .style(style(0, Dash::Solid)),
            )
            .with(
                Series::new("at its projection", x.clone(), trajectory.losses_projected.clone())?
                    .style(style(2, Dash::Dashed)),
            );
        figures.push((TRAJECTORY_PROJECTED, figure.into()));
    }
    // The last checkpoint is the origin: its displacement is 0 and has no part.
    let count = x.len() - 1;
    let figure = Curves::new(
        "Off the plane",
        steps(),
        Axis::new("off the plane").unit("% of the distance to θ*"),
    )
    .caption(
        "Length of each checkpoint's part outside the plane over its whole distance from θ*. Near 100 %, the \
             projection says almost nothing about where the checkpoint is.",
    )
    .with(
        Series::new("off the plane", x[..count].to_vec(), percent(&axes.value.off_plane[..count]))?
            .style(style(0, Dash::Solid)),
    );
    figures.push((TRAJECTORY_OFF_PLANE, figure.into()));
    Ok(figures)
}

fn spectra(readings: &Readings) -> impl Iterator<Item = &Reading<Extremes>> {
    std::iter::once(&readings.spectrum_start).chain(&readings.spectrum_end)
}

/// What is known of the residuals of all that is drawn.
fn residuals(readings: &Readings) -> String {
    let pairs =
        spectra(readings).flat_map(|reading| reading.value.largest.iter().chain(&reading.value.smallest));
    let largest = pairs.map(|pair| pair.residual).fold(0.0, f64::max);
    format!("Within its residual ‖Hv − λv‖ of each, at most {}, lies an eigenvalue.", humane(largest, 1))
}

/// What must not be concluded where a search ran out of budget.
fn unresolved(readings: &Readings) -> &'static str {
    match spectra(readings).any(|reading| !matches!(reading.outcome, Outcome::Converged)) {
        true => " A search did not come to its end: others may lie between and beyond those shown.",
        false => "",
    }
}

fn spectrum(readings: &Readings) -> Result<Figure, RecordError> {
    let group = |name: &str, reading: &Reading<Extremes>| {
        let pairs: Vec<_> = reading.value.largest.iter().chain(&reading.value.smallest).collect();
        Eigenvalues::new(name, pairs.iter().map(|pair| pair.value).collect())
            .residuals(pairs.iter().map(|pair| pair.residual).collect())
    };
    let found = &readings.spectrum_start.value;
    let mut figure = Spectrum::new(
        "Both ends of the Hessian's spectrum",
        Axis::new("eigenvalue λ of the Hessian of the training loss").sym_log(),
    )
    .caption(format!(
        "The {} largest and the {} smallest of {} eigenvalues, repeated ones as often as they were found; the bulk between \
         them is not shown. The axis is logarithmic on both sides of 0. {}{}",
        found.largest.len(),
        found.smallest.len(),
        found.dimension,
        residuals(readings),
        unresolved(readings)
    ))
    .with(group("at initialisation", &readings.spectrum_start)?);
    if let Some(end) = &readings.spectrum_end {
        figure = figure.with(group("at the solution", end)?);
    }
    if let Some(threshold) = &readings.threshold {
        let label = format!("{} = {}", threshold.formula, humane(threshold.sharpness, 3));
        figure = figure.mark(threshold.sharpness, label);
    }
    Ok(figure.into())
}
