//! The few numbers that a survey exists for.

use std::f64::consts::FRAC_PI_2;

use thalweg_geometry::section::Curve;
use thalweg_geometry::site::Outcome;
use thalweg_geometry::spectrum::{Eigenpair, Extremes};
use thalweg_report::{Finding, humane};

use super::Readings;

fn finding(name: &str, value: impl Into<String>, unit: &str, meaning: impl Into<String>) -> Finding {
    Finding { name: name.to_owned(), value: value.into(), unit: unit.to_owned(), meaning: meaning.into() }
}

/// Those that the readings allow, the most asked for first.
pub(super) fn all(readings: &Readings) -> Vec<Finding> {
    let mut findings = ends(readings);
    line(readings, &mut findings);
    trajectory(readings, &mut findings);
    curvature(readings, &mut findings);
    findings
}

fn unit(readings: &Readings) -> &'static str {
    if readings.training.convention.loss.ends_with("in nats") { "nats" } else { "" }
}

fn ends(readings: &Readings) -> Vec<Finding> {
    let training = &readings.training.value;
    let mut findings = Vec::new();
    if let Some(divergence) = readings.divergence() {
        findings.push(finding(
            "training diverged",
            format!("step {}", divergence.step),
            "",
            format!("{divergence}. There is no solution: what needs one was not measured."),
        ));
    }
    let last = training.steps.len() - 1;
    let when = if readings.divergence().is_some() { "at the last checkpoint" } else { "at the solution" };
    for (name, subset) in [("train", &training.train), ("test", &training.test)] {
        findings.push(finding(
            &format!("loss, {name}"),
            humane(subset.losses[last], 3),
            unit(readings),
            format!("Mean loss {when}; it was {} at initialisation.", humane(subset.losses[0], 3)),
        ));
    }
    for (name, subset) in [("train", &training.train), ("test", &training.test)] {
        findings.push(finding(
            &format!("error, {name}"),
            humane(100.0 * subset.errors[last], 3),
            "%",
            format!(
                "Examples misclassified {when}; {} % at initialisation.",
                humane(100.0 * subset.errors[0], 3)
            ),
        ));
    }
    findings
}

fn line(readings: &Readings, findings: &mut Vec<Finding>) {
    let Some(reading) = &readings.line else { return };
    for curve in &reading.value.curves {
        findings.push(monotonic(curve, unit(readings)));
    }
    for curve in &reading.value.curves {
        let barrier = curve.barrier_loss;
        findings.push(finding(
            &format!("barrier on the line, {}", curve.name),
            humane(barrier.entezari, 3),
            unit(readings),
            format!(
                "Most that the loss lies above the chord between its ends (Entezari et al.). Above the mean of the \
                 ends (Frankle et al.): {}; the highest loss (saddle, Draxler et al.): {} at α = {}.",
                humane(barrier.frankle, 3),
                humane(barrier.saddle, 3),
                humane(barrier.alpha_saddle, 2)
            ),
        ));
    }
    if let Some(length) = reading.value.curves.first().and_then(|curve| curve.gauss_length) {
        let side = if length.turning < FRAC_PI_2 { "below" } else { "above" };
        findings.push(finding(
            "Gauss length, train",
            humane(length.turning, 3),
            "rad",
            format!(
                "How much an example's outputs turn on the line, mean over examples, as the turning angle of the \
                 polyline ({} by smooth quadrature, which overrates kinks). It is {side} π/2, below which a squared \
                 error that ends at 0 must fall monotonically (Lucas et al.).",
                humane(length.smooth, 3)
            ),
        ));
    }
    let distance = reading.value.distance;
    if let Some(over_start) = distance.over_start {
        findings.push(finding(
            "distance travelled",
            humane(over_start, 3),
            "‖θ₀‖",
            format!(
                "‖θ* − θ₀‖ over the norm of the initial parameters; {} in absolute units.",
                humane(distance.absolute, 3)
            ),
        ));
    }
}

fn monotonic(curve: &Curve, unit: &str) -> Finding {
    let rise = curve.rise;
    let meaning = if curve.is_monotonic {
        "The loss falls all the way from initialisation to solution.".to_owned()
    } else {
        format!(
            "The loss rises by {} {unit} between α = {} and α = {}.",
            humane(rise.size, 3),
            humane(rise.alpha_from, 2),
            humane(rise.alpha_to, 2)
        )
    };
    let value =
        if curve.is_monotonic { "yes".to_owned() } else { format!("no, Δ = {}", humane(rise.size, 3)) };
    finding(
        &format!("line is monotonic, {}", curve.name),
        value,
        if curve.is_monotonic { "" } else { unit },
        meaning,
    )
}

fn trajectory(readings: &Readings, findings: &mut Vec<Finding>) {
    let Some(axes) = readings.trajectory.as_ref().and_then(|readings| readings.axes.as_ref()) else { return };
    let explained: Vec<String> =
        axes.value.explained.iter().map(|share| format!("{} %", humane(100.0 * share, 3))).collect();
    findings.push(finding(
        "trajectory off its plane",
        humane(100.0 * axes.value.off_plane_total, 3),
        "%",
        format!(
            "Share of the checkpoints' squared displacement from the solution that the plane of the first two \
             principal components leaves out; they carry {}.",
            explained.join(" and ")
        ),
    ));
}

fn curvature(readings: &Readings, findings: &mut Vec<Finding>) {
    let start = &readings.spectrum_start;
    let end = readings.spectrum_end.as_ref();
    let top = |extremes: &Extremes| extremes.largest.first().map(|pair| pair.value);
    let mut push = |name: &str, pair: Option<&Eigenpair>, outcome: Outcome, meaning: &str| {
        let Some(pair) = pair else { return };
        let bound = format!("Residual bound {}.", humane(pair.residual, 2));
        let note = match outcome {
            Outcome::Converged => "",
            Outcome::BudgetSpent => " The search ended with its budget, before every pair had converged.",
            Outcome::MultiplicityUnresolved => {
                " The search ended with its budget, before it was certain that no copy of a repeated eigenvalue was passed over."
            }
            Outcome::PrecisionLimited => " The search ended at the precision of the products.",
            Outcome::NotFinite => " The search met numbers that are not finite.",
        };
        findings.push(finding(name, humane(pair.value, 4), "", format!("{meaning} {bound}{note}")));
    };
    push(
        "λ_max at initialisation",
        start.value.largest.first(),
        start.outcome,
        "Sharpness: the largest eigenvalue of the Hessian of the training loss.",
    );
    if let Some(end) = end {
        push("λ_max at the solution", end.value.largest.first(), end.outcome, "The same after training.");
        push(
            "λ_min at the solution",
            end.value.smallest.first(),
            end.outcome,
            "The most negative curvature; at a strict minimum there would be none.",
        );
    }
    let Some((before, after)) = top(&start.value).zip(end.and_then(|end| top(&end.value))) else { return };
    findings.push(finding(
        "λ_max, solution over initialisation",
        humane(after / before, 3),
        "",
        if after > before {
            "Training went to a sharper place."
        } else {
            "Training went to a flatter place."
        },
    ));
    if let Some(threshold) = &readings.threshold {
        let batch = if threshold.is_full_batch {
            "Full-batch descent hovers near 1 (Cohen et al.)."
        } else {
            "Descent on small batches usually stays below; full-batch descent would hover near 1 (Cohen et al.)."
        };
        findings.push(finding(
            &format!("λ_max at the solution over {}", threshold.formula),
            humane(after / threshold.sharpness, 3),
            "",
            format!(
                "η = {} is the highest learning rate; above {} = {}, steps of that size diverge on a quadratic. {batch}",
                threshold.lr,
                threshold.formula,
                humane(threshold.sharpness, 3)
            ),
        ));
    }
}
