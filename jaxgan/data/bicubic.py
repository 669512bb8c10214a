"""Bicubic resizing by the conventions of MATLAB's `imresize`, which made the low resolution pictures of the field's test
sets.

The kernel is Keys' with a = -1/2 (Keys 1981, equation 15). Pixel i covers [i, i + 1], so that centres are at halves. Where a
side shrinks, the kernel is stretched by the ratio, which is the antialiasing, and each pixel's weights are normalised to sum
to one. Beyond the border the picture is mirrored, its last row first. Rows are resized before columns, in float64; 8-bit
results are clipped, and rounded once, halves up.

Pillow's BICUBIC has the same kernel and antialiasing, but leaves out what lies beyond the border. OpenCV's has a = -3/4 and
no antialiasing.
"""

from collections.abc import Iterator

import numpy as np

A = -0.5
STRIP = 2**22  # numbers of a strip of output rows: what is between the passes stays small
TIE = 1e-9  # sums of weights that are exactly a half come out up to 1e-13 below it


def shrink(pixels: np.ndarray, k: int) -> np.ndarray:
    """uint8 [H, W, C] -> uint8 [H / k, W / k, C]. Raises ValueError where k does not divide a side."""
    height, width = pixels.shape[:2]
    if k < 1 or height % k or width % k:
        raise ValueError(f"its size is {height}x{width}, which is no multiple of {k}")
    return _eight_bits(pixels, height // k, width // k)


def enlarge(pixels: np.ndarray, k: int) -> np.ndarray:
    """uint8 [H, W, C] -> uint8 [k H, k W, C]."""
    return _eight_bits(pixels, pixels.shape[0] * k, pixels.shape[1] * k)


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """float64 [H, W, C] -> float64 [height, width, C], neither clipped nor rounded. Other numbers are taken as float64."""
    out = np.empty((height, width, pixels.shape[2]))
    for rows, strip in _strips(pixels, height, width):
        out[rows] = strip
    return out


def taps(given: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """How a side of `given` pixels becomes one of `wanted`: the indices int [wanted, T] that each pixel is made of, in
    [0, given), and their weights [wanted, T], which sum to one."""
    ratio = wanted / given
    stretch = min(ratio, 1.0)
    centre = (np.arange(wanted) + 0.5) / ratio - 0.5
    first = np.ceil(centre - 2 / stretch).astype(int)
    index = first[:, None] + np.arange(int(np.ceil(4 / stretch)) + 1)
    weights = kernel((centre[:, None] - index) * stretch)
    weights /= weights.sum(1, keepdims=True)
    used = np.flatnonzero(np.any(weights, axis=0))
    mirrored = index[:, used] % (2 * given)
    return np.where(mirrored < given, mirrored, 2 * given - 1 - mirrored), weights[:, used]


def kernel(x: np.ndarray) -> np.ndarray:
    """Keys' cubic of a = -1/2 at distances x: 1 at 0; 0 at 1, and from 2 on."""
    x = np.abs(x)
    near = ((A + 2) * x - (A + 3)) * x * x + 1
    far = ((A * x - 5 * A) * x + 8 * A) * x - 4 * A
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _eight_bits(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    out = np.empty((height, width, pixels.shape[2]), np.uint8)
    for rows, strip in _strips(pixels, height, width):
        out[rows] = np.floor(np.clip(strip, 0, 255) + (0.5 + TIE))
    return out


def _strips(pixels: np.ndarray, height: int, width: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Parts of the resized picture [rows, width, C], from the top down."""
    index, weights = taps(pixels.shape[0], height)
    across = taps(pixels.shape[1], width)
    step = max(1, STRIP // (max(width, pixels.shape[1]) * pixels.shape[2]))
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        tall = _weighted(pixels, index[rows], weights[rows])
        yield rows, _weighted(np.ascontiguousarray(tall.swapaxes(0, 1)), *across).swapaxes(0, 1)


def _weighted(x: np.ndarray, index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rows of x [N, ...] in sums [M, ...]. By taps and not by a product of matrices: most weights would be zero, and the
    order of the sum would be the library's."""
    out = np.zeros((len(index), *x.shape[1:]))
    for tap in range(index.shape[1]):
        out += weights[:, tap, None, None] * x[index[:, tap]]
    return out
