//! The data sets that are known by name: what they are, where they are published, and the digests of their files.
//!
//! Digests of what is downloaded are those that torchvision pins (MNIST, Fashion-MNIST, CIFAR's Python version) and that CIFAR's page
//! gives (archives of its binary version). Those of unpacked files are of the contents: of Fashion-MNIST as Debian's package has
//! it, of MNIST and CIFAR as several programs that check them after unpacking have them (of CIFAR-100's binary version one).

use thalweg_learn::data::{Cifar, Mnist, Published};

use super::{Digest, FetchError};

/// A data set with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its own, which is that of its folder, too.
    pub name: String,
    /// The `data.kind`s of configurations that read it.
    pub kinds: Vec<String>,
    /// Examples, their shape, and classes, in words.
    pub what: String,
    /// Licence and source, in words.
    pub licence: String,
    /// How it is published; a set without is built in.
    pub publication: Option<Publication>,
}

/// How a set is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The address in front of the names of its downloads.
    pub address: String,
    /// What is downloaded.
    pub downloads: Vec<Download>,
    /// The files that are read, each in the forms that it may have, in the order in which they are looked for.
    pub files: Vec<Vec<Form>>,
}

/// Something to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its name, behind the address and in a folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its MD5, 32 hexadecimal digits in lower case.
    pub md5: String,
    /// What it gives.
    pub gives: Gives,
}

/// What a download gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A file of the set, as its first form: which.
    File(usize),
    /// All files of the set in their first form, packed as tar.gz under these names.
    Archive(Vec<String>),
}

/// A form of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its name in one of the places of the set; `/` parts folders.
    pub name: String,
    /// The digest of what is read.
    pub contents: Digest,
    /// If it is gzipped, the digest of the gzip file as published. Others may have packed the same contents otherwise.
    pub zipped: Option<Digest>,
}

impl Download {
    /// What it should be.
    pub fn digest(&self) -> Digest {
        Digest { bytes: Some(self.bytes), md5: self.md5.clone() }
    }
}

impl Publication {
    /// Bytes of all downloads together.
    pub fn bytes(&self) -> u64 {
        self.downloads.iter().map(|download| download.bytes).sum()
    }

    /// Downloads that give one of those files.
    pub(super) fn downloads_of(&self, files: &[usize]) -> Vec<&Download> {
        let gives = |download: &&Download| match &download.gives {
            Gives::File(file) => files.contains(file),
            Gives::Archive(_) => !files.is_empty(),
        };
        self.downloads.iter().filter(gives).collect()
    }
}

/// The set of that name, or that configurations call so.
///
/// # Errors
/// [`FetchError::Unknown`] for any other name.
pub fn named(name: &str) -> Result<Set, FetchError> {
    let sets = catalogue();
    let known: Vec<String> = sets.iter().map(|set| set.name.clone()).collect();
    let is_it = |set: &Set| set.name == name || set.kinds.iter().any(|kind| kind == name);
    sets.into_iter().find(is_it).ok_or_else(|| {
        let near = |known: &&String| strsim::jaro_winkler(known, name) > 0.8;
        let by_nearness = |a: &&String, b: &&String| {
            strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name))
        };
        let nearest = known.iter().filter(near).max_by(by_nearness).cloned();
        FetchError::Unknown { nearest, found: name.to_owned(), known }
    })
}

/// All of them.
pub fn catalogue() -> Vec<Set> {
    let kinds = |kinds: &[&str]| kinds.iter().map(|&kind| kind.to_owned()).collect();
    vec![
        Set {
            name: "digits".to_owned(),
            kinds: kinds(&["digits"]),
            what: "1,437 and 360 handwritten digits, [64] or with enlarge [1, 8, 8] and more, 10 classes".to_owned(),
            licence: "CC BY 4.0; E. Alpaydin and C. Kaynak, UCI repository".to_owned(),
            publication: None,
        },
        Set {
            name: Mnist::Digits.name().to_owned(),
            kinds: kinds(&["mnist"]),
            what: "60,000 and 10,000 handwritten digits, [1, 28, 28], 10 classes".to_owned(),
            licence: "its authors give none; Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/, which is often closed: \
                      from the copy that torchvision takes"
                .to_owned(),
            publication: Some(idx(Mnist::Digits, "https://ossci-datasets.s3.amazonaws.com/mnist/", &MNIST)),
        },
        Set {
            name: Mnist::Fashion.name().to_owned(),
            kinds: kinds(&["fashion_mnist"]),
            what: "60,000 and 10,000 pieces of clothing, [1, 28, 28], 10 classes".to_owned(),
            licence: "MIT; H. Xiao, K. Rasul, R. Vollgraf (Zalando), https://github.com/zalandoresearch/fashion-mnist".to_owned(),
            publication: Some(idx(
                Mnist::Fashion,
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                &FASHION,
            )),
        },
        Set {
            name: Cifar::Ten.name().to_owned(),
            kinds: kinds(&["cifar10"]),
            what: "50,000 and 10,000 colour images, [3, 32, 32], 10 classes".to_owned(),
            licence: "its author gives none; A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html".to_owned(),
            publication: Some(cifar(
                Cifar::Ten,
                "cifar-10-binary.tar.gz",
                (170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"),
                &CIFAR_10,
            )),
        },
        Set {
            name: Cifar::Hundred.name().to_owned(),
            kinds: kinds(&["cifar100", "cifar100_coarse"]),
            what: "50,000 and 10,000 colour images, [3, 32, 32], 100 classes or 20".to_owned(),
            licence: "its author gives none; A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html".to_owned(),
            publication: Some(cifar(
                Cifar::Hundred,
                "cifar-100-binary.tar.gz",
                (168_513_733, "03b5dce01913d631647c71ecec9e9cb8"),
                &CIFAR_100,
            )),
        },
    ]
}

type Known = (u64, &'static str);

fn digest((bytes, md5): Known) -> Digest {
    Digest { bytes: Some(bytes), md5: md5.to_owned() }
}

/// Of each file, in the order of `Mnist::files`: as published, gzipped, and its contents.
const MNIST: [[Known; 2]; 4] = [
    [(9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"), (47_040_016, "6bbc9ace898e44ae57da46a324031adb")],
    [(28_881, "d53e105ee54ea40749a09fcbcd1e9432"), (60_008, "a25bea736e30d166cdddb491f175f624")],
    [(1_648_877, "9fb629c4189551a2d022fa330f9573f3"), (7_840_016, "2646ac647ad5339dbf082846283269ea")],
    [(4_542, "ec29112dd5afa0611ce80d1b7f02629c"), (10_008, "27ae3e4e09519cfbb04c329615203637")],
];

const FASHION: [[Known; 2]; 4] = [
    [(26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"), (47_040_016, "f4a8712d7a061bf5bd6d2ca38dc4d50a")],
    [(29_515, "25c81989df183df01b3e8a0aad5dffbe"), (60_008, "9018921c3c673c538a1fc5bad174d6f9")],
    [(4_422_102, "bef4ecab320f06d8554ea6380940ec79"), (7_840_016, "8181f5470baa50b63fa0f6fddb340f0a")],
    [(5_148, "bb300cfdad3c16e7a12a480ee83cd310"), (10_008, "15d484375f8d13e6eb1aabb0c3f46965")],
];

/// Of each file, in the order of `Cifar::files`: of the binary version, and the MD5 of the Python version.
const CIFAR_10: [(Known, &str); 6] = [
    ((30_730_000, "5dd7e06a14cb22eb9f671a540d1b7c25"), "c99cafc152244af753f735de768cd75f"),
    ((30_730_000, "5ea93a67294ea407fff1d09f752e9692"), "d4bba439e000b95fd0a9bffe97cbabec"),
    ((30_730_000, "942cd6a4bcdd0dd3c604fbe906cb4421"), "54ebc095f3ab1f0389bbae665268c751"),
    ((30_730_000, "ae636b3ba5c66a11e91e8cb52e771fcb"), "634d18415352ddfa80567beed471001a"),
    ((30_730_000, "53f37980c15c3d472c316c40844f3f0d"), "482c414d41f54cd18b22e5b47cb7c3cb"),
    ((30_730_000, "803d5f7f4d78ea53de84dbe85f74fb6d"), "40351d587109b95175f43aff81a1287e"),
];

const CIFAR_100: [(Known, &str); 2] = [
    ((153_700_000, "6172c7755cfe09b2fe270c85cebc1b15"), "16019d7e3df5f24257cddd939b257f8d"),
    ((30_740_000, "4499cfba6c016c1be1438163640a0898"), "f0ef6b0ae62326f3e7ffdfab6717acfc"),
];

/// MNIST and its like: each file is downloaded by itself, gzipped, and read so.
fn idx(set: Mnist, address: &str, known: &[[Known; 2]; 4]) -> Publication {
    let files: Vec<Vec<Form>> = Published::Mnist(set)
        .files()
        .into_iter()
        .zip(known)
        .map(|(names, &[zipped, contents])| {
            let form = |name: String| {
                let zipped = name.ends_with(".gz").then(|| digest(zipped));
                Form { name, contents: digest(contents), zipped }
            };
            names.into_iter().map(form).collect()
        })
        .collect();
    let download = |(file, &[zipped, _]): (usize, &[Known; 2])| Download {
        name: files[file][0].name.clone(),
        bytes: zipped.0,
        md5: zipped.1.to_owned(),
        gives: Gives::File(file),
    };
    Publication {
        address: address.to_owned(),
        downloads: known.iter().enumerate().map(download).collect(),
        files,
    }
}

/// CIFAR: one archive.
fn cifar(set: Cifar, archive: &str, known_archive: Known, known: &[(Known, &str)]) -> Publication {
    let names = Published::Cifar(set).files();
    // The second name is that in the folder that the archive makes.
    let members = names.iter().map(|names| names[1].clone()).collect();
    let files = names
        .into_iter()
        .zip(known)
        .map(|(names, &(binary, python))| {
            let form = |name: String| {
                let contents = match name.ends_with(".bin") {
                    true => digest(binary),
                    false => Digest { bytes: None, md5: python.to_owned() },
                };
                Form { name, contents, zipped: None }
            };
            names.into_iter().map(form).collect()
        })
        .collect();
    let download = Download {
        name: archive.to_owned(),
        bytes: known_archive.0,
        md5: known_archive.1.to_owned(),
        gives: Gives::Archive(members),
    };
    Publication { address: "https://www.cs.toronto.edu/~kriz/".to_owned(), downloads: vec![download], files }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_that_is_read_has_all_its_digests() {
        let read = [
            Published::Mnist(Mnist::Digits),
            Published::Mnist(Mnist::Fashion),
            Published::Cifar(Cifar::Ten),
            Published::Cifar(Cifar::Hundred),
            Published::Cifar(Cifar::HundredCoarse),
        ];
        for published in read {
            let publication = named(published.name()).unwrap().publication.unwrap();
            let names: Vec<Vec<String>> = publication
                .files
                .iter()
                .map(|forms| forms.iter().map(|form| form.name.clone()).collect())
                .collect();
            assert_eq!(names, published.files());
            let all = publication.files.iter().flatten();
            let digests: Vec<Digest> = publication
                .downloads
                .iter()
                .map(Download::digest)
                .chain(all.clone().map(|form| form.contents.clone()))
                .chain(all.filter_map(|form| form.zipped.clone()))
                .collect();
            let mut different: Vec<&str> = digests.iter().map(|digest| &digest.md5[..]).collect();
            for md5 in &different {
                let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert!(md5.len() == 32 && md5.bytes().all(is_digit), "{md5}");
            }
            // None stands there twice by mistake: what differs by its version is another file.
            different.sort_unstable();
            different.dedup();
            let zipped =
                publication.downloads.iter().any(|download| matches!(download.gives, Gives::File(_)));
            let expected = publication.files.len() * 2 + usize::from(!zipped);
            assert_eq!(different.len(), expected, "{}", published.name());
        }
    }

    /// Lengths follow from formats: 16 bytes of header and a byte a pixel, 8 and a byte a label, records of labels and pixels.
    #[test]
    fn lengths_are_those_of_the_formats() {
        let lengths = |name: &str| -> Vec<u64> {
            let publication = named(name).unwrap().publication.unwrap();
            publication.files.iter().map(|forms| forms[0].contents.bytes.unwrap()).collect()
        };
        let idx = [60_000, 10_000].map(|examples| [16 + examples * 784, 8 + examples]).concat();
        assert_eq!((lengths("mnist"), lengths("fashion-mnist")), (idx.clone(), idx));
        assert_eq!(lengths("cifar-10"), [10_000 * 3073; 6]);
        assert_eq!(lengths("cifar-100"), [50_000 * 3074, 10_000 * 3074]);
    }

    #[test]
    fn sets_have_their_kinds_as_names_too() {
        assert_eq!(named("cifar100_coarse").unwrap().name, "cifar-100");
        assert_eq!(named("fashion_mnist").unwrap().name, "fashion-mnist");
        assert!(named("digits").unwrap().publication.is_none());
        assert_eq!(
            named("fashion-mnits").unwrap_err().to_string(),
            "expected one of the data sets digits, mnist, fashion-mnist, cifar-10, cifar-100, found \"fashion-mnits\"; \
             did you mean \"fashion-mnist\"?"
        );
        assert!(named("imagenet").unwrap_err().to_string().ends_with("found \"imagenet\""));
    }
}
