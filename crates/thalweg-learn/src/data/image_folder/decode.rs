//! One image: from the bytes of a PNG or JPEG file to pixels.
//!
//! What a header says of an image's size is held against the bounds before a byte is taken for its pixels.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::super::own_error::unfit;
use super::DataError;

/// Rows or columns of an image at most.
const SIDE_MAX: usize = 4096;
/// Bytes that chunks beside the pixels may take.
const CHUNKS_MAX: usize = 1 << 20;
/// Scans of a progressive JPEG at most: each is a pass over all of it.
const SCANS_MAX: usize = 100;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// Which sizes are taken.
pub(super) enum Bounds<'a> {
    /// Any that an image can have.
    Any,
    /// Rows and columns of the first image.
    Like { size: [usize; 2], first: &'a Path },
}

/// An image without alpha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Rows and columns.
    pub(super) size: [usize; 2],
    /// 1 or 3.
    pub(super) channels: usize,
    /// `[rows, columns, channels]`
    pixels: Vec<u8>,
}

impl Bounds<'_> {
    fn check(&self, [height, width]: [usize; 2], path: &Path) -> Result<(), DataError> {
        let found = || format!("{width}×{height}");
        match *self {
            _ if !(1..=SIDE_MAX).contains(&height) || !(1..=SIDE_MAX).contains(&width) => {
                let expected = format!("from 1×1 to {SIDE_MAX}×{SIDE_MAX} pixels");
                Err(unfit(path, None, expected, found()))
            }
            Self::Like { size, first } if size != [height, width] => {
                let expected = format!("{}×{} pixels as in {}", size[1], size[0], first.display());
                Err(unfit(path, None, expected, found()))
            }
            _ => Ok(()),
        }
    }
}

impl Image {
    /// Decodes, by what the file begins with and not by its name.
    pub(super) fn decode(bytes: &[u8], path: &Path, bounds: &Bounds<'_>) -> Result<Self, DataError> {
        if bytes.starts_with(PNG) {
            Self::png(bytes, path, bounds)
        } else if bytes.starts_with(JPEG) {
            Self::jpeg(bytes, path, bounds)
        } else {
            let found = format!("the first bytes {:02x?}", &bytes[..bytes.len().min(8)]);
            Err(unfit(path, None, "a PNG or JPEG file", found))
        }
    }

    fn png(bytes: &[u8], path: &Path, bounds: &Bounds<'_>) -> Result<Self, DataError> {
        let broken = |error: png::DecodingError| unfit(path, None, "a whole PNG file", error.to_string());
        let limits = Limits { bytes: CHUNKS_MAX };
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        // Palettes and fewer bits become whole bytes, transparent colours an alpha channel.
        decoder.set_transformations(Transformations::EXPAND);
        let header = decoder.read_header_info().map_err(broken)?;
        let size = [header.height as usize, header.width as usize];
        bounds.check(size, path)?;
        if header.bit_depth == BitDepth::Sixteen {
            return Err(unfit(path, None, "8 bits a channel", "16"));
        }
        if header.animation_control.is_some() {
            return Err(unfit(path, None, "a single image", "an animation"));
        }
        let mut reader = decoder.read_info().map_err(broken)?;
        let length = reader.output_buffer_size();
        let length = length.ok_or_else(|| unfit(path, None, "a whole PNG file", "no size"))?;
        let mut pixels = vec![0; length];
        reader.next_frame(&mut pixels).map_err(broken)?;
        // Only what follows the pixels tells whether the file was cut off.
        reader.finish().map_err(broken)?;
        let (channels, has_alpha) = match reader.output_color_type().0 {
            ColorType::Grayscale | ColorType::Indexed => (1, false),
            ColorType::GrayscaleAlpha => (1, true),
            ColorType::Rgb => (3, false),
            ColorType::Rgba => (3, true),
        };
        if has_alpha {
            pixels = opaque(&pixels, channels, size, path)?;
        }
        Ok(Self { size, channels, pixels })
    }

    fn jpeg(bytes: &[u8], path: &Path, bounds: &Bounds<'_>) -> Result<Self, DataError> {
        let broken = |error: zune_jpeg::errors::DecodeErrors| {
            unfit(path, None, "a whole JPEG file", format!("{error:?}"))
        };
        if !is_ended(bytes) {
            return Err(unfit(path, None, "a whole JPEG file", "no end of the image"));
        }
        // Strict: what is missing within is no grey rest of an image.
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .jpeg_set_max_scans(SCANS_MAX)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let mut header = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        header.decode_headers().map_err(broken)?;
        let info = header.info().ok_or_else(|| unfit(path, None, "a whole JPEG file", "no header"))?;
        let size = [usize::from(info.height), usize::from(info.width)];
        bounds.check(size, path)?;
        let (channels, colours) = match info.components {
            1 => (1, ColorSpace::Luma),
            3 => (3, ColorSpace::RGB),
            found => return Err(unfit(path, None, "1 or 3 channels", found.to_string())),
        };
        let options = options.jpeg_set_out_colorspace(colours);
        let pixels = JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().map_err(broken)?;
        match pixels.len() == size[0] * size[1] * channels {
            true => Ok(Self { size, channels, pixels }),
            false => Err(unfit(path, None, "a whole JPEG file", format!("{} bytes of pixels", pixels.len()))),
        }
    }

    /// The pixels channel by channel, of so many channels (1 or 3): `[channels, rows, columns]`.
    pub(super) fn planes(&self, channels: usize) -> Vec<u8> {
        match (self.channels, channels) {
            (1, _) => self.pixels.repeat(channels),
            (_, 1) => self.pixels.as_chunks::<3>().0.iter().map(luma).collect(),
            _ => (0..3).flat_map(|channel| self.pixels.iter().skip(channel).step_by(3)).copied().collect(),
        }
    }
}

/// Whether an end follows the last scan; without it the decoder may miss scans of a progressive image and not say so.
fn is_ended(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(0xd9) > last(0xda)
}

/// The pixels without their alpha, if it is that of an opaque image.
fn opaque(pixels: &[u8], channels: usize, size: [usize; 2], path: &Path) -> Result<Vec<u8>, DataError> {
    let mut colours = Vec::with_capacity(size[0] * size[1] * channels);
    for (at, pixel) in pixels.chunks_exact(channels + 1).enumerate() {
        let (colour, alpha) = pixel.split_at(channels);
        if alpha != [255] {
            let found = format!("alpha {} in row {}, column {}", alpha[0], at / size[1], at % size[1]);
            return Err(unfit(path, None, "an opaque image", found));
        }
        colours.extend_from_slice(colour);
    }
    Ok(colours)
}

/// 0.299 R + 0.587 G + 0.114 B in whole numbers, as Pillow rounds it.
fn luma(&[red, green, blue]: &[u8; 3]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
}
