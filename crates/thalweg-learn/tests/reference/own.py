"""Files as NumPy and Pillow write them, and what these read in them: own/*.npz, own/*.jpg, own/*.png and own.json.

    python own.py        (NumPy 2.4, Pillow 13.0)
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent / "own"
HERE.mkdir(exist_ok=True)


def arrays():
    count = 24
    whole = np.arange(count).reshape(4, 2, 3)
    return {
        "f4": (whole / 7 - 1).astype("<f4"),
        "f8": (whole / 7 - 1).astype("<f8"),
        "i1": (whole - 12).astype("i1"),
        "i2": (whole * 300 - 3000).astype("<i2"),
        "i4": (whole * 70000 - 700000).astype("<i4"),
        "i8": (whole * 70000 - 700000).astype("<i8"),
        "u1": (whole * 11 % 256).astype("u1"),
        "u2": (whole * 2500).astype("<u2"),
        "bool": whole % 3 == 0,
        "fortran": np.asfortranarray((whole / 7 - 1).astype("<f4")),
        "y": np.array([2, 0, 1, 2]),
        "objects": np.array([{}, [], 1, "x"], dtype=object),
        "big": (whole / 7 - 1).astype(">f4"),
    }


def picture(size, colours, seed):
    """Smooth, so that a JPEG of it is close to it, with a step."""
    y, x = np.mgrid[: size[0], : size[1]]
    planes = [128 + 90 * np.sin((x + 2 * y + 5 * plane + seed) / 6) - 40 * (x > y) for plane in range(colours)]
    return np.clip(np.stack(planes, -1), 0, 255).astype("u1")


def jpeg(name, pixels, **options):
    image = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    image.save(HERE / name, "JPEG", **options)


def main():
    all_arrays = arrays()
    np.savez(HERE / "stored.npz", **all_arrays)
    np.savez_compressed(HERE / "deflated.npz", **all_arrays)
    jpeg("grey.jpg", picture((20, 27), 1, 0), quality=90)
    jpeg("colour.jpg", picture((20, 27), 3, 1), quality=90, subsampling=0)
    jpeg("halved.jpg", picture((20, 27), 3, 2), quality=90, subsampling=2)
    jpeg("progressive.jpg", picture((20, 27), 3, 3), quality=90, subsampling=0, progressive=True)
    cmyk = Image.fromarray(picture((8, 8), 3, 0)).convert("CMYK")
    cmyk.save(HERE / "cmyk.jpg", "JPEG")
    Image.fromarray(picture((20, 27), 3, 4)).quantize(16).save(HERE / "palette.png")
    Image.fromarray(picture((20, 27), 3, 5)).save(HERE / "colour.png")
    images = {}
    for path in sorted(HERE.glob("*.*g")):
        image = Image.open(path)
        if path.name != "cmyk.jpg":
            image = image.convert("L" if image.mode == "L" else "RGB")
            grey = np.asarray(image.convert("L"))
            pixels = np.asarray(image).reshape(20, 27, -1).transpose(2, 0, 1)
            images[path.name] = {"pixels": pixels.ravel().tolist(), "grey": grey.ravel().tolist()}
    text = {
        "arrays": {
            name: np.ascontiguousarray(array).astype("f8").ravel().tolist()
            for name, array in all_arrays.items()
            if name != "objects"
        },
        "images": images,
    }
    (HERE.parent / "own.json").write_text(json.dumps(text) + "\n")


main()
