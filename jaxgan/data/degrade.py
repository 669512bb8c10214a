"""The second-order degradation of Real-ESRGAN (Wang et al. 2021, section 3, and the authors' settings), in numpy and Pillow.

A picture is blurred, resized, made noisy and saved as JPEG, and all of that a second time. The second time it ends at its
low resolution, and a sinc filter, which rings as an over-sharpened picture does, comes before or after its JPEG. Everything
that is drawn follows from (seed, number) alone, so that any example can be made anew.

What differs from the authors' code: resizing is Pillow's, with antialiasing, and theirs has none. So shrinking is milder on
fine texture here.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

VERSION = 1  # of what pictures become; another one is another data set
SIDES = np.arange(7, 22, 2)  # of kernels, pixels
KINDS = ("iso", "aniso", "generalised iso", "generalised aniso", "plateau iso", "plateau aniso")
SHARES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
SINC, GREY, GAUSSIAN = 0.1, 0.4, 0.5  # how often a blur is a sinc filter, and noise is grey, and Gaussian
LAST_SINC = 0.8  # how often the last step has a sinc filter
QUALITY = (30, 95)  # of JPEG
WAYS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


@dataclass(frozen=True)
class Round:
    """The settings of one of the two rounds.

    blur: how often there is one. sigma: of its Gaussian, pixels. ways: how often the picture is made larger, smaller, and
    kept. sides: the least and the largest factor. gaussian: standard deviations of noise, levels of 255. poisson: factors
    of photon noise.
    """

    blur: float
    sigma: tuple[float, float]
    ways: tuple[float, float, float]
    sides: tuple[float, float]
    gaussian: tuple[float, float]
    poisson: tuple[float, float]


FIRST = Round(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1.0, 30.0), (0.05, 3.0))
SECOND = Round(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1.0, 25.0), (0.05, 2.5))


def degraded(pixels: np.ndarray, scale: int, number: int, seed: int) -> np.ndarray:
    """uint8 [H, W, 3] -> uint8 [H / scale, W / scale, 3], a function of the pixels, (seed, number), and Pillow's JPEG.

    number: of the example. The sides are multiples of the scale."""
    rng = np.random.default_rng([seed, number])
    height, width = pixels.shape[0], pixels.shape[1]
    low = height // scale, width // scale
    x = pixels / 255.0
    for settings, base in ((FIRST, (height, width)), (SECOND, low)):
        if rng.random() < settings.blur:
            x = blurred(x, _kernel(rng, settings.sigma))
        x = _resized(x, *_sides(rng, settings, base), rng)
        x = _noisy(x, settings, rng)
        if settings is FIRST:
            x = _jpeg(x, rng)
    ringing = sinc_kernel(rng.uniform(np.pi / 3, np.pi), int(rng.choice(SIDES))) if rng.random() < LAST_SINC else None
    if rng.random() < 0.5:
        x = _jpeg(_ended(x, low, ringing, rng), rng)
    else:
        x = _ended(_jpeg(x, rng), low, ringing, rng)
    return _eight_bits(x)


def blurred(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Pictures [H, W, C] by a kernel [K, K] of odd sides; beyond the border they are mirrored, the last row first."""
    reach = len(kernel) // 2
    padded = np.pad(x, ((reach, reach), (reach, reach), (0, 0)), "symmetric")
    shape = padded.shape[:2]
    spectrum = np.fft.rfft2(padded, axes=(0, 1)) * np.fft.rfft2(kernel, shape)[..., None]
    return np.fft.irfft2(spectrum, shape, axes=(0, 1))[2 * reach :, 2 * reach :]


def gaussian_kernel(kind: str, side: int, sigma: tuple[float, float], angle: float, beta: float) -> np.ndarray:
    """A kernel [side, side] that sums to one (the paper's section 3.1).

    kind: of `KINDS`. sigma: along its two axes, pixels; isotropic kernels take the first. angle: of the first axis, radians.
    beta: the exponent of generalised kernels, of which 1 is a Gaussian, and of plateaus."""
    across, along = (sigma[0], sigma[0]) if kind.endswith(" iso") or kind == "iso" else sigma
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(turn @ np.diag([across**2, along**2]) @ turn.T)
    y, x = np.mgrid[:side, :side] - side // 2
    at = np.stack([x, y], -1)
    distance = np.einsum("...i,ij,...j", at, inverse, at)
    if kind.startswith("plateau"):
        out = 1 / (1 + distance**beta)
    else:
        out = np.exp(-0.5 * (distance**beta if kind.startswith("generalised") else distance))
    return out / out.sum()


def sinc_kernel(cutoff: float, side: int) -> np.ndarray:
    """The circular low-pass filter [side, side] of a cutoff in radians a pixel (the paper's section 3.3), summing to one."""
    from scipy.special import j1  # takes half a second

    y, x = np.mgrid[:side, :side] - side // 2
    radius = np.hypot(x, y)
    radius[side // 2, side // 2] = 1
    out = cutoff * j1(cutoff * radius) / (2 * np.pi * radius)
    out[side // 2, side // 2] = cutoff**2 / (4 * np.pi)
    return out / out.sum()


def _kernel(rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    side = int(rng.choice(SIDES))
    if rng.random() < SINC:
        return sinc_kernel(rng.uniform(np.pi / 3 if side < 13 else np.pi / 5, np.pi), side)
    kind = str(rng.choice(KINDS, p=SHARES))
    axes = float(rng.uniform(*sigma)), float(rng.uniform(*sigma))
    flatter = rng.random() < 0.5  # of generalised kernels, those below a Gaussian's 1
    beta = rng.uniform(1, 2) if kind.startswith("plateau") else rng.uniform(*((0.5, 1) if flatter else (1, 4)))
    return gaussian_kernel(kind, side, axes, float(rng.uniform(-np.pi, np.pi)), float(beta))


def _sides(rng: np.random.Generator, settings: Round, base: tuple[int, int]) -> tuple[int, int]:
    """The sides after a round's resizing."""
    way = rng.choice(3, p=settings.ways)
    least, most = settings.sides
    factor = (rng.uniform(1, most), rng.uniform(least, 1), 1.0)[way]
    return max(1, round(base[0] * factor)), max(1, round(base[1] * factor))


def _resized(x: np.ndarray, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    way = WAYS[rng.integers(len(WAYS))]
    planes = [Image.fromarray(plane.astype(np.float32)).resize((width, height), way) for plane in np.moveaxis(x, -1, 0)]
    return np.stack([np.asarray(plane, np.float64) for plane in planes], -1)


def _noisy(x: np.ndarray, settings: Round, rng: np.random.Generator) -> np.ndarray:
    """With Gaussian or photon noise, of each channel or of all together."""
    is_gaussian, is_grey = rng.random() < GAUSSIAN, rng.random() < GREY
    if is_gaussian:
        deviation = rng.uniform(*settings.gaussian) / 255
        noise = deviation * rng.standard_normal((*x.shape[:2], 1 if is_grey else x.shape[2]))
    else:
        factor, clean = rng.uniform(*settings.poisson), _eight_bits(x)
        clean = clean.mean(-1, keepdims=True).astype(np.uint8) if is_grey else clean
        photons = 2.0 ** np.ceil(np.log2(len(np.unique(clean))))  # at white: as many as the picture has levels
        noise = factor * (rng.poisson(clean / 255 * photons) / photons - clean / 255)
    return np.clip(x + noise, 0, 1)


def _jpeg(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(_eight_bits(x)).save(file, "JPEG", quality=int(rng.integers(QUALITY[0], QUALITY[1] + 1)))
    with Image.open(file, formats=("JPEG",)) as image:
        return np.asarray(image) / 255.0


def _ended(x: np.ndarray, low: tuple[int, int], ringing: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """At its low resolution, and by the last sinc filter, if there is one."""
    x = _resized(x, *low, rng)
    return x if ringing is None else blurred(x, ringing)


def _eight_bits(x: np.ndarray) -> np.ndarray:
    return np.floor(np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
