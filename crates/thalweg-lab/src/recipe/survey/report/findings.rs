//! The few numbers that a survey exists for.

use thalweg_geometry::section::Curve;
use thalweg_geometry::site::Outcome;
use thalweg_geometry::spectrum::Eigenpair;
use thalweg_learn::loss::Loss;
use thalweg_learn::schedule::Schedule;
use thalweg_report::humane;

use super::finding::{Finding, bounded};
use super::{Inputs, Readings, guess, guess_name, loss_unit};

/// The loss's unit as findings have it: `1` where it has none.
fn unit(inputs: &Inputs) -> &'static str {
    match loss_unit(inputs) {
        "" => "1",
        unit => unit,
    }
}

/// Those that the readings allow, the most asked for first.
pub(super) fn all(inputs: &Inputs, readings: &Readings) -> Vec<Finding> {
    let mut findings = ends(inputs, readings);
    line(inputs, readings, &mut findings);
    trajectory(readings, &mut findings);
    curvature(inputs, readings, &mut findings);
    findings
}

/// A loss behind words, with its unit.
fn spelled(inputs: &Inputs, words: &str, loss: f64) -> String {
    format!("{words} {} {}", humane(loss, 3), loss_unit(inputs)).trim_end().to_owned()
}

fn ends(inputs: &Inputs, readings: &Readings) -> Vec<Finding> {
    let training = &readings.training.value;
    let mut findings = Vec::new();
    if let Some(divergence) = readings.divergence() {
        let meaning = format!("{divergence}. There is no solution: what needs one was not measured.");
        findings.push(
            Finding::new("training diverged", divergence.step as f64, 3, "steps", meaning)
                .reads(format!("step {}", divergence.step)),
        );
    }
    let last = training.step.len() - 1;
    if readings.has_learned_nothing(inputs) {
        let highest = training.loss_train.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        findings.push(
            Finding::new(
                "no better than a guess",
                training.loss_train[last],
                3,
                unit(inputs),
                format!(
                    "The training loss ends no lower than a {} has it, {}; the highest at a checkpoint was {}. What \
                     is called the solution here is only where training ended. A lower learning rate may train.",
                    guess_name(inputs),
                    humane(guess(inputs), 3),
                    humane(highest, 3)
                ),
            )
            .reads(spelled(inputs, "loss", training.loss_train[last])),
        );
    }
    if let Some([before, after]) = readings.rose(inputs) {
        let meaning = format!(
            "The training loss rose from {} to {}: what is called the solution here is a worse place than the start. A lower \
             learning rate may keep it.",
            humane(before, 3),
            humane(after, 3)
        );
        findings.push(
            Finding::new("worse than the start", after - before, 3, unit(inputs), meaning).reads(spelled(
                inputs,
                "loss +",
                after - before,
            )),
        );
    }
    let when = if readings.divergence().is_some() { "at the last checkpoint" } else { "at the solution" };
    for (name, losses) in [("train", &training.loss_train), ("test", &training.loss_test)] {
        let meaning = format!("Mean loss {when}; it was {} at initialisation.", humane(losses[0], 3));
        findings.push(Finding::new(&format!("loss, {name}"), losses[last], 3, unit(inputs), meaning));
    }
    for (name, errors) in [("train", &training.error_train), ("test", &training.error_test)] {
        // Outputs that are not numbers are neither right nor wrong.
        if errors[last].is_nan() {
            continue;
        }
        let before = humane(100.0 * errors[0], 3);
        let meaning = format!("Examples misclassified {when}; {before} % at initialisation.");
        findings.push(Finding::new(&format!("error, {name}"), 100.0 * errors[last], 3, "%", meaning));
    }
    findings
}

fn line(inputs: &Inputs, readings: &Readings, findings: &mut Vec<Finding>) {
    let Some(reading) = &readings.line else { return };
    let unit = unit(inputs);
    for curve in &reading.value.curves {
        findings.push(monotonic(inputs, curve));
    }
    for curve in &reading.value.curves {
        let barrier = curve.barrier_loss;
        findings.push(Finding::new(
            &format!("barrier on the line, {}", curve.name),
            barrier.entezari,
            3,
            unit,
            format!(
                "Most that the loss lies above the chord between its ends (Entezari et al. 2022). The highest loss on the line \
                 (the saddle of Draxler et al. 2018) is {} at α = {}.",
                humane(barrier.saddle, 3),
                humane(barrier.alpha_saddle, 2)
            ),
        ));
    }
    if let Some(length) = reading.value.curves.first().and_then(|curve| curve.gauss_length) {
        let criterion = match inputs.setup.plan.recipe.loss {
            Loss::CrossEntropy | Loss::SmoothedCrossEntropy { .. } => "",
            Loss::HalfMeanSquare | Loss::Reconstruction => {
                " Where a squared error ends at 0, an example whose length is below π/2 has a loss that falls monotonically \
                 (Lucas et al. 2021): a criterion for each example, not for the mean."
            }
        };
        findings.push(Finding::new(
            "Gauss length, train",
            length.turning,
            3,
            "rad",
            format!(
                "How much an example's outputs turn on the line, mean over examples, as the turning angle of the polyline ({} \
                 by smooth quadrature, which overrates kinks). It is below π/2 for {} % of the examples.{criterion}",
                humane(length.smooth, 3),
                humane(100.0 * length.share_below_half_pi, 3)
            ),
        ));
    }
    let distance = reading.value.distance;
    if let Some(over_start) = distance.over_start {
        let absolute = humane(distance.absolute, 3);
        let meaning =
            format!("‖θ* − θ₀‖ over the norm of the initial parameters; {absolute} in absolute units.");
        findings.push(Finding::new("distance travelled", over_start, 3, "‖θ₀‖", meaning));
    }
}

fn monotonic(inputs: &Inputs, curve: &Curve) -> Finding {
    let rise = curve.rise;
    let meaning = if curve.is_monotonic {
        let config = &inputs.config.line;
        let tolerance = humane(config.rise_tolerance, 1);
        format!(
            "At none of the {} points is the loss more than {tolerance} above a point before it.",
            config.points
        )
    } else {
        format!(
            "The loss rises by {} {} between α = {} and α = {}.",
            humane(rise.size, 3),
            loss_unit(inputs),
            humane(rise.alpha_from, 2),
            humane(rise.alpha_to, 2)
        )
    };
    let text = if curve.is_monotonic { "yes".to_owned() } else { spelled(inputs, "no, Δ =", rise.size) };
    Finding::new(&format!("line is monotonic, {}", curve.name), rise.size, 3, unit(inputs), meaning)
        .reads(text)
}

fn trajectory(readings: &Readings, findings: &mut Vec<Finding>) {
    let Some(axes) = readings.trajectory.as_ref().and_then(|readings| readings.axes.as_ref()) else { return };
    let explained: Vec<String> =
        axes.value.explained.iter().map(|share| format!("{} %", humane(100.0 * share, 3))).collect();
    findings.push(Finding::new(
        "trajectory off its plane",
        100.0 * axes.value.off_plane_total,
        3,
        "%",
        format!(
            "Share of the checkpoints' squared displacement from the solution that the plane of the first two principal \
             components leaves out; they carry {}. Every checkpoint counts once, so the first ones, far from the solution, make up most \
             of the sum.",
            explained.join(" and ")
        ),
    ));
    findings.push(Finding::new(
        "off the plane, median checkpoint",
        100.0 * super::off_plane_median(&axes.value),
        3,
        "%",
        "Length of a checkpoint's part outside the plane over its whole distance from the solution; half of the checkpoints \
         lie further off.",
    ));
}

fn curvature(inputs: &Inputs, readings: &Readings, findings: &mut Vec<Finding>) {
    let unit = unit(inputs);
    let mut push = |name: &str, pair: Option<&Eigenpair>, outcome: Outcome, meaning: &str| {
        let Some(pair) = pair else { return };
        findings.push(Finding {
            bound: Some(pair.residual),
            text: bounded(pair.value, pair.residual),
            outcome: Some(outcome),
            ..Finding::new(
                name,
                pair.value,
                4,
                unit,
                format!(
                    "{meaning} An eigenvalue lies within {} of it (residual in f64).",
                    humane(pair.residual, 1)
                ),
            )
        });
    };
    let start = &readings.spectrum_start;
    push(
        "λ_max at initialisation",
        start.value.largest.first(),
        start.outcome,
        "Sharpness: the largest eigenvalue of the Hessian of the training loss.",
    );
    let Some(end) = &readings.spectrum_end else { return };
    push("λ_max at the solution", end.value.largest.first(), end.outcome, "The same after training.");
    let lowest = end.value.smallest.first();
    let meaning = match lowest {
        Some(pair) if pair.value < -pair.residual => {
            "The most negative curvature; at a strict minimum there would be none."
        }
        Some(pair) if pair.value <= pair.residual => "The smallest eigenvalue is 0 as far as can be told.",
        _ => "The smallest eigenvalue: the loss curves up in every direction.",
    };
    push("λ_min at the solution", lowest, end.outcome, meaning);
    let [Some(before), Some(after)] = [start, end].map(|reading| reading.value.largest.first()) else {
        return;
    };
    findings.push(Finding::new(
        "λ_max, solution over initialisation",
        after.value / before.value,
        3,
        "1",
        change(inputs, before, after),
    ));
    if let Some(threshold) = &readings.threshold {
        let given = threshold.given();
        findings.push(
            Finding::new(
                &format!("λ_max at the solution over {}", threshold.formula),
                after.value / threshold.sharpness,
                3,
                "1",
                format!(
                    "η is the highest learning rate of the run{}: above {} = {}, steps of that size diverge on a quadratic. {}",
                    if threshold.momentum == 0.0 { "" } else { " and β its momentum" },
                    threshold.formula,
                    humane(threshold.sharpness, 3),
                    stability(inputs, threshold.is_full_batch)
                ),
            )
            .reads(format!("{} ({given})", humane(after.value / threshold.sharpness, 3))),
        );
    }
}

/// What a change of sharpness says, and what it does not.
fn change(inputs: &Inputs, before: &Eigenpair, after: &Eigenpair) -> String {
    let by = after.value - before.value;
    let which = match by {
        _ if by.abs() <= before.residual + after.residual => "did not change as far as can be told",
        _ if by > 0.0 => "rose",
        _ => "fell",
    };
    let why = match inputs.setup.plan.recipe.loss {
        Loss::CrossEntropy if which == "fell" => " With cross-entropy it falls with the loss itself.",
        _ => "",
    };
    format!(
        "λ_max {which}.{why} It is not invariant under a rescaling of layers that leaves the function alone (Dinh et al. 2017), \
         so by itself it says nothing about generalisation."
    )
}

/// What is known of sharpness and learning rate under the run's circumstances.
fn stability(inputs: &Inputs, is_full_batch: bool) -> &'static str {
    let recipe = &inputs.setup.plan.recipe;
    match (recipe.loss, &recipe.schedule) {
        (Loss::CrossEntropy, _) => {
            "With cross-entropy, sharpness falls again late in training (Cohen et al. 2021), so the end says little about the \
             way there."
        }
        (Loss::SmoothedCrossEntropy { .. }, _) => {
            "Smoothed labels are fitted by finite outputs, so sharpness need not fall late in training as it does with plain \
             cross-entropy (Cohen et al. 2021)."
        }
        (Loss::HalfMeanSquare | Loss::Reconstruction, Schedule::Constant { .. }) if is_full_batch => {
            "Full-batch descent at a constant rate rises to 1 and hovers there (Cohen et al. 2021)."
        }
        (Loss::HalfMeanSquare | Loss::Reconstruction, Schedule::Constant { .. }) => {
            "Descent on small batches usually stays below 1 (Cohen et al. 2021)."
        }
        (Loss::HalfMeanSquare | Loss::Reconstruction, _) => {
            "The learning rate falls during this run, so the end is not to be compared with the highest rate."
        }
    }
}
