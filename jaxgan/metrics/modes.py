"""Modes that a generator of points has found (Srivastava et al. 2017, section 4.1; Lin et al. 2018, section 4)."""

import numpy as np

from jaxgan.data.source import Modes

NEAR = 3  # standard deviations


def modes(points: np.ndarray, real: Modes) -> dict[str, float]:
    """{"modes": how many have a point near, "high_quality": share of near points, "reverse_kl": nats}.

    A point [N, D] is near its nearest centre if less than three standard deviations away. reverse_kl is KL(p || uniform)
    with p the shares of the near points among the modes, in [0, log(modes)]; without any near point it is the largest.
    """
    distances = np.linalg.norm(points[:, None].astype(np.float64) - real.centres[None], axis=2)
    nearest = distances.argmin(1)[distances.min(1) < NEAR * real.std]
    shares = np.bincount(nearest, minlength=len(real.centres)) / max(1, len(nearest))
    found = shares[shares > 0]
    return {
        "modes": float(len(found)),
        "high_quality": len(nearest) / len(points),
        "reverse_kl": float(np.log(len(shares)) + np.sum(found * np.log(found))),
    }
