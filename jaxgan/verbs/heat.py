"""A map of residuals as colours over a picture."""

import numpy as np

ORANGE, RED = (255, 170, 0), (220, 0, 0)
PALE, MOST = 0.55, 0.85  # of the grey picture below, its contrast; of a colour, how opaque it gets


def heated(pictures: np.ndarray, maps: np.ndarray, low: float, high: float) -> np.ndarray:
    """uint8 [N, H, W, 3]: pictures uint8 [N, H, W, C] in pale grey, under maps float [N, H, W]: clear up to `low`, orange
    halfway to `high`, red from there on."""
    colour = pictures[..., :3].astype(np.float32).mean(-1, keepdims=True)
    base = 255 - PALE * (255 - colour)
    strength = np.clip((np.nan_to_num(maps.astype(np.float32), nan=high) - low) / max(high - low, 1e-12), 0, 1)[..., None]
    ramp = np.maximum(0, 2 * strength - 1)
    tone = (1 - ramp) * np.array(ORANGE, np.float32) + ramp * np.array(RED, np.float32)
    opaque = MOST * np.minimum(1, 2 * strength)
    return np.rint((1 - opaque) * base + opaque * tone).astype(np.uint8)
