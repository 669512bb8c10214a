"""How near images are to the very images they should be: l1, PSNR and SSIM, pair by pair.

SSIM: Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", section III.

Both stacks are [N, H, W, C], or [N, H, W] as `luminance` makes them, uint8 or floats of that range, [0, 255]. Scores are
float64 [N], to be averaged over images. One pair at a time is in float64, so memory does not grow with N.
"""

from collections.abc import Callable

import numpy as np

from jaxgan.errors import UserError

PEAK = 255.0
MOST = 100.0  # dB
LUMA = np.array([65.481, 128.553, 24.966]) / PEAK
RADIUS = 5  # of the window, which is 11 x 11
WINDOW = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * 1.5**2))
WINDOW /= WINDOW.sum()
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def l1(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The mean absolute difference over all of an image's numbers, in [0, 1]: 1 is black against white. Raises UserError
    for stacks of unlike shapes."""
    return _each(lambda x, y: np.abs(x - y).mean() / PEAK, a, b)


def psnr(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """10 log10(255^2 / MSE) in dB, the MSE being over all of an image's numbers, all channels together.

    At most 100 dB, also for identical images, so that a mean over images stays finite: an MSE below 6.5e-6 is none.
    Papers average dB over images; the dB of a mean MSE are never more. Raises UserError for stacks of unlike shapes.
    """
    errors = _each(lambda x, y: ((x - y) ** 2).mean(), a, b)
    with np.errstate(divide="ignore"):  # of identical images
        return np.minimum(MOST, 10 * np.log10(PEAK**2 / errors))


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Eq. 13 with K1 = .01, K2 = .03, L = 255 and a Gaussian window of 11 x 11 and sigma 1.5: in [-1, 1], 1 for identical
    images.

    The mean over the channels, each by itself, and over the places where the whole window is inside the image, as in the
    authors' ssim_index.m, without the downsampling that their later ssim.m does. Of each pair it is scikit-image's
    `structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)`, with
    `channel_axis=-1` where there are channels.

    Raises UserError for images smaller than the window and for stacks of unlike shapes.
    """
    _check(a, b)
    check_sides(a.shape[1:])
    return _each(_ssim, a, b)


def check_sides(shape: tuple[int, ...]) -> None:
    """Refuses images [H, W, C] that `ssim` has no window for. Raises UserError."""
    if min(shape[:2]) < len(WINDOW):
        raise UserError(f"ssim has a window of 11x11 pixels, so images of {shape[0]}x{shape[1]} are too small for it")


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Y of ITU-R BT.601, 16 + (65.481 R + 128.553 G + 24.966 B) / 255, of [..., 3] in [0, 255]: float64 [...] in [16, 235].

    What super-resolution papers score, by `psnr(luminance(a), luminance(b))` and as much for `ssim`, the peak staying 255,
    and most of them only inside a border as wide as the factor. MATLAB's rgb2ycbcr on uint8 rounds; this does not. Raises
    UserError for other than 3 channels.
    """
    if pixels.ndim < 1 or pixels.shape[-1] != 3:
        raise UserError(f"luminance is of pixels [..., 3], not of {list(pixels.shape)}")
    out = np.full(pixels.shape[:-1], 16.0)
    for channel, weight in enumerate(LUMA):  # channels one by one: a float64 copy of all is three times the result
        out += pixels[..., channel] * weight
    return out


def _ssim(x: np.ndarray, y: np.ndarray) -> float:
    mx, my, xx, yy, xy = _windowed(np.stack([x, y, x * x, y * y, x * y]))
    means, products = mx * mx + my * my, mx * my
    similar = (2 * products + C1) * (2 * (xy - products) + C2)
    return (similar / ((means + C1) * (xx + yy - means + C2))).mean()


def _windowed(maps: np.ndarray) -> np.ndarray:
    """[K, H, W, ...] under the window, where it fits: [K, H - 10, W - 10, ...]."""
    from scipy.ndimage import correlate1d  # takes most of a second

    rows = correlate1d(maps, WINDOW, axis=1)[:, RADIUS:-RADIUS]
    return correlate1d(rows, WINDOW, axis=2)[:, :, RADIUS:-RADIUS]


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape or a.ndim not in (3, 4):
        raise UserError(
            f"pairs need two stacks of one shape, [N, H, W, C] or [N, H, W], not {list(a.shape)} and {list(b.shape)}"
        )


def _each(score: Callable[[np.ndarray, np.ndarray], float], a: np.ndarray, b: np.ndarray) -> np.ndarray:
    _check(a, b)
    return np.array([score(np.asarray(x, np.float64), np.asarray(y, np.float64)) for x, y in zip(a, b)], np.float64)
