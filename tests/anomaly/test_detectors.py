"""Each detector finds what it must, in batches of any composition; and what it refuses."""

from importlib.util import find_spec

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import devices, plan_of, tiny

from jaxgan.anomaly.base import Found, OfNetworks
from jaxgan.anomaly.detector import Detector, make_detector
from jaxgan.anomaly.patches import _greedy
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.extractors import efficientnet
from jaxgan.generate import trained
from jaxgan.nets.layers import Norm
from jaxgan.placement import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.tasks.protocols import Anomaly

SIDE = 12


def bars(n: int, seed: int = 0, spot: bool = False) -> np.ndarray:
    """Pictures of one bright row; with a spot elsewhere, which normal ones never have."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 20, (n, SIDE, SIDE, 1), dtype=np.uint8)
    images[np.arange(n), rng.integers(0, 5, n)] = 200
    if spot:
        images[:, 8:11, 3:6] = 255
    return images


def set_of(pixels: np.ndarray) -> Images:
    return Images("bars", Arrays(pixels, None, np.arange(len(pixels))), features_of(pixels.shape[1:]), True)


def made(plan, normal=None, placement=None, nets=None) -> Detector:
    nets = nets or trained(plan, plan.init(jax.random.key(0)), ema=False)
    return make_detector(plan, nets, set_of(bars(60)) if normal is None else normal, placement)


def assert_alone_and_among_others(detector: Detector, images: np.ndarray, at: int = 5) -> None:
    """Picture `at` has the same bits in another place of a batch, beside other pictures."""
    whole = detector(images)
    order = np.roll(np.arange(len(images)), 3)[: at + 4]
    some = detector(images[order])
    where = int(np.flatnonzero(order == at)[0])
    assert where != at and len(some.score) == len(order)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[at], b[where]), whole, some)


def test_pca_against_scikit_learn():
    from sklearn.decomposition import PCA

    plan, normal, odd = plan_of(eval__detector__name="pca", eval__batch_size=8), bars(60), bars(10, 1, spot=True)
    detector = made(plan, set_of(normal))
    rows = [x.reshape(len(x), -1) / 127.5 - 1 for x in (normal, odd)]
    fitted = PCA(0.95).fit(rows[0])
    wanted = ((fitted.inverse_transform(fitted.transform(rows[1])) - rows[1]) ** 2).mean(1)
    found = detector(odd)
    np.testing.assert_allclose(found.score, wanted, rtol=1e-4)
    assert f"{len(fitted.components_)} components" in detector.title and "60 images" in detector.title
    assert found.score.min() > detector(bars(30, 2)).score.max()
    top = found.map.reshape(10, -1).argmax(1)
    assert np.isin(top // SIDE, [8, 9, 10]).all() and np.isin(top % SIDE, [3, 4, 5]).all()
    assert found.reconstruction.shape == odd.shape and found.map.shape == odd.shape[:3]
    assert_alone_and_among_others(detector, np.concatenate([odd, normal[:7]]))


def test_pca_counts_components_or_shares_of_the_variance():
    whole = plan_of(eval__detector__name="pca", eval__detector__components=3, eval__detector__images=20)
    assert made(whole).title.startswith("PCA, 3 components") and made(whole).title.endswith("20 images")
    for components, message in (
        (2.5, "whole number, or below 1 a share"),
        (100, "60 images of 144 numbers have 60 at most"),
    ):
        with pytest.raises(UserError, match=message):
            made(plan_of(eval__detector__name="pca", eval__detector__components=components))


@pytest.fixture
def small_network(monkeypatch):
    """EfficientNet-lite0 with random weights, so that the package with its own is not needed."""
    rng = np.random.default_rng(0)

    def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) == 1:
            return np.full(shape, name.endswith(("weight", "running_var")), np.float32)
        return rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)

    state = {name: drawn(name, shape) for name, shape in efficientnet.shapes().items()}
    monkeypatch.setattr(efficientnet, "weights_path", lambda: "nowhere")
    monkeypatch.setattr(efficientnet.convnet, "read", lambda path, shapes: state)


@pytest.mark.slow
def test_patches(small_network):
    fields = {"name": "patches", "side": 64, "memory": 300, "coreset": "greedy"}
    plan = plan_of(**{f"eval__detector__{name}": x for name, x in fields.items()}, eval__batch_size=8)
    normal, odd = bars(40), bars(9, 1, spot=True)
    detector = made(plan, set_of(normal))
    found = detector(odd)
    assert found.score.min() > detector(bars(20, 2)).score.max()
    assert found.reconstruction is None and "300 patches" in detector.title
    assert_alone_and_among_others(detector, np.concatenate([odd, normal[:7]]))
    # A bank of all patches has the training images' own.
    everything = plan_of(**{f"eval__detector__{name}": x for name, x in (fields | {"memory": 10**6}).items()})
    assert made(everything, set_of(normal[:6]))(normal[:6]).score.max() < 1e-3 * found.score.min()


@pytest.mark.slow
@pytest.mark.skipif(not find_spec(efficientnet.PACKAGE), reason='needs the extra "features"')
def test_patches_of_the_real_network_say_where():
    plan = plan_of(eval__detector__name="patches", eval__detector__side=96, eval__batch_size=8)
    found = made(plan, set_of(bars(40)))(bars(9, 1, spot=True))
    top = found.map.reshape(9, -1).argmax(1)
    assert (np.abs(top // SIDE - 9) <= 2).all() and (np.abs(top % SIDE - 4) <= 2).all()


def test_the_greedy_coreset_leaves_nothing_far_away():
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    points[17] = 40  # alone, far away
    chosen = np.asarray(_greedy(jnp.asarray(points), 20))
    assert len(set(chosen.tolist())) == 20 and chosen[1] == 17

    def reach(some):
        return np.linalg.norm(points[:, None] - points[some], axis=-1).min(1).max()

    assert reach(chosen) < 0.7 * min(reach(np.random.default_rng(i).choice(300, 20)) for i in range(20))


def search(**fields):
    own = {"name": "search", "steps": 60, "restarts": 3, "lr": 0.1} | fields
    return plan_of("dcgan.py", eval__batch_size=12, **{f"eval__detector__{name}": x for name, x in own.items()})


@pytest.fixture(scope="module")
def searched():
    plan = search()
    nets = trained(plan, plan.init(jax.random.key(1)), ema=False)
    task = plan.task()
    own = task.generate(nets.players, task.draw(jax.random.split(jax.random.key(5), 6)))
    inside = np.asarray(jnp.round((own + 1) * 127.5)).astype(np.uint8)
    return plan, nets, inside


@pytest.mark.slow
def test_search_finds_what_the_generator_makes_and_little_else(searched):
    plan, nets, inside = searched
    detector = made(plan, nets=nets)
    assert detector.size == 4  # of 12, in three searches each
    found, odd = detector(inside), detector(bars(6, spot=True))
    assert found.score.max() < 0.5 * odd.score.min()
    near = np.abs(found.reconstruction - (inside / 127.5 - 1)).sum((1, 2, 3))
    np.testing.assert_allclose(found.parts["image"], near, rtol=1e-4)
    np.testing.assert_allclose(found.score, 0.9 * found.parts["image"] + 0.1 * found.parts["features"], rtol=1e-5)
    np.testing.assert_allclose(found.map.sum((1, 2)), near, rtol=1e-4)  # of one channel
    assert_alone_and_among_others(detector, np.concatenate([inside, bars(7)]))


@pytest.mark.slow
def test_the_best_of_more_starts_is_never_worse_and_the_same_pixels_start_alike(searched):
    plan, nets, inside = searched
    scores = {r: made(search(restarts=r), nets=nets)(inside).score for r in (1, 3)}
    assert (scores[3] <= scores[1] * (1 + 1e-5)).all() and (scores[3] < scores[1]).any()
    detector = made(plan, nets=nets)
    again = detector(np.repeat(inside[:1], 2, 0)).score
    assert again[0] == again[1]


@pytest.mark.slow
def test_a_detector_goes_on_with_other_networks(searched):
    plan, nets, inside = searched
    other = trained(plan, plan.init(jax.random.key(7)), ema=False)
    detector, fresh = made(plan, nets=nets), made(plan, nets=other)
    detector.move(other)
    jax.tree.map(np.testing.assert_array_equal, detector(inside), fresh(inside))


@pytest.mark.slow
def test_search_in_a_frozen_run_from_its_encoder_too():
    """The frozen generator makes the pictures; an encoder that says their z is right from the start."""
    donor = plan_of("fanogan.py:wgan")
    state = jax.device_get(donor.init(jax.random.key(5)).replace(rng=None))
    frozen = {"first": Donor(donor.task, {player: state.variables(player) for player in donor.players}, {"title": ""})}
    own = {"eval__detector__name": "search", "eval__detector__steps": 1, "eval__batch_size": 8, "eval__detector__lr": 1e-6}
    task, scores = donor.task(), {}
    z = task.draw(jax.random.split(jax.random.key(1), 5))["z"]
    images = task.generate(frozen["first"].variables, {"z": z, "noise": jax.random.split(jax.random.key(0), 5)})
    pixels = np.asarray(jnp.round((images + 1) * 127.5)).astype(np.uint8)
    for start in ("random", "encoder"):
        plan = Plan(tiny("fanogan.py", eval__detector__start=start, **own), features_of((SIDE, SIDE, 1), 10), frozen)
        nets = trained(plan, plan.init(jax.random.key(0)), ema=False)
        detector = made(plan, nets=nets)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(plan.task()), "encode", lambda self, variables, image: z[: len(image)])
            scores[start] = made(plan, nets=nets)(pixels[:2]).score
        assert detector.title.endswith(f"({start})") and np.isfinite(detector(pixels).score).all()
    assert (scores["encoder"] < 0.2 * scores["random"]).all()


class Own:
    """A task that says how bright an image is."""

    averaged = ()

    def init(self, rng):
        return {}

    def init_memory(self):
        return {}

    def anomalies(self, players, image):
        return Anomaly(image.mean((1, 2, 3)), None, None, {"image": image.max((1, 2, 3))})


def test_the_task_says_it_itself(monkeypatch):
    plan = plan_of(eval__batch_size=8)
    monkeypatch.setattr(plan, "task", lambda *_, **__: Own())
    monkeypatch.setattr(plan, "can", lambda protocol: isinstance(Own(), protocol))
    detector, images = made(plan), bars(19)
    found = detector(images)
    np.testing.assert_allclose(found.score, (images / 127.5 - 1).mean((1, 2, 3)), atol=1e-6)
    assert found.map is None and found.score.dtype == np.float32 and len(found.parts["image"]) == 19
    spread = made(plan, placement=Placement(devices=devices(4)))
    assert spread.size == 8
    np.testing.assert_array_equal(spread(images).score, found.score)


def test_scores_that_are_not_finite_end_it():
    plan = Found("", lambda variables, image, numbers: Anomaly(jnp.log(image.mean((1, 2, 3))), None, None, {}), ())
    with pytest.raises(UserError, match="2 of 3 scores of abnormality are not finite"):
        Detector(plan, 4)(np.stack([np.zeros((2, 2, 1)), np.zeros((2, 2, 1)), np.ones((2, 2, 1))]).astype(np.uint8))


class Net(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        return Norm("batch")(x, train)


def test_batch_norm_in_its_wrong_mode_is_that_of_training():
    x = np.random.default_rng(0).normal(3, 2, (8, 5, 5, 4)).astype(np.float32)
    variables = Net().init(jax.random.key(0), x, False)
    variables["params"]["Norm_0"]["BatchNorm_0"]["scale"] = jnp.arange(1.0, 5)
    training, _ = Net().apply(variables, x, True, mutable=["batch_stats"])
    with OfNetworks(batch_norm="batch").mode():
        wrong = Net().apply(variables, x, False)
    np.testing.assert_allclose(wrong, training, atol=1e-5)
    with OfNetworks().mode():
        right = Net().apply(variables, x, False)
    assert np.abs(right - training).max() > 1
    assert OfNetworks().leaks == () and len(OfNetworks(batch_norm="batch", calibrate="test").leaks) == 2


def test_scores_by_the_batch_depend_on_it(monkeypatch):
    class Normed(Own):
        def anomalies(self, players, image):
            return super().anomalies(players, image + Net().apply(variables, image, False))

    variables = Net().init(jax.random.key(0), jnp.zeros((1, SIDE, SIDE, 1)), False)
    plan = plan_of(eval__batch_size=8, eval__detector__batch_norm="batch")
    monkeypatch.setattr(plan, "task", lambda *_, **__: Normed())
    monkeypatch.setattr(plan, "can", lambda protocol: True)
    images, detector = bars(11), made(plan)
    found = detector(images).score
    seen = images / 127.5 - 1
    whole, rest = seen[:8], seen[8:]  # the last batch is no larger than it is
    wanted = [x + (x - part.mean()) / np.sqrt(part.var() + 1e-5) for part in (whole, rest) for x in part]
    np.testing.assert_allclose(found, np.mean(wanted, (1, 2, 3)), atol=1e-4)
    assert "BatchNorm takes the statistics of the test batch, mixed" in plan.detector.leaks


def test_what_does_not_suit_a_run():
    for spec, fields, message in (
        ("dcgan.py", {}, "task.name=latent has no score of abnormality of its own; .*detector.name=search"),
        ("pix2pix.py", {"name": "search"}, "task.name=paired has not both; name a run of configs/anogan.py"),
        ("dcgan.py", {"name": "search", "start": "encoder"}, "task.name=latent has none; name one of configs/fanogan.py"),
        ("wgan.py", {"name": "search", "batch_norm": "batch", "BN": 0}, "of networks with BatchNorm"),
    ):
        more = {"nets__gen__norm": "none", "nets__disc__norm": "none"} if fields.pop("BN", 1) == 0 else {}
        plan = plan_of(spec, **{f"eval__detector__{name}": x for name, x in fields.items()}, **more)
        with pytest.raises(UserError, match=message):
            plan.detector.check(plan)
    with pytest.raises(UserError, match="a critic of single images"):
        plan = plan_of("dcgan.py", eval__detector__name="search", critic__pack=2)
        plan.detector.check(plan)
