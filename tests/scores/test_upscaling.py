"""Scores of a run that enlarges: whole pictures of its test split, beside bicubic's, by a judge that no loss has used."""

import dataclasses

import jax
import numpy as np
import pytest
from helpers import plan_of, tiny
from PIL import Image

from jaxgan.data import bicubic
from jaxgan.data.wholes import cut
from jaxgan.errors import UserError
from jaxgan.extractors.base import Points, Random
from jaxgan.metrics.upscaling import of_picture
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores import upscaling
from jaxgan.scores.of_run import RunEvaluator, check_eval
from jaxgan.sections import open_data

SIZES = {"train/a": (64, 64), "train/b": (48, 80), "test/c": (50, 66), "test/d": (40, 48)}
RUN = {
    "data__name": "picture_tiles", "data__size": 32, "data__jitter": 0, "eval__metrics": "upscaling", "eval__split": "test",
    "eval__features__name": "random", "eval__batch_size": 8, "eval__num_samples": 20,
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two smooth pictures to train on, and two to score."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("pictures")
    for name, (height, width) in SIZES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def run(home, tmp_path_factory):
    """(plan, images) of a network, by its name."""

    def made(name, **overrides):
        own = {"data__dir": home, "data__cache": tmp_path_factory.getbasetemp() / "cache", "nets__gen__name": name}
        config = tiny("srgan.py:srresnet", **(RUN | own | overrides))
        images = open_data(config)
        return Plan(config, images.features), images

    return made


def evaluated(plan, images):
    return RunEvaluator(plan, images, Placement())(plan.init(jax.random.key(0)), 0)


def test_bicubic_gains_nothing_on_itself(run):
    plan, images = run("bicubic")
    found = evaluated(plan, images)
    scores = {name: x["value"] for name, x in found["scores"].items()}
    own = found["measured"]["upscaling"]["bicubic"]
    assert {"psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "consistency", "perceptual"} == own.keys()
    assert scores == pytest.approx({**own, "gain": 0, "gain_low": 0, "gain_high": 0}, abs=1e-3)
    assert found["protocol"]["upscaling"]["scale"] == 4 and found["protocol"]["upscaling"]["pictures"]["number"] == 2


def test_scores_are_means_over_whole_pictures_of_the_test_split(run, home):
    plan, images = run("srresnet")
    found = evaluated(plan, images)
    pictures = found["measured"]["upscaling"]["pictures"]
    assert list(pictures) == ["test/c.png", "test/d.png"]
    for name, x in found["scores"].items():
        if not name.startswith("gain"):
            assert x["value"] == pytest.approx(np.mean([one[name] for one in pictures.values()]), abs=1e-4), name
    with Image.open(home / "test/c.png") as image:
        true = cut(np.asarray(image), 4)
    task, state = plan.task(), plan.init(jax.random.key(0))
    source = bicubic.shrink(true, 4)
    made = task.upscale({"gen": state.ema["gen"]}, source[None] / np.float32(127.5) - 1)
    made = np.clip(np.rint((np.asarray(made)[0] + 1) * 127.5), 0, 255).astype(np.uint8)
    for name, value in of_picture(true, made, 4).items():
        assert pictures["test/c.png"][name] == pytest.approx(value, abs=2e-3), name


def test_other_pictures_take_the_place_of_the_splits(run, home, tmp_path):
    plan, images = run("srresnet", eval__pictures=home / "test")
    same, own = (evaluated(one, images) for one in (plan, run("srresnet")[0]))
    assert same["scores"] == own["scores"]  # the same files, by another name
    assert same["protocol"]["upscaling"]["pictures"] == {
        "data": "test (2 pictures, down4)", "digest": same["protocol"]["upscaling"]["pictures"]["digest"], "number": 2,
    }  # fmt: skip
    Image.fromarray(np.full((40, 44), 200, np.uint8)).save(tmp_path / "grey.png")
    plan, _ = run("srresnet", eval__pictures=tmp_path)
    other = evaluated(plan, images)
    assert list(other["measured"]["upscaling"]["pictures"]) == ["grey.png"]
    assert other["protocol"]["upscaling"]["pictures"]["digest"] != same["protocol"]["upscaling"]["pictures"]["digest"]
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(UserError, match="'broken.png' of .* cannot be used: no picture that Pillow can read"):
        upscaling.check(plan, images)
    with pytest.raises(UserError, match="there is no '.*/tesst'; did you mean '.*test'?"):
        upscaling.check(run("srresnet", eval__pictures=home / "tesst")[0], images)
    with pytest.raises(UserError, match="eval.pictures is of the metric upscaling, which eval.metrics lacks"):
        check_eval(tiny("dcgan.py", eval__pictures=home))


def test_a_judge_sees_what_differs():
    rng, judge = np.random.default_rng(0), Random().load((40, 40, 3))
    true = rng.integers(0, 256, (40, 44, 3), dtype=np.uint8)
    near = np.clip(true.astype(int) + rng.integers(-5, 6, true.shape), 0, 255).astype(np.uint8)
    far = rng.integers(0, 256, true.shape, dtype=np.uint8)
    distances = [upscaling.distance(judge, true, x) for x in (true, near, far)]
    assert distances[0] == pytest.approx(0, abs=1e-9) and 0 < distances[1] < distances[2] < 4


def test_a_large_picture_is_judged_in_blocks(monkeypatch):
    rng, judge = np.random.default_rng(0), Random().load((40, 40, 3))
    a, b = rng.integers(0, 256, (2, 48, 32, 3), dtype=np.uint8)
    parts = [upscaling.distance(judge, a[rows], b[rows]) for rows in (slice(0, 32), slice(32, 48))]
    monkeypatch.setattr(upscaling, "BLOCK", 32)
    assert upscaling.distance(judge, a, b) == pytest.approx((2 * parts[0] + parts[1]) / 3)


def test_what_cannot_be_scored_is_refused_before_training(run, home):
    plan, images = run("srresnet")
    with pytest.raises(UserError, match="is of whole pictures beside their low resolution, and .* has none; .*photographs"):
        upscaling.check(plan, dataclasses.replace(images, wholes=None))
    Image.new("RGB", (64, 16)).save(home / "test/e.png")
    try:
        plan, images = run("srresnet", data__split="test", data__size=16)
        with pytest.raises(UserError, match="'test/e.png' of .* has 16x64 pixels, too few to score; .* a side below 19"):
            upscaling.check(plan, images)
    finally:
        (home / "test/e.png").unlink()


def test_a_network_of_the_losses_is_no_judge(run, monkeypatch):
    plan, images = run("srresnet")
    digests = {plan.extractor.hash: "features"}
    monkeypatch.setattr(Plan, "digests_in_losses", property(lambda self: digests))
    with pytest.raises(UserError, match="random is in the loss 'features' of this run, so it cannot judge it; another"):
        upscaling.open_pictures(plan, images)
    digests.clear()
    monkeypatch.setattr(Plan, "extractor", property(lambda self: Points().load((2,))))
    with pytest.raises(UserError, match="needs a network with maps, and points has none; .*=efficientnet_lite2"):
        upscaling.open_pictures(plan, images)


def test_other_runs_are_refused():
    plan = plan_of("dcgan.py", eval__metrics="upscaling", eval__features__name="random")
    from jaxgan.scores.checks import check_task
    from jaxgan.scores.table import find_scores

    with pytest.raises(UserError, match="upscaling"):
        check_task(plan, find_scores(("upscaling",)))
