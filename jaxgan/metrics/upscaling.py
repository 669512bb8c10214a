"""How near an enlarged picture is to the one that it should be, as papers on super resolution measure it.

Both pictures are uint8 [H, W, C], C being 1 or 3. A border as wide as the factor is cut off first, where padding and not the
network decides. Luminance is that of `pairs.luminance`, 16 to 235, the peak staying 255: 1.3 dB above luminance of the full
range, and above RGB by more where channels err apart. So no score is named without its colours.
"""

import numpy as np

from jaxgan.errors import UserError
from jaxgan.metrics import pairs

SCORES = ("psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb")
LEAST = 2 * pairs.RADIUS + 1  # pixels of a side that are left, for SSIM's window


def of_picture(true: np.ndarray, made: np.ndarray, border: int) -> dict[str, float]:
    """{"psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb"}: dB, at most 100, and shares. Grey ones have the same in both colours.

    Raises UserError for pictures of unlike shapes, and for those that are too small without their border.
    """
    if true.shape != made.shape:
        raise UserError(f"pictures of unlike shapes, {list(true.shape)} and {list(made.shape)}, cannot be compared")
    if min(true.shape[:2]) < LEAST + 2 * border:
        shape = "x".join(map(str, true.shape[:2]))
        raise UserError(
            f"a picture of {shape} is too small to score: without {border} pixels at each edge, {LEAST} are needed"
        )
    inside = slice(border, -border or None)
    true, made = true[inside, inside], made[inside, inside]
    luminances = [pairs.luminance(x) if x.shape[-1] == 3 else x[..., 0] for x in (true, made)]
    found = {}
    for colours, (a, b) in {"y": luminances, "rgb": (true, made)}.items():
        found |= {f"psnr_{colours}": float(pairs.psnr(a[None], b[None])[0])}
        found |= {f"ssim_{colours}": float(pairs.ssim(a[None], b[None])[0])}
    return found


def bootstrap_interval(values: np.ndarray, draws: int = 1000, level: float = 0.95) -> tuple[float, float]:
    """The middle of the bootstrap over pictures of a mean. values: [N], one of each picture; a difference to another method
    on the same picture is free of what both have in common, how hard the picture is."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
