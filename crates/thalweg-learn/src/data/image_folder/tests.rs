//! Folders and images that are read, and those that are refused.

use std::path::PathBuf;
use std::{env, fs, process};

use png::{BitDepth, ColorType, Encoder};

use super::*;

const JPEG: &[u8] = include_bytes!("../../../tests/reference/own/colour.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("../../../tests/reference/own/progressive.jpg");

fn png(width: u32, height: u32, color: ColorType, depth: BitDepth, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

fn grey(width: u32, height: u32, pixel: u8) -> Vec<u8> {
    let pixels = vec![pixel; (width * height) as usize];
    png(width, height, ColorType::Grayscale, BitDepth::Eight, &pixels)
}

/// A folder with those files, gone at the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, files: &[(&str, Vec<u8>)]) -> Self {
        let root = env::temp_dir().join(format!("thalweg-images-{}-{test}", process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        for (name, bytes) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        Self(root)
    }

    fn read(&self, channels: Option<usize>) -> Result<ImageFolder, String> {
        let root = self.0.display().to_string();
        ImageFolder::read(&self.0, channels).map_err(|error| error.to_string().replace(&root, "ROOT"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(test: &str, files: &[(&str, Vec<u8>)]) -> String {
    Folder::new(test, files).read(None).unwrap_err()
}

#[test]
fn classes_and_files_come_in_the_order_of_their_names() {
    let files = [
        ("dog/b.png", grey(2, 1, 20)),
        ("dog/a.PNG", grey(2, 1, 10)),
        ("Zebra/10.png", grey(2, 1, 40)),
        ("Zebra/9.png", grey(2, 1, 50)),
        ("cat/.hidden", vec![]),
        ("cat/x.png", grey(2, 1, 30)),
        ("LICENCE", vec![]),
        (".cache/x.png", vec![]),
    ];
    let folder = Folder::new("order", &files);
    let ImageFolder { classes, images } = folder.read(None).unwrap();
    assert_eq!(classes, ["Zebra", "cat", "dog"]);
    let Own::Whole(data) = images else { panic!("in one part") };
    assert_eq!((data.labels(), data.shape()), (&[0, 0, 1, 2, 2][..], &[1, 1, 2][..]));
    let pixels: Vec<f32> = (0..5).map(|example| data.input(example)[1] * 255.0).collect();
    assert_eq!(pixels, [40.0, 50.0, 30.0, 10.0, 20.0]);
}

#[test]
fn parts_share_classes() {
    let mut files = vec![
        ("train/a/1.png", grey(3, 2, 1)),
        ("train/b/1.png", grey(3, 2, 2)),
        ("train/b/2.png", grey(3, 2, 3)),
        ("test/b/1.png", grey(3, 2, 4)),
    ];
    let ImageFolder { classes, images } = Folder::new("parts", &files).read(None).unwrap();
    let Own::Parts(Split { train, test }) = images else { panic!("in two parts") };
    assert_eq!((classes.len(), train.labels(), test.labels()), (2, &[0, 1, 1][..], &[1][..]));
    assert_eq!((test.shape(), test.classes(), test.inputs()[5]), (&[1, 2, 3][..], 2, 4.0 / 255.0));
    assert!(train.name().ends_with("/train") && test.name().ends_with("/test"));
    let Own::Whole(alone) = Folder::new("alone", &files[..3]).read(None).unwrap().images else { panic!() };
    assert_eq!(alone.labels(), [0, 1, 1]);
    assert_eq!(refused("test", &files[3..]), "ROOT: expected a folder train beside test, found test alone");
    files.push(("test/c/1.png", grey(3, 2, 5)));
    assert_eq!(
        refused("other", &files),
        "ROOT/test: expected the classes of ROOT/train, found ROOT/test/c beside them"
    );
}

#[test]
fn colours_are_planes_and_become_grey_as_in_pillow() {
    let pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 90];
    let colour = ("a/1.png", png(2, 2, ColorType::Rgb, BitDepth::Eight, &pixels));
    let bytes = |files: &[(&str, Vec<u8>)], channels| {
        let Own::Whole(data) = Folder::new("colours", files).read(channels).unwrap().images else { panic!() };
        (data.shape()[0], data.inputs().iter().map(|x| (x * 255.0).round() as u8).collect::<Vec<u8>>())
    };
    let planes = vec![255, 0, 0, 10, 0, 255, 0, 200, 0, 0, 255, 90];
    assert_eq!(bytes(std::slice::from_ref(&colour), None), (3, planes));
    assert_eq!(bytes(std::slice::from_ref(&colour), Some(1)), (1, vec![76, 150, 29, 131]));
    let mixed = [("a/0.png", grey(2, 2, 7)), colour];
    let expected = "ROOT/a/1.png: expected 1 channel as in ROOT/a/0.png (`data.channels` makes all alike), found 3 channels";
    assert_eq!(refused("mixed", &mixed), expected);
    assert_eq!(bytes(&mixed, Some(3)).1[..12], [7; 12]);
    assert_eq!(
        Folder::new("two", &mixed).read(Some(2)).unwrap_err(),
        "ROOT: expected images of 1 or 3 channels, found 2"
    );
    // One bit a pixel, and a palette.
    assert_eq!(
        bytes(&[("a/1.png", png(8, 1, ColorType::Grayscale, BitDepth::One, &[0b1010_0000]))], None).1[..4],
        [255, 0, 255, 0]
    );
}

#[test]
fn alpha_is_passed_over_where_it_is_opaque() {
    let image = |alpha| {
        let pixels = [1, 2, 3, 255, 4, 5, 6, alpha];
        [("a/1.png", png(1, 2, ColorType::Rgba, BitDepth::Eight, &pixels))]
    };
    let Own::Whole(data) = Folder::new("opaque", &image(255)).read(None).unwrap().images else { panic!() };
    let pixels: Vec<f32> = data.inputs().iter().map(|x| (x * 255.0).round()).collect();
    assert_eq!(pixels, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let expected = "ROOT/a/1.png: expected an opaque image, found alpha 254 in row 1, column 0";
    assert_eq!(refused("clear", &image(254)), expected);
}

#[test]
fn what_is_wrong_is_said() {
    let good = ("a/1.png", grey(4, 4, 9));
    let with = |test: &str, name: &'static str, bytes: Vec<u8>| refused(test, &[good.clone(), (name, bytes)]);
    assert_eq!(
        with("odd", "b/2.png", grey(4, 5, 9)),
        "ROOT/b/2.png: expected 4×4 pixels as in ROOT/a/1.png, found 4×5"
    );
    assert_eq!(
        with("text", "b/2.png", b"not an image".to_vec()),
        "ROOT/b/2.png: expected a PNG or JPEG file, found the first bytes [6e, 6f, 74, 20, 61, 6e, 20, 69]"
    );
    assert_eq!(
        with("none", "b/2.png", vec![]),
        "ROOT/b/2.png: expected a PNG or JPEG file, found the first bytes []"
    );
    assert_eq!(
        with("gif", "b/2.gif", vec![]),
        "ROOT/b: expected images (.png, .jpg, .jpeg) alone, found 2.gif"
    );
    assert_eq!(
        with("deep", "b/c/2.png", vec![]),
        "ROOT/b: expected images (.png, .jpg, .jpeg) alone, found c"
    );
    assert_eq!(with("empty", "b/.keep", vec![]), "ROOT/b: expected at least one of images, found none");
    let sixteen = png(4, 4, ColorType::Grayscale, BitDepth::Sixteen, &[0; 32]);
    assert_eq!(with("deep colour", "b/2.png", sixteen), "ROOT/b/2.png: expected 8 bits a channel, found 16");
    assert_eq!(
        refused("bare", &[("1.png", grey(1, 1, 0))]),
        "ROOT: expected at least one of folders of classes, found none"
    );
    let missing = ImageFolder::read(Path::new("/nowhere/images"), None).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/images: No such file"), "{missing}");
}

#[test]
fn files_that_break_off_or_are_spoilt_are_refused() {
    let whole = grey(40, 30, 77);
    for (ending, whole, cuts) in [("png", &whole[..], 6), ("jpg", JPEG, 12), ("jpg", PROGRESSIVE, 12)] {
        for cut in (1..cuts).map(|part| whole.len() * part / cuts).chain([9, 40, whole.len() - 2]) {
            let name: &str = &format!("a/1.{ending}");
            let error = refused("cut", &[(name, whole[..cut].to_vec())]);
            assert!(
                error.starts_with(&format!("ROOT/a/1.{ending}: expected ")),
                "{cut} of {}: {error}",
                whole.len()
            );
        }
    }
    let mut spoilt = whole.clone();
    let middle = spoilt.len() - 20;
    spoilt[middle] ^= 4;
    assert!(refused("spoilt", &[("a/1.png", spoilt)]).starts_with("ROOT/a/1.png: expected a whole PNG file"));
    // Whatever is changed, an image or an error comes of it.
    for whole in [&whole[..], JPEG, PROGRESSIVE] {
        for at in (0..whole.len()).step_by(3) {
            let mut changed = whole.to_vec();
            changed[at] ^= 1 << (at % 8);
            let _ = Image::decode(&changed, Path::new("changed"), &Bounds::Any);
        }
    }
}

/// Not a byte of memory for a promise.
#[test]
fn hostile_sizes_are_refused() {
    let mut large = grey(1, 1, 0);
    large[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    let sum = {
        let mut crc = flate2::Crc::new();
        crc.update(&large[12..29]);
        crc.sum().to_be_bytes()
    };
    large[29..33].copy_from_slice(&sum);
    let most = "ROOT/a/1.png: expected from 1×1 to 4096×4096 pixels, found 65535×65535";
    assert_eq!(refused("png", &[("a/1.png", large)]), most);
    for (whole, frame) in [(JPEG, 0xc0), (PROGRESSIVE, 0xc2)] {
        let mut large = whole.to_vec();
        let at = large.windows(2).position(|bytes| bytes == [0xff, frame]).unwrap();
        large[at + 5..at + 9].copy_from_slice(&[255; 4]);
        assert_eq!(refused("jpg", &[("a/1.png", large.clone())]), most);
        // Within bounds, but not what the first image is.
        large[at + 5..at + 9].copy_from_slice(&[15, 255, 15, 255]);
        let error = refused("jpg", &[("a/0.png", grey(27, 20, 0)), ("a/1.png", large)]);
        assert_eq!(error, "ROOT/a/1.png: expected 27×20 pixels as in ROOT/a/0.png, found 4095×4095");
    }
}
