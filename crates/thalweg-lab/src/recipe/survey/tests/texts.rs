//! Texts, and the networks that they are for.

use super::{Folders, Inputs, loaded};

#[test]
fn a_text_is_for_networks_of_several_labels_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sea.txt");
    std::fs::write(&path, "she sells sea shells by the sea shore; ".repeat(30)).unwrap();
    let file = format!("data.path={}", path.display());
    let resolve = |model: &str| {
        let model = format!("model={model}");
        Inputs::resolve(
            &loaded(&["data.kind=text_file", &file, "data.context=8", &model]),
            &Folders::new(None),
        )
    };
    let inputs = resolve("{kind='gpt'}").unwrap();
    assert_eq!((inputs.setup.data.train.examples(), inputs.setup.data.test.examples()), (132, 14));
    assert_eq!((inputs.setup.source.test[0], inputs.setup.source.train.len()), (132, 132));
    assert_eq!(inputs.setup.architecture.outputs(), 8 * inputs.setup.data.train.classes());
    assert_eq!(
        resolve("{kind='lstm', embedding=4}").unwrap().setup.architecture.outputs(),
        inputs.setup.architecture.outputs()
    );
    let error = |model: &str| resolve(model).err().unwrap().to_string();
    let expected =
        "`model.kind`: expected a network for texts: gpt, or rnn or lstm with `model.embedding`, found ";
    assert_eq!(error("{kind='lstm'}"), format!("{expected}lstm"));
    assert_eq!(error("{kind='autoencoder', widths=[3]}"), format!("{expected}autoencoder"));
    assert_eq!(error("{kind='layers', layers=['linear 10']}"), format!("{expected}layers"));
    let error = Inputs::resolve(&loaded(&["model.kind=gpt"]), &Folders::new(None)).err().unwrap().to_string();
    let expected = "`data.kind`: expected text_file or npz, with a `data.path`, as the network of `model` is for texts, found digits";
    assert_eq!(error, expected);
}
