"""Frames as of an ultrasound device, with people's details written into them. From a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.objects import FAMILIES, GIVEN

SIZES = ((640, 480), (800, 600), (1024, 768))
COLOURS = ((255, 255, 255), (255, 220, 80), (120, 220, 255), (150, 255, 150), (255, 140, 140))


@dataclass
class Frame:
    """Pixels (RGB), where each identifier's letters lie, and the picture's own region."""

    pixels: np.ndarray
    texts: list[str] = field(default_factory=list)
    # Left, top, right, bottom of each.
    places: list[tuple[int, int, int, int]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    region: tuple[int, int, int, int] = (0, 0, 0, 0)


def speckle(width: int, height: int, seed: int) -> np.ndarray:
    """A sector of noise on black, as ultrasound looks."""
    noise = np.random.default_rng(seed)
    grey = noise.rayleigh(28, (height, width))
    down, across = np.mgrid[0:height, 0:width]
    from_top, from_middle = down - height * 0.12, across - width / 2
    radius = np.hypot(from_top, from_middle)
    inside = (radius < height * 0.8) & (radius > height * 0.08) & (abs(from_middle) < from_top)
    grey = np.where(inside, grey * (1.3 - radius / height), 0)
    return np.repeat(grey.clip(0, 200).astype(np.uint8)[..., None], 3, axis=2)


def identifiers(chance: random.Random) -> list[str]:
    family, given = chance.choice(FAMILIES), chance.choice(GIVEN)
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1930, 2020)
    return [
        f"{family.upper()}, {given}", f"{day:02}.{month:02}.{year}",
        f"ID {chance.randint(10**6, 10**8)}", f"Dr. {chance.choice(FAMILIES)}",
        f"{family} Klinik", f"ACC{chance.randint(10**5, 10**7)}",
    ]  # fmt: skip


def frame(seed: int, size: tuple[int, int] | None = None, count: int = 6) -> Frame:
    """Make a frame with `count` identifiers: beside the picture, over it, faint, upright."""
    chance = random.Random(seed)
    width, height = size or chance.choice(SIZES)
    picture = Image.fromarray(speckle(width, height, seed))
    made = Frame(np.zeros(0), region=(0, height // 8, width, height))
    for text in identifiers(chance)[:count]:
        kind = chance.choice(["plain", "coloured", "faint", "over", "upright"])
        for _ in range(40):
            if _write(picture, made, text, kind, chance):
                break
    made.pixels = np.asarray(picture).copy()
    return made


def _write(picture: Image.Image, made: Frame, text: str, kind: str, chance: random.Random) -> bool:
    """Write a text where no other is; what is beside the picture stands on black."""
    font = ImageFont.load_default(chance.randint(11, 24))
    stamp = Image.new("L", (round(font.getlength(text)) + 4, round(font.size * 1.5)))
    ImageDraw.Draw(stamp).text((2, 1), text, 255, font)
    bounds = stamp.getbbox()
    assert bounds is not None
    stamp = stamp.crop(bounds)
    if kind == "upright":
        stamp = stamp.rotate(chance.choice([90, 270]), expand=True)
    top_edge = picture.height // 8 if kind == "over" else 2
    left = chance.randint(2, max(2, picture.width - stamp.width - 4))
    top = chance.randint(top_edge, max(top_edge, picture.height - stamp.height - 4))
    place = (left, top, left + stamp.width, top + stamp.height)
    if place[2] > picture.width or place[3] > picture.height or any(
        place[0] < one[2] + 12 and one[0] < place[2] + 12
        and place[1] < one[3] + 12 and one[1] < place[3] + 12 for one in made.places
    ):  # fmt: skip
        return False
    colour = (255, 255, 255)
    if kind == "coloured":
        colour = chance.choice(COLOURS)
    elif kind == "faint":
        colour = (90, 90, 90)
        # Faint letters stand on black: over speckle nobody reads them.
        picture.paste((0, 0, 0), (place[0] - 4, place[1] - 4, place[2] + 4, place[3] + 4))
    picture.paste(colour, (left, top), stamp)
    made.texts.append(text)
    made.places.append(place)
    made.kinds.append(kind)
    return True
