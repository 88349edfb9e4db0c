use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Identity, RunId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Config {
    seed: u64,
    lr: f64,
    label: Option<String>,
    widths: Vec<u32>,
    inner: Inner,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    flag: bool,
    name: String,
}

/// The same fields in another order.
#[derive(Serialize)]
struct Shuffled {
    inner: ShuffledInner,
    widths: Vec<u32>,
    seed: u64,
    label: Option<String>,
    lr: f64,
}

#[derive(Serialize)]
struct ShuffledInner {
    name: String,
    flag: bool,
}

fn id<C: Serialize>(config: &C) -> RunId {
    Identity::new("survey", 1, config).unwrap().id()
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        Just(f64::NAN),
        Just(f64::INFINITY),
        (-3i32..3).prop_map(f64::from)
    ]
}

prop_compose! {
    fn config()(
        seed in any::<u64>(),
        lr in float(),
        label in proptest::option::of(".*"),
        widths in proptest::collection::vec(any::<u32>(), 0..4),
        flag in any::<bool>(),
        name in ".*",
    ) -> Config {
        Config { seed, lr, label, widths, inner: Inner { flag, name } }
    }
}

/// Equal, with NaN equal to NaN and 0 not equal to -0.
fn same(a: &Config, b: &Config) -> bool {
    let bits = |config: &Config| if config.lr.is_nan() { f64::NAN.to_bits() } else { config.lr.to_bits() };
    let rest = |config: &Config| Config { lr: 0.0, ..config.clone() };
    bits(a) == bits(b) && rest(a) == rest(b)
}

proptest! {
    #[test]
    fn equal_names_exactly_for_equal_configurations(a in config(), b in config()) {
        prop_assert_eq!(same(&a, &b), id(&a) == id(&b));
    }

    #[test]
    fn any_changed_field_changes_the_name(a in config(), b in config()) {
        let one_field_of_b = [
            Config { seed: b.seed, ..a.clone() },
            Config { lr: b.lr, ..a.clone() },
            Config { label: b.label, ..a.clone() },
            Config { widths: b.widths, ..a.clone() },
            Config { inner: Inner { flag: b.inner.flag, ..a.inner.clone() }, ..a.clone() },
            Config { inner: Inner { name: b.inner.name, ..a.inner.clone() }, ..a.clone() },
        ];
        for changed in one_field_of_b {
            prop_assert_eq!(same(&a, &changed), id(&a) == id(&changed));
        }
    }

    #[test]
    fn the_order_of_fields_does_not_matter(a in config()) {
        let Config { seed, lr, label, widths, inner } = a.clone();
        let inner = ShuffledInner { name: inner.name, flag: inner.flag };
        let shuffled = Shuffled { inner, widths, seed, label, lr };
        prop_assert_eq!(id(&a), id(&shuffled));
    }

    #[test]
    fn a_hash_map_has_one_name(entries in proptest::collection::hash_map(".*", any::<i32>(), 0..20)) {
        let sorted: BTreeMap<_, _> = entries.clone().into_iter().collect();
        let rebuilt: HashMap<_, _> = sorted.clone().into_iter().rev().collect();
        prop_assert_eq!(id(&entries), id(&rebuilt));
        prop_assert_eq!(id(&entries), id(&sorted));
    }
}

#[test]
fn order_in_the_file_does_not_matter() {
    #[derive(Default, Serialize, Deserialize)]
    struct Small {
        a: u32,
        b: Vec<f64>,
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let mut names = HashSet::new();
    for text in ["a = 1\nb = [0.5]\n", "# other way round\nb = [ 5e-1 ]\na = 0x1\n"] {
        std::fs::write(&file, text).unwrap();
        names.insert(id(&crate::config::load::<Small>(Some(&file), &[]).unwrap()));
    }
    assert_eq!(names.len(), 1);
}

#[test]
fn things_that_look_alike_have_different_names() {
    let values = [
        id(&1.0f64),
        id(&1u64),
        id(&"1"),
        id(&true),
        id(&"true"),
        id(&()),
        id(&"null"),
        id(&f64::NAN),
        id(&"NaN"),
        id(&f64::INFINITY),
        id(&0.0f64),
        id(&-0.0f64),
        id(&[1u8]),
        id(&[[1u8]]),
        id(&["1,2"]),
        id(&["1", "2"]),
        Identity::new("survey", 2, &1u64).unwrap().id(),
        Identity::new("surve", 1, &1u64).unwrap().id(),
    ];
    assert_eq!(values.iter().collect::<HashSet<_>>().len(), values.len());
}

/// The name of a stored run must outlive every refactoring: these are written down, not computed.
#[test]
fn names_do_not_change() {
    let config = Config {
        seed: 7,
        lr: 0.05,
        label: None,
        widths: vec![2, 64],
        inner: Inner { flag: true, name: "a\"\n\u{1}é".to_owned() },
    };
    let text = crate::tree::canonical(Identity::new("survey", 1, &config).unwrap().config());
    assert_eq!(
        text,
        r#"{"inner":{"flag":true,"name":"a\"\n\u0001é"},"label":null,"lr":5e-2,"seed":7,"widths":[2,64]}"#
    );
    assert_eq!(id(&config).to_string(), "9fe0da411cc9b30486d36024a7a2022a15406805de837c29d19532d783b64630");
}

#[test]
fn names_are_written_and_read() {
    let identity = Identity::new("survey", 1, &3u8).unwrap();
    let id = identity.id();
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(identity.folder_name(), format!("survey-{}", &id.to_string()[..12]));
    assert_eq!(id.short().len(), 12);
    assert!("xyz".parse::<RunId>().unwrap_err().to_string().contains("\"xyz\""));
}

#[test]
fn what_is_no_plain_data_is_refused() {
    let keyed_by_pairs = BTreeMap::from([((1, 2), 3)]);
    let error = Identity::new("survey", 1, &keyed_by_pairs).unwrap_err().to_string();
    assert_eq!(error, "the key of a map is an array of 2: expected text");
}
