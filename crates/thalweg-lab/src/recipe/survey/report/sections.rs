//! The page's prose, section by section, beside its figures.

use thalweg_geometry::site::{Outcome, Reading};
use thalweg_geometry::spectrum::Extremes;
use thalweg_learn::augment::Augmentation;
use thalweg_learn::optim::{Lbfgs, Optimiser, Rmsprop, Sam, Sgd};
use thalweg_learn::train::Recipe;
use thalweg_report::{Figure, Section, humane};

use super::super::spectrum::short_rounded;
use super::{Inputs, Readings, figures, guess, guess_name, network, references};

/// The body of the page.
pub(super) fn all(inputs: &Inputs, readings: &Readings, drawn: &[(&'static str, Figure)]) -> Vec<Section> {
    let section = |heading: &str, prose: String, names: &[&str]| Section {
        heading: heading.to_owned(),
        prose,
        figures: drawn
            .iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(_, figure)| figure.clone())
            .collect(),
    };
    vec![
        section(
            "Training",
            training(inputs, readings),
            &[
                figures::TRAINING_LOSS,
                figures::TRAINING_ERROR,
                figures::TRAINING_GRADIENT,
                figures::TRAINING_DISTANCE,
            ],
        ),
        section("The straight line", line(inputs, readings), &[figures::LINE_LOSS, figures::LINE_ERROR]),
        section(
            "A random plane",
            random_plane(inputs, readings),
            &[figures::PLANE_LOSS, figures::PLANE_ERROR],
        ),
        section(
            "The plane of the trajectory",
            trajectory(readings),
            &[
                figures::TRAJECTORY_LOSS,
                figures::TRAJECTORY_ERROR,
                figures::TRAJECTORY_PROJECTED,
                figures::TRAJECTORY_OFF_PLANE,
            ],
        ),
        section("Curvature", curvature(readings), &[figures::SPECTRUM]),
        references::section(),
    ]
}

fn adjective(subset: &str) -> &str {
    if subset == "train" { "training" } else { subset }
}

/// The optimiser in words.
fn optimiser(chosen: &Optimiser) -> String {
    let (words, weight_decay) = match chosen {
        Optimiser::Sgd(Sgd { momentum: 0.0, weight_decay, .. }) => ("SGD".to_owned(), weight_decay),
        Optimiser::Sgd(Sgd { momentum, nesterov: false, weight_decay }) => {
            (format!("SGD with momentum {momentum}"), weight_decay)
        }
        Optimiser::Sgd(Sgd { momentum, weight_decay, .. }) => {
            (format!("SGD with Nesterov momentum {momentum}"), weight_decay)
        }
        Optimiser::Adam(adam) => ("Adam".to_owned(), &adam.weight_decay),
        Optimiser::Adamw(adamw) => ("AdamW".to_owned(), &adamw.weight_decay),
        Optimiser::Rmsprop(Rmsprop { momentum: 0.0, weight_decay, .. }) => {
            ("RMSprop".to_owned(), weight_decay)
        }
        Optimiser::Rmsprop(Rmsprop { momentum, weight_decay, .. }) => {
            (format!("RMSprop with momentum {momentum}"), weight_decay)
        }
        Optimiser::Adagrad(adagrad) => ("Adagrad".to_owned(), &adagrad.weight_decay),
        Optimiser::Sam(sam) => {
            let Sam { rho, adaptive, .. } = sam;
            let name = if *adaptive { "ASAM" } else { "SAM" };
            return format!("{name} (ρ = {rho}) around {}", optimiser(&Optimiser::Sgd(sam.base())));
        }
        Optimiser::Lbfgs(Lbfgs { history, .. }) => (format!("L-BFGS with {history} pairs"), &0.0),
        Optimiser::GradientFlow(_) => {
            ("gradient flow, each as long in time as the learning rate".to_owned(), &0.0)
        }
    };
    if *weight_decay == 0.0 { words } else { format!("{words} and weight decay {weight_decay}") }
}

/// Within a sentence.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn skipped(readings: &Readings, what: &str) -> String {
    match readings.divergence() {
        Some(divergence) => format!("Not measured: {what}, and {divergence}."),
        None => format!("Not measured: {what}."),
    }
}

/// What else is done in training, in sentences that end with a space.
fn ways(recipe: &Recipe) -> String {
    let mut text = String::new();
    if let Some(longest) = recipe.clip_norm {
        text.push_str(&format!("Gradients longer than {} are shortened to that. ", short_rounded(longest)));
    }
    if let Some(Augmentation { shift, crop, flip }) = recipe.augment {
        let pixels = |count: usize| if count == 1 { "1 pixel".to_owned() } else { format!("{count} pixels") };
        let mut changes = Vec::new();
        if shift > 0 {
            changes.push(format!("shifted by up to {}", pixels(shift)));
        }
        if crop > 0 {
            changes.push(format!("cut at random out of a border of {}", pixels(crop)));
        }
        if flip {
            changes.push("mirrored half the time".to_owned());
        }
        if let Some((last, others)) = changes.split_last() {
            let changes =
                if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
            text.push_str(&format!(
                "In training images are {changes}; what is measured below is of the images as they are. "
            ));
        }
    }
    text
}

fn training(inputs: &Inputs, readings: &Readings) -> String {
    let recipe = &inputs.setup.plan.recipe;
    let batch = match inputs.setup.batch_size() {
        Some(size) => format!("batches of {size} examples"),
        None => "the whole training set in every step".to_owned(),
    };
    let start = match &inputs.config.initial.path {
        Some(path) => format!("the parameters in `{}`", path.display()),
        None => format!("random parameters drawn from seed {}", inputs.config.seed),
    };
    let (takes, end) = match readings.divergence() {
        None => ("takes", "θ* is where it ends: the solution. "),
        Some(_) => ("was to take", ""),
    };
    let ways = ways(recipe);
    let mut prose = format!(
        "The network is a {}: {} inputs, {} outputs, {} parameters that together form one vector θ. It starts at θ₀, {start}, \
         and {takes} {} steps of {}, with {batch} and a learning rate of at most {}. \
         {ways}{end}{} checkpoints on the way are kept, closely spaced at the start, where most happens.\n\nEvery number below is \
         taken at those checkpoints over whole data sets, not from the batches that training happened to see.",
        lower(&network(inputs)),
        inputs.setup.architecture.inputs(),
        inputs.setup.architecture.outputs(),
        inputs.setup.architecture.space().dimension(),
        inputs.setup.plan.steps,
        optimiser(&recipe.optimiser),
        short_rounded(inputs.setup.lr_max()),
        readings.training.value.step.len()
    );
    if readings.divergence().is_none() && readings.training.value.distance.last() == Some(&0.0) {
        prose.push_str("\n\nθ* is θ₀ to the last bit: no step was large enough to move it.");
    }
    if readings.has_learned_nothing(inputs) {
        prose.push_str(&format!(
            "\n\nThe training loss ends no lower than a {} has it, {}: θ* is where training ended, but no solution, and \
             what follows is the landscape around a failure. A lower learning rate, `--set train.lr={}`, may train.",
            guess_name(inputs),
            humane(guess(inputs), 3),
            short_rounded(inputs.config.train.lr / 10.0)
        ));
    }
    if let Some([before, after]) = readings.rose(inputs) {
        prose.push_str(&format!(
            "\n\nThe training loss ends above where it began, {} after {}: what is called the solution here is a worse place \
             than the start. A lower learning rate may keep it.",
            humane(after, 3),
            humane(before, 3)
        ));
    }
    if let Some(divergence) = readings.divergence() {
        prose.push_str(&format!(
            "\n\nHere {divergence}. That is a result, not a failure of the survey: everything up to the last checkpoint \
             was measured. A lower learning rate, `--set train.lr={}`, may train.",
            short_rounded(inputs.config.train.lr / 10.0)
        ));
    }
    prose
}

fn line(inputs: &Inputs, readings: &Readings) -> String {
    let Some(reading) = &readings.line else {
        return skipped(readings, "the line needs a solution");
    };
    let mut prose = "How would the loss change on the straight way from θ₀ to θ*? Gradient descent takes another way, but if \
                     even the straight one only descends, then on this line nothing stood between the start and this solution \
                     (Goodfellow, Vinyals & Saxe 2015)."
        .to_owned();
    for curve in &reading.value.curves {
        let rise = curve.rise;
        prose.push_str(&if curve.is_monotonic {
            format!(
                "\n\nHere the {} loss at each of the {} points is at most {} above any before.",
                adjective(&curve.name),
                reading.value.alphas.len(),
                humane(inputs.config.line.rise_tolerance, 1)
            )
        } else {
            format!(
                "\n\nHere the {} loss rises by {} between α = {} and α = {}.",
                adjective(&curve.name),
                humane(rise.size, 3),
                humane(rise.alpha_from, 2),
                humane(rise.alpha_to, 2)
            )
        });
    }
    prose.push_str(
        "\n\nThe Gauss length in the table measures how much each example's outputs turn on this line: 0 if they move \
         straight towards their end, π if they go round a half circle. Short lengths and short distances in weight \
         space go with monotonic lines (Lucas et al. 2021).",
    );
    prose
}

fn random_plane(inputs: &Inputs, readings: &Readings) -> String {
    let Some((planes, _)) = &readings.plane else {
        return skipped(readings, "the plane lies around a solution");
    };
    let summary = &planes.train.value;
    let angle = summary.frame.angle_rad.map_or_else(String::new, |angle| {
        format!(" The two directions meet at {}°.", humane(angle.to_degrees(), 3))
    });
    let mut prose = format!(
        "Two random directions u and v span a plane through the solution. They are drawn from a Gaussian and scaled \
         ({} normalisation), so that one unit means a change as large as the weights that move.{angle}\n\nWhat to look \
         for: is the bowl round or long, are its walls steep, are there other basins? What not to conclude: that the \
         landscape looks like this in general. The plane shows 2 of {} directions. The curvature along a random direction is a \
         weighted mean of all eigenvalues of the Hessian (of an isotropic one, in the mean the plain average; this \
         normalisation weighs parameters differently, and may leave some out), which the few sharp ones hardly move.",
        inputs.config.plane.normalisation.name(),
        inputs.setup.architecture.space().dimension()
    );
    let lowest = summary.lowest;
    if lowest.loss.is_finite() && (lowest.a, lowest.b) != (0.0, 0.0) {
        prose.push_str(&format!(
            "\n\nThe lowest loss on this grid, {}, is not at its centre but at ({}, {}).",
            humane(lowest.loss, 3),
            humane(lowest.a, 2),
            humane(lowest.b, 2)
        ));
    }
    prose
}

fn trajectory(readings: &Readings) -> String {
    let Some(readings_trajectory) = &readings.trajectory else {
        return skipped(readings, "the plane passes through the solution");
    };
    let Some(axes) = &readings_trajectory.axes else {
        let reason = readings_trajectory.reason.as_deref().unwrap_or("there are no principal axes");
        return skipped(readings, reason);
    };
    let total = axes.value.off_plane_total;
    let mut prose = format!(
        "Of all planes through the solution, this one holds most of the trajectory: its axes are the first two principal \
         components of the displacements θ_t − θ*. All but {} % of the squared displacement, summed over the checkpoints, lies in it. Each checkpoint counts once, so the first ones, far from θ*, make up most of the sum: half of the checkpoints have more than {} % of \
         their distance from θ* off the plane.\n\nTwo cautions. The first principal components of many paths, even of a random \
         walk in many dimensions, carry most of it and draw arcs: a simple picture is no sign of a simple landscape (Antognini & Sohl-Dickstein 2018). And the \
         surface shows the loss in the plane, while the checkpoints lie beside it: the last two figures say how far, \
         and how much loss that hides.",
        humane(100.0 * total, 3),
        humane(100.0 * super::off_plane_median(&axes.value), 3)
    );
    if let Some(reason) = &readings_trajectory.reason {
        prose.push_str(&format!("\n\nThe surface was not measured: {reason}."));
    }
    prose
}

fn curvature(readings: &Readings) -> String {
    let mut prose = "The Hessian is the matrix of second derivatives of the training loss. Its largest eigenvalue, the \
                     sharpness, is the curvature in the most curved direction; eigenvectors of negative eigenvalues \
                     are directions in which the loss curves down. In a classifier, typically a few outliers (about as many as \
                     there are classes) stand apart from a bulk near 0 (Papyan 2020)."
        .to_owned();
    if let Some(threshold) = &readings.threshold {
        prose.push_str(&format!(
            "\n\nThe line at {} = {} ({}) is the sharpness above which steps of the highest learning rate would diverge on a \
             quadratic.",
            threshold.formula,
            humane(threshold.sharpness, 3),
            threshold.given()
        ));
    }
    let mut place = |name: &str, reading: &Reading<Extremes>| {
        let (products, limit) = (reading.work.hvps, reading.value.detection_limit);
        let how = match reading.outcome {
            Outcome::Converged => {
                "every pair met the tolerance, and a search of what is left found nothing that belongs among them"
            }
            Outcome::BudgetSpent => {
                "the budget was spent before every pair met the tolerance: read the residuals"
            }
            Outcome::MultiplicityUnresolved => {
                "every pair met the tolerance, but the budget was spent before it was certain that no copy of a repeated \
                 eigenvalue was passed over"
            }
            Outcome::PrecisionLimited => "the precision of the products was reached before the tolerance",
            Outcome::NotFinite => "a product was not finite, so there are no eigenvalues",
        };
        prose.push_str(&format!("\n\n{name}: {products} Hessian-vector products; {how}."));
        if limit > 0.0 && limit.is_finite() {
            prose.push_str(&format!(
                " With probability 0.999 over random starts no eigenvalue was passed over that lies further out than the last \
                 at its end by more than {} (Kuczyński & Woźniakowski 1992).",
                humane(limit, 1)
            ));
        }
    };
    let start = &readings.spectrum_start;
    place("At initialisation", start);
    match &readings.spectrum_end {
        Some(end) => place("At the solution", end),
        None => prose.push_str(&format!("\n\n{}", skipped(readings, "there is no solution"))),
    }
    prose
}

#[cfg(test)]
mod tests {
    use thalweg_learn::train::TrainConfig;

    use super::*;

    #[test]
    fn what_is_done_to_images_and_gradients_is_told() {
        let told = |clip_norm, augment| {
            let config = TrainConfig { clip_norm, augment, ..TrainConfig::default() };
            ways(&config.plan(100).unwrap().recipe)
        };
        assert_eq!(told(None, None), "");
        assert_eq!(told(None, Some(Augmentation::default())), "");
        assert_eq!(told(Some(0.5), None), "Gradients longer than 0.5 are shortened to that. ");
        assert_eq!(
            told(None, Some(Augmentation { shift: 1, crop: 4, flip: true })),
            "In training images are shifted by up to 1 pixel, cut at random out of a border of 4 pixels and mirrored half the \
             time; what is measured below is of the images as they are. "
        );
        assert!(
            told(None, Some(Augmentation { flip: true, ..Augmentation::default() }))
                .contains("are mirrored half")
        );
    }
}
