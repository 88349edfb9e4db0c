"""Cuts the two Roboto faces down to the characters that figures use, and adds a few mathematical signs.

    python subset.py FOLDER_OF_ROBOTO_TTF

needs fonttools and brotli. Roboto has no nabla, arrows, similarity or odot: they are drawn here, from outlines that
the face already has where there is one, so that a caption in a picture says the same as the prose beside it.
"""

import math
import sys
from pathlib import Path

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180)]
GREEK = [*range(0x391, 0x3CA)]
SIGNS = [ord(c) for c in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ₀₁₂₃₄₅₆₇₈₉₋₊ᵀᵢₜ−×·±≤≥≠≈∞√∂∑∏∫∆‖⟨⟩…–—‘’“”•′″ℓ†‡◊"]
HERE = Path(__file__).parent


def bounds(glyphs, name):
    pen = BoundsPen(glyphs)
    glyphs[name].draw(pen)
    return pen.bounds


def outline(glyphs, name):
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    return pen


def add(font, name, code, draw, advance):
    pen = TTGlyphPen(None)
    draw(pen)
    glyph = pen.glyph()
    font["glyf"][name] = glyph
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (advance, glyph.xMin)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[code] = name


def polygon(pen, points):
    """A filled polygon: clockwise, as TrueType wants it, so that parts which overlap do not cut each other."""
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))
    points = points if area < 0 else points[::-1]
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()


def ring(pen, cx, cy, r, turn):
    """A circle of 16 quadratic arcs; `turn` is the sense: -1 fills, 1 cuts a hole."""
    n = 16
    at = lambda k, r: (round(cx + r * math.cos(turn * 2 * math.pi * k / n)), round(cy + r * math.sin(turn * 2 * math.pi * k / n)))
    pen.moveTo(at(0, r))
    for k in range(n):
        pen.qCurveTo(at(k + 0.5, r / math.cos(math.pi / n)), at(k + 1, r))
    pen.closePath()


def signs(font):
    glyphs, cmap = font.getGlyphSet(), font.getBestCmap()
    delta, minus, tilde = cmap[0x2206], cmap[0x2212], cmap[ord("~")]
    _, low, _, high = bounds(glyphs, delta)
    flip = lambda pen: outline(glyphs, delta).replay(TransformPen(pen, (1, 0, 0, -1, 0, low + high)))
    add(font, "nabla", 0x2207, flip, font["hmtx"][delta][0])
    same = lambda pen: outline(glyphs, tilde).replay(pen)
    add(font, "similar", 0x223C, same, font["hmtx"][tilde][0])

    left, low, right, high = bounds(glyphs, minus)
    mid, stroke, side = (low + high) / 2, high - low, left
    left, right, advance = side, side + 1.45 * (right - left), round(2 * side + 1.45 * (right - left))
    head = 0.30 * (right - left)
    shaft = [(left, low), (left, high), (right - stroke, high), (right - stroke, low)]
    tip = [(right, mid), (right - head - stroke * 0.6, mid + head), (right - head - stroke * 1.3, mid + head - stroke * 0.55),
           (right - stroke * 1.25, mid), (right - head - stroke * 1.3, mid - head + stroke * 0.55), (right - head - stroke * 0.6, mid - head)]
    turn = {"arrowright": (0x2192, 1, 0, 0, 1), "arrowleft": (0x2190, -1, 0, 0, -1),
            "arrowup": (0x2191, 0, 1, -1, 0), "arrowdown": (0x2193, 0, -1, 1, 0)}
    cx = advance / 2
    for name, (code, a, b, c, d) in turn.items():
        place = lambda p: (round(cx + a * (p[0] - cx) + c * (p[1] - mid)), round(mid + b * (p[0] - cx) + d * (p[1] - mid)))
        add(font, name, code, lambda pen: [polygon(pen, [place(p) for p in part]) for part in (shaft, tip)], advance)

    radius = (right - left) / 2
    def odot(pen):
        ring(pen, cx, mid, radius, -1)
        ring(pen, cx, mid, radius - stroke * 0.8, 1)
        ring(pen, cx, mid, stroke * 0.9, -1)
    add(font, "odot", 0x2299, odot, advance)

    def element(pen):
        outer, inner, w = radius, radius - stroke, stroke
        arc = lambda r: [(cx + 0.1 * w + r * math.cos(t), mid + r * math.sin(t)) for t in [math.pi / 2 + math.pi * k / 12 for k in range(13)]]
        end = right
        points = [(end, mid + outer), *arc(outer), (end, mid - outer), (end, mid - inner), *reversed(arc(inner)), (end, mid + inner)]
        polygon(pen, [(round(x), round(y)) for x, y in points])
        polygon(pen, [(round(x), round(y)) for x, y in [(left, mid - w / 2), (left, mid + w / 2), (end, mid + w / 2), (end, mid - w / 2)]])
    add(font, "element", 0x2208, element, advance)


def main(folder):
    for face in ("Roboto-Regular", "Roboto-Medium"):
        font = TTFont(Path(folder) / f"{face}.ttf")
        signs(font)
        options = Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], glyph_names=False)
        options.drop_tables += ["GDEF", "GPOS", "GSUB", "kern", "DSIG", "hdmx", "VDMX", "LTSH", "gasp"]
        cut = Subsetter(options)
        added = [0x2207, 0x223C, 0x2192, 0x2190, 0x2191, 0x2193, 0x2299, 0x2208]
        cut.populate(unicodes=LATIN + GREEK + SIGNS + added)
        cut.subset(font)
        missing = [chr(c) for c in SIGNS + added if c not in font.getBestCmap()]
        font["head"].modified = font["head"].created
        font.recalcTimestamp = False
        font.save(HERE / f"{face}.ttf")
        font.flavor = "woff2"
        font.save(HERE / f"{face}.woff2")
        print(face, len(font.getBestCmap()), "characters; not in the face:", "".join(missing))


main(sys.argv[1])
