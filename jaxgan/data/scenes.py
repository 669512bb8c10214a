"""The scenes of the data set `shapes`: what is in them, how they look, and which class each of their pixels has."""

from dataclasses import dataclass

import numpy as np

SPLITS = {"train": 4000, "validation": 500, "test": 1000}
COUNTS = ("one", "two", "three")
KINDS = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "yellow", "green", "cyan", "blue", "purple")
SHADES = ("light", "dark")
SIZES = ("small", "large")
CLASSES = ("background", *COLOURS)  # of a pixel
PALETTE = np.array(  # uint8 [7, 3], what maps of classes are drawn with
    [[0, 0, 0], [255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]], np.uint8
)
INKS = np.array(  # uint8 [7, 2, 3], what pictures are drawn with: each class' light and dark shade
    [
        [[222, 222, 216], [56, 56, 62]],
        [[242, 112, 104], [150, 26, 26]],
        [[242, 226, 104], [166, 132, 16]],
        [[120, 226, 112], [24, 120, 32]],
        [[110, 232, 232], [16, 134, 142]],
        [[112, 150, 242], [30, 48, 156]],
        [[214, 124, 240], [116, 28, 132]],
    ],
    np.uint8,
)
TEXTURE = 12  # a texture adds -12 to 12 to every channel
CELLS = 32
RADII = (4, 7)  # half the side of the box around a small object, a large one, in cells
OVERLAP = 1 / 8  # of the smaller box; two such leave half of a triangle, the kind that fills least of its box


@dataclass(frozen=True)
class Scene:
    """factors: float32 [objects, 6], the indices of kind, colour, shade and size, and the centre x, y with the side as unit.

    background: the index of its shade. textures: int [1 + objects, 2], of the background and each object: the kind (stripes,
    shading) and one of four directions. A later object lies over an earlier one.
    """

    factors: np.ndarray
    background: int
    textures: np.ndarray

    def __len__(self) -> int:
        return len(self.factors)

    @property
    def caption(self) -> str:
        """As "a large dark red circle above a small light green cross"; true of the centres, by the larger offset."""
        named = [
            f"a {SIZES[size]} {SHADES[shade]} {COLOURS[colour]} {KINDS[kind]}"
            for kind, colour, shade, size in self.factors[:, :4].astype(int)
        ]
        if len(self) == 1:
            return named[0]
        pair = f"{named[0]} {relation(self.factors[0], self.factors[1])} {named[1]}"
        if len(self) == 2:
            return pair
        kind, colour = self.factors[1, :2].astype(int)
        return f"{pair}, and {named[2]} {relation(self.factors[2], self.factors[1])} the {COLOURS[colour]} {KINDS[kind]}"


def scene(split: str, i: int) -> Scene:
    """Scene i of a split."""
    rng = np.random.default_rng([list(SPLITS).index(split), i])
    n = rng.integers(1, len(COUNTS) + 1)
    kind, shade, size = rng.integers(0, [[len(KINDS)], [len(SHADES)], [len(SIZES)]], (3, n))
    colour = rng.permutation(len(COLOURS))[:n]
    background = int(rng.integers(len(SHADES)))
    textures = rng.integers(0, [2, 4], (1 + n, 2))
    radius = np.take(RADII, size)
    while not _spread(centre := rng.integers(radius + 1, CELLS - radius, (2, n)), radius):
        pass
    factors = np.stack([kind, colour, shade, size, *centre / CELLS], 1)
    return Scene(factors.astype(np.float32), background, textures)


def render(scene: Scene, side: int) -> dict[str, np.ndarray]:
    """A scene at a side in px.

    image uint8 [side, side, 3]; labels uint8 [side, side, 3], each pixel's class in PALETTE; outline uint8 [side, side, 1],
    lines of 0 and one pixel on 255, inside the upper object; objects int [side, side], 0 the background and 1 the first
    object; boxes float32 [objects, 4], (top, left, bottom, right) of what can be seen of each, with the side as unit.
    """
    line = (np.arange(side) + 0.5) / side
    x, y = line[None, :], line[:, None]
    objects = np.zeros((side, side), int)
    tones = _texture(scene.textures[0], x - 0.5, y - 0.5, 0.5)
    for k, (kind, _, _, size, cx, cy) in enumerate(scene.factors):
        radius = RADII[int(size)] / CELLS
        inside = is_inside(KINDS[int(kind)], (x - cx) / radius, (y - cy) / radius)
        objects[inside] = k + 1
        tones = np.where(inside, _texture(scene.textures[k + 1], x - cx, y - cy, radius), tones)
    colour, shade = scene.factors[:, 1].astype(int), scene.factors[:, 2].astype(int)
    classes = np.array([0, *colour + 1])[objects]
    ink = INKS[classes, np.array([scene.background, *shade])[objects]]
    around = np.pad(objects, 1, mode="edge")
    lowest = np.min([around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]], axis=0)
    return {
        "image": (ink.astype(int) + tones[..., None]).astype(np.uint8),
        "labels": PALETTE[classes],
        "outline": np.where(lowest < objects, 0, 255).astype(np.uint8)[..., None],
        "objects": objects,
        "boxes": np.array([_box(objects == k) for k in range(1, len(scene) + 1)], np.float32) / np.float32(side),
    }


def decode(pixels: np.ndarray) -> np.ndarray:
    """The class of each pixel of pictures [..., H, W, 3], 0 to 255, by the nearest of shades and what lies between a class'
    two: int32 [..., H, W]."""
    return _nearest(pixels, INKS)


def decode_labels(pixels: np.ndarray) -> np.ndarray:
    """The class of each pixel of maps of classes [..., H, W, 3], 0 to 255, by the nearest of PALETTE: int32 [..., H, W]."""
    return _nearest(pixels, np.stack([PALETTE, PALETTE], 1))


def _spread(centre: np.ndarray, radius: np.ndarray) -> bool:
    """Whether no two boxes share more than OVERLAP of the smaller: centres [2, objects] and radii [objects] in cells."""
    smaller = np.minimum(radius[:, None], radius)
    apart = abs(centre[:, :, None] - centre[:, None])
    shared = np.clip(radius[:, None] + radius - apart, 0, 2 * smaller).prod(0)
    return bool(np.all((shared <= OVERLAP * (2 * smaller) ** 2) | np.eye(len(radius), dtype=bool)))


def relation(one: np.ndarray, other: np.ndarray) -> str:
    """Where an object with these factors is, seen from another."""
    x, y = one[4:] - other[4:]
    if abs(y) >= abs(x):
        return "above" if y < 0 else "below"
    return "to the left of" if x < 0 else "to the right of"


def is_inside(kind: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether (x, y), y downwards, are in an object around 0 that touches all sides of the box from -1 to 1."""
    if kind == "circle":
        return x**2 + y**2 < 1
    box = np.maximum(abs(x), abs(y)) < 1
    if kind == "square":
        return box
    if kind == "triangle":
        return box & (2 * abs(x) < 1 + y)
    return box & (np.minimum(abs(x), abs(y)) < 0.35)


def _texture(texture: np.ndarray, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Levels int [side, side] to add, at places relative to the centre of what they cover."""
    kind, direction = texture
    along = (x + 0 * y, y + 0 * x, x + y, x - y)[direction]
    if kind == 0:
        return np.where(np.floor(along / (3 / CELLS)) % 2 == 0, -TEXTURE, TEXTURE)
    return np.rint(TEXTURE * np.clip(along / radius, -1, 1)).astype(int)


def _box(seen: np.ndarray) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) in px, the last two the first ones outside."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def _nearest(pixels: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Which of the segments between `ends` [K, 2, 3] is nearest."""
    pixels = np.asarray(pixels, np.float32)
    index, best = np.zeros(pixels.shape[:-1], np.int32), np.full(pixels.shape[:-1], np.inf, np.float32)
    for k, (start, end) in enumerate(ends.astype(np.float32)):
        along, offset = end - start, pixels - start
        share = np.clip(offset @ along / max(along @ along, 1), 0, 1)[..., None]
        distance = np.sum((offset - share * along) ** 2, -1)
        index[distance < best] = k
        best = np.minimum(best, distance)
    return index
