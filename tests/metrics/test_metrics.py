"""Metrics of features: closed forms, the reference tools' numbers on the same features, and known damage."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.metrics import classes, kid, neighbours
from jaxgan.metrics.moments import Moments, frechet_distance
from jaxgan.scores.metric import score_name
from jaxgan.scores.names import better_way
from jaxgan.scores.table import find_scores


def of(features: np.ndarray) -> Moments:
    out = Moments.empty(features.shape[1])
    for part in np.array_split(features, 7):
        out.add(part)
    return out


def gaussian(n: int, dims: int = 8, mean: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, dims)) * scale + mean).astype(np.float32)


def test_moments_are_numpys_and_do_not_mind_a_large_mean():
    x = gaussian(1000, mean=1e4).astype(np.float64)
    moments = of(x)
    np.testing.assert_allclose(moments.mean, x.mean(0), rtol=1e-14)
    np.testing.assert_allclose(moments.covariance, np.cov(x.T), rtol=0, atol=1e-10)


def exact(mean: np.ndarray, covariance: np.ndarray) -> Moments:
    return Moments(1001, mean, covariance * 1000)


def test_frechet_distance_of_gaussians_in_closed_form():
    """For commuting covariances: |m|^2 + sum (s_a - s_b)^2."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    a, b = rng.uniform(0.1, 3, (2, 6))
    shift = rng.normal(size=6)
    value = frechet_distance(exact(np.zeros(6), basis * a**2 @ basis.T), exact(shift, basis * b**2 @ basis.T))
    assert value == pytest.approx((shift**2).sum() + ((a - b) ** 2).sum(), rel=1e-12)


def test_frechet_distance_of_a_set_to_itself_and_of_singular_ones():
    x = gaussian(100)
    assert frechet_distance(of(x), of(x)) == pytest.approx(0, abs=1e-9)
    flat = x.copy()
    flat[:, 4:] = 0  # four dimensions without variance
    assert frechet_distance(of(flat), of(flat)) == pytest.approx(0, abs=1e-9)
    # What is lost is the variance of the four.
    assert frechet_distance(of(x), of(flat)) == pytest.approx(4, rel=0.3)


def test_frechet_distance_refuses_fewer_images_than_dimensions():
    few, many = of(gaussian(8)), of(gaussian(100))
    with pytest.raises(UserError, match="needs more than 8 images on each side, not 8.*allow_few"):
        frechet_distance(many, few)
    assert frechet_distance(many, few, allow_few=True) > 0


def test_kid_is_unbiased_and_sees_a_shift():
    same = [kid.kid(gaussian(500, seed=i), gaussian(500, seed=i + 50), subsets=5, size=250)[0] for i in range(20)]
    mean, error = np.mean(same), np.std(same, ddof=1) / np.sqrt(20)
    assert abs(mean) < 3 * error
    value, error = kid.kid(gaussian(500), gaussian(500, mean=0.5, seed=1))
    assert value > 10 * error > 0


@pytest.mark.parametrize("parts, shift, most", [(4, 0.0, 4.0), (60, 0.0, 1.7), (60, 0.3, 1.5)])
def test_kids_error_is_what_other_images_would_have_given(parts, shift, most):
    """Of so many subsets' images; with few the error is told too large, with many it is near the truth."""
    n, draws = 20 * parts, []
    for i in range(40):
        draws.append(kid.kid(gaussian(n, seed=2 * i), gaussian(n, mean=shift, seed=2 * i + 1), size=20))
    spread, told = np.std([value for value, _ in draws], ddof=1), np.mean([error for _, error in draws])
    assert 0.7 * spread < told < most * spread
    assert np.isnan(kid.kid(gaussian(15), gaussian(15))[1])  # too few for blocks


def test_prdc_by_hand():
    """Reals at 0, 1, 2, 3 with radius 1; fakes at .5 (in the balls of 0 and 1) and 9 (in none)."""
    real, fake = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0.5], [9.0]])
    out = neighbours.prdc(real, fake, k=1)
    assert out["precision"] == 0.5 and out["density"] == (2 + 0) / 2
    assert out["coverage"] == 0.5  # of 0 and 1
    assert out["recall"] == 1  # the fakes' radius is 8.5: all reals are within


def test_repetition_tells_copies_from_new_images():
    real, fresh = gaussian(1000), gaussian(500, seed=1)
    assert neighbours.repetition(real, fresh)["copied"] < 0.05
    assert neighbours.repetition(real, real[:500])["copied"] == 1
    doubled = np.concatenate([fresh, fresh])
    assert neighbours.repetition(real, fresh)["repeated"] < 0.05
    assert neighbours.repetition(real, doubled)["repeated"] == 1
    twins = np.concatenate([real, real[:100]])  # reals that come twice must not hide copies
    assert neighbours.repetition(twins, real[:500]) == {"copied": 1, "repeated": 0}
    with pytest.raises(UserError, match="number 5 need more than 5 images on each side, not 5"):
        neighbours.prdc(real, fresh[:5])


def test_inception_score_by_hand():
    sure = np.eye(4)[np.arange(400) % 4]
    assert classes.inception_score(sure) == pytest.approx(4)
    assert classes.inception_score(np.full((400, 4), 0.25)) == pytest.approx(1)
    assert classes.inception_score(sure[::4]) == pytest.approx(1)  # one class alone


def test_class_distance_by_hand():
    all_four, two = np.eye(4)[np.arange(400) % 4], np.eye(4)[np.arange(400) % 2]
    assert classes.class_distance(all_four, all_four[::-1]) == 0
    assert classes.class_distance(all_four, two) == pytest.approx(0.5)


def test_names_carry_the_protocol_and_fid_is_inceptions_alone():
    fid = Network("inception", "", "", None, len, is_fid=True)
    assert score_name("fd", fid, 50_000) == "fid50k"
    assert score_name("kid", fid, 10_000) == "kid10k"
    assert score_name("fd", fid._replace(is_fid=False), 50_000) == "fd_inception50k"
    digits = Network("digits", "", "", None, len)
    assert score_name("fd", digits, 5000) == "fd_digits5k"
    assert score_name("recall", digits, 1234) == "recall_digits1234"
    lite0 = Network("efficientnet_lite0", "", "", None, len)
    assert score_name("kid", lite0, 1000) == "kid_efficientnet_lite0_1k"


def test_features_that_are_no_numbers_are_refused():
    with pytest.raises(UserError, match="the features of 1 of 3 images are not finite"):
        Moments.empty(1).add(np.array([[0.0], [np.nan], [1.0]]))


def test_unknown_metrics_are_refused():
    with pytest.raises(UserError, match="unknown metric 'fdd' in eval.metrics; did you mean 'fd'"):
        find_scores(["fdd"])


def test_as_pytorch_fid():
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    a, b = gaussian(500, 64), gaussian(400, 64, 0.2, 1.3, seed=1)
    statistics = [x for y in (a, b) for x in (y.astype(np.float64).mean(0), np.cov(y.astype(np.float64), rowvar=False))]
    theirs = fid_score.calculate_frechet_distance(*statistics)
    assert frechet_distance(of(a), of(b)) == pytest.approx(theirs, rel=1e-6)


def test_as_torch_fidelity():
    torch = pytest.importorskip("torch")
    metric_fid, metric_kid, metric_isc = (
        pytest.importorskip(f"torch_fidelity.metric_{name}") for name in ("fid", "kid", "isc")
    )
    a, b = gaussian(500, 64), gaussian(500, 64, 0.2, 1.3, seed=1)
    statistics = [{"mu": x.mean(0), "sigma": np.cov(x.T)} for x in (a.astype(np.float64), b.astype(np.float64))]
    theirs = metric_fid.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(of(a), of(b)) == pytest.approx(theirs, rel=1e-9)
    theirs = metric_kid.kernel_mmd(a.astype(np.float64), b.astype(np.float64))
    assert kid.polynomial_mmd(a, b) == pytest.approx(theirs, rel=1e-9)
    logits = gaussian(500, 10, scale=3, seed=2)
    probabilities = torch.softmax(torch.from_numpy(logits).double(), 1).numpy()
    theirs = metric_isc.isc_features_to_metric(torch.from_numpy(logits), splits=10, shuffle=False)
    assert classes.inception_score(probabilities) == pytest.approx(theirs["inception_score_mean"], rel=1e-9)


def test_as_prdc():
    package = pytest.importorskip("prdc")
    a, b = gaussian(600, 16), gaussian(500, 16, 0.1, 1.2, seed=1)
    theirs = package.compute_prdc(real_features=a, fake_features=b, nearest_k=5)
    ours = neighbours.prdc(a, b)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0.1 < ours["recall"] < 0.99  # these features tell something


def test_which_way_a_score_is_better():
    names = {"fid50k": "lower", "fd_digits5k": "lower", "is_digits5k": "higher", "is50k": "higher", "recall10k": "higher"}
    assert {name: better_way(name) for name in names} == names
