"""What a classifier's answers tell."""

import numpy as np


def inception_score(probabilities: np.ndarray, splits: int = 10) -> float:
    """exp(E KL(p(y|x) || p(y))), the mean over splits in the order given: Salimans et al. 2016, "Improved Techniques for
    Training GANs". probabilities: [N, K], rows that sum to 1."""
    scores = []
    for part in np.array_split(np.asarray(probabilities, np.float64), min(splits, len(probabilities))):
        logs = np.log(np.maximum(part, 1e-300))
        marginal = np.log(np.maximum(part.mean(0), 1e-300))
        scores.append(np.exp((part * (logs - marginal)).sum(1).mean()))
    return float(np.mean(scores))


def class_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Total variation, in [0, 1], between the two sides' frequencies of the likeliest class: 0 if every class comes as
    often as it should. real, fake: [N, K] and [M, K]."""
    histograms = [np.bincount(x.argmax(1), minlength=x.shape[1]) / len(x) for x in (real, fake)]
    return float(np.abs(histograms[0] - histograms[1]).sum() / 2)
