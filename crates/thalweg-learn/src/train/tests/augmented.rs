use thalweg_kernel::Key;

use super::{SEED, digits, momentum, origin, recipe, run, trainer};
use crate::augment::Augmentation;
use crate::data::Dataset;
use crate::train::{Recipe, Trainer};

const AUGMENT: Augmentation = Augmentation { shift: 1, crop: 1, flip: true };

#[test]
fn what_is_seen_follows_from_the_step() {
    for batch_size in [Some(32), None] {
        let plain = recipe(momentum(), batch_size);
        let augmented = Recipe { augment: Some(AUGMENT), ..plain.clone() };
        let mut whole = trainer::<f32>(augmented.clone());
        run(&mut whole, 7);
        let mut unchanged = trainer::<f32>(plain);
        run(&mut unchanged, 7);
        assert_ne!(whole.theta(), unchanged.theta());
        // In the middle of an epoch: the second goes on from a step that it has not seen others before.
        let mut first = trainer::<f32>(augmented.clone());
        run(&mut first, 3);
        let (network, key) = (first.architecture().clone(), Key::from_seed(SEED));
        let checkpoint = first.checkpoint(SEED);
        let mut second =
            Trainer::from_checkpoint(&network, &digits(), augmented, checkpoint, key, origin()).unwrap();
        run(&mut second, 4);
        assert_eq!(second.theta(), whole.theta());
    }
}

#[test]
fn no_augmentation_is_the_one_of_nothing() {
    let steps = |augment| {
        let mut trainer = trainer::<f32>(Recipe { augment, ..recipe(momentum(), Some(32)) });
        run(&mut trainer, 5);
        trainer.theta().to_vec()
    };
    assert_eq!(steps(None), steps(Some(Augmentation::default())));
}

#[test]
fn rows_of_numbers_are_not_augmented() {
    let images = digits();
    let rows = Dataset::new("rows", images.inputs().to_vec(), 64, images.labels().to_vec(), 10).unwrap();
    let recipe = Recipe { augment: Some(AUGMENT), ..recipe(momentum(), None) };
    let network = trainer::<f32>(recipe.clone()).architecture().clone();
    let theta = vec![0.0f32; network.space().dimension()];
    let error = Trainer::new(&network, &rows, recipe, theta, Key::from_seed(SEED)).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "augment: expected images [channels, height, width], found examples of shape [64] in rows"
    );
}
