"""What a classifier's answers tell."""

import numpy as np

from jaxgan.errors import UserError

SURE = 0.9  # a probability


def inception_score(probabilities: np.ndarray, splits: int = 10) -> float:
    """exp(E KL(p(y|x) || p(y))), the mean over splits in the order given: Salimans et al. 2016, "Improved Techniques for
    Training GANs". probabilities: [N, K], rows that sum to 1. Raises UserError for fewer than two images a split: of one the
    score is 1 whatever it shows."""
    if len(probabilities) < 2 * splits:
        raise UserError(
            f"an Inception Score of {splits} splits needs at least {2 * splits} images, not {len(probabilities)}"
        )
    scores = []
    for part in np.array_split(np.asarray(probabilities, np.float64), splits):
        logs = np.log(np.maximum(part, 1e-300))
        marginal = np.log(np.maximum(part.mean(0), 1e-300))
        scores.append(np.exp((part * (logs - marginal)).sum(1).mean()))
    return float(np.mean(scores))


def modes(shares: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """{"modes": classes that are the likeliest one of some fake, "reverse_kl": nats, "high_quality": share of fakes whose
    likeliest class has a probability above .9}, classes being modes (Srivastava et al. 2017, section 4.2).

    shares: the real images' of the modes, [K]. fake: probabilities [M, K]. reverse_kl is KL(q || p), q the fakes' shares of
    the modes and p the reals'. M fakes of the right distribution have about (K - 1) / (2 M) of it: .019 for 26,000 of 1,000.
    """
    p, q = shares, np.bincount(fake.argmax(1), minlength=fake.shape[1]) / len(fake)
    found = q > 0
    return {
        "modes": float(found.sum()),
        "high_quality": float((fake.max(1) > SURE).mean()),
        "reverse_kl": float(np.sum(q[found] * np.log(q[found] / p[found]))),
    }


def shares(probabilities: np.ndarray) -> np.ndarray:
    """Of the likeliest classes [K] among images [N, K], with one image of each class added, so that none is 0."""
    counts = np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]) + 1.0
    return counts / counts.sum()


def class_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Total variation, in [0, 1], between the two sides' frequencies of the likeliest class: 0 if every class comes as
    often as it should. real, fake: [N, K] and [M, K]."""
    histograms = [np.bincount(x.argmax(1), minlength=x.shape[1]) / len(x) for x in (real, fake)]
    return float(np.abs(histograms[0] - histograms[1]).sum() / 2)
