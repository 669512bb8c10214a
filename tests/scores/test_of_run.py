"""Scores of runs and of foreign samples: repeatable, with their protocol, and moved by known damage as they must be."""

import json
import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest
from helpers import assert_same_bits, devices, launch, noise_images, plan_of
from PIL import Image, ImageFilter
from training.test_train import metrics_of, state_of

from jaxgan.config.run import Eval
from jaxgan.data.by_name import open_by_name
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError
from jaxgan.extractors.base import Random
from jaxgan.extractors.digits import Digits
from jaxgan.images import save_npz, save_png
from jaxgan.placement import Placement
from jaxgan.scores.code import code_of
from jaxgan.scores.collect import Collector
from jaxgan.scores.evaluator import Evaluator, stored
from jaxgan.scores.of_run import RunEvaluator, same_protocol
from jaxgan.training.train import train
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

SMALL = {
    "eval__features__name": "random", "eval__features__width": 2, "eval__num_samples": 20, "eval__batch_size": 8,
    "eval__metrics": "fd,kid,prdc,repetition",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def fit(folder, **overrides):
    train(plan_of("dcgan.py", **(SMALL | overrides)), noise_images(), folder, "dcgan.py")
    return folder


def scored(folder, step=None, repeats=1, placement=None, **overrides):
    pairs = [(key.replace("__", "."), str(value)) for key, value in overrides.items()]
    placement = placement or Placement()
    plan, step, state = load_run(folder, placement, step, pairs)
    return RunEvaluator(plan, noise_images(), placement)(state, step, repeats)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shard_map", "pmap"])
def test_evaluating_while_training_and_again_afterwards(kind, tmp_path):
    folder = fit(tmp_path / "run", eval__every=2, parallel=kind)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "eval/fd_random20" in line] == [2, 4]
    kept = Workdir(folder).evaluations()
    assert [one["step"] for one in kept] == [2, 4]
    assert [len(one["scores"]["fd_random20"]["values"]) for one in kept] == [1, 3]  # at its end as many sets as asked for
    for step, one in zip((2, 4), kept):
        again = scored(folder, step, 3 if step == 4 else 1)
        assert again["scores"] == one["scores"] and again["protocol"] == one["protocol"]  # to the last bit
        assert again["measured"]["code"] == one["measured"]["code"] == code_of(SMALL["eval__metrics"].split(","), "random")
    assert kept[0]["scores"]["fd_random20"] != kept[1]["scores"]["fd_random20"]
    Workdir(folder).add_evaluation(scored(folder, 4))
    assert len(Workdir(folder).evaluations()) == 2  # in place of the same one
    assert lines[-1]["eval/fd_random20"] == kept[-1]["scores"]["fd_random20"]["values"][0]


@pytest.mark.slow
def test_scores_that_a_stop_came_before_are_made_up_for(tmp_path):
    whole = fit(tmp_path / "run", eval__every=2)
    kept, lines = Workdir(whole).evaluations(), (whole / "metrics.jsonl").read_text()
    (whole / "evaluation.json").unlink()
    (whole / "DONE").unlink()
    (whole / "metrics.jsonl").write_text("".join(lines.splitlines(keepends=True)[:-1]))
    fit(whole, eval__every=2)
    [one] = Workdir(whole).evaluations()
    assert one["step"] == 4 and one["scores"] == kept[-1]["scores"] and (whole / "DONE").exists()
    assert (whole / "metrics.jsonl").read_text() == lines


@pytest.mark.slow
def test_a_run_that_goes_back_to_an_older_checkpoint_logs_its_scores_again(tmp_path):
    folder = fit(tmp_path / "run", eval__every=2)
    kept, metrics = Workdir(folder).evaluations(), metrics_of(folder)
    shutil.rmtree(folder / "checkpoints" / "4")
    (folder / "DONE").unlink()
    fit(folder, eval__every=2)
    assert metrics_of(folder) == metrics
    assert [(one["step"], one["scores"]) for one in Workdir(folder).evaluations()] == [
        (one["step"], one["scores"]) for one in kept
    ]


@pytest.mark.slow
def test_evaluation_may_be_switched_on_in_an_existing_run(tmp_path):
    fit(tmp_path / "run", steps=2)
    fit(tmp_path / "run", eval__every=3, eval__split="", eval__num_samples=30)
    assert [one["step"] for one in Workdir(tmp_path / "run").evaluations()] == [3, 4]


def test_what_cannot_be_scored_is_refused_before_the_first_step(tmp_path):
    with pytest.raises(UserError, match="needs more than 8 images on each side, not 7"):
        fit(tmp_path / "run", eval__every=4, eval__num_samples=7)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_evaluating_leaves_the_run_as_it_is(tmp_path):
    plain, evaluated = fit(tmp_path / "plain"), fit(tmp_path / "evaluated", eval__every=1)
    assert_same_bits(state_of(plain), state_of(evaluated))
    assert metrics_of(plain) == [line for line in metrics_of(evaluated) if "disc/loss" in line]


@pytest.mark.slow
def test_sets_of_samples_differ_and_their_spread_is_told(tmp_path):
    result = scored(fit(tmp_path / "run"), repeats=3)
    one = result["scores"]["fd_random20"]
    assert len(set(one["values"])) == 3
    assert one["value"] == pytest.approx(np.mean(one["values"]))
    assert one["std"] == pytest.approx(np.std(one["values"], ddof=1))
    assert result["protocol"]["samples"]["weights"] == "moving average"
    raw = scored(tmp_path / "run", eval__ema=False)
    assert raw["protocol"]["samples"]["weights"] == "raw"
    assert raw["scores"]["fd_random20"] != scored(tmp_path / "run")["scores"]["fd_random20"]


@pytest.mark.slow
def test_any_number_of_devices(tmp_path):
    folder = fit(tmp_path / "run")
    one, four = (scored(folder, placement=Placement("shard_map", devices(n)))["scores"] for n in (1, 4))
    for name in one:
        assert one[name]["value"] == pytest.approx(four[name]["value"], rel=1e-3, abs=1e-6)
    assert scored(folder, placement=Placement("pmap", devices(4)))["scores"] == four


@pytest.mark.slow
def test_refusals(tmp_path, monkeypatch):
    folder = fit(tmp_path / "run")
    with pytest.raises(UserError, match="eval.num_real=49, but noise has 48 images"):
        scored(folder, eval__num_real=49)
    with pytest.raises(UserError, match="has no checkpoint of step 3, but of 2, 4"):
        scored(folder, step=3)
    with pytest.raises(UserError, match="digits takes square pictures of at least 16x16 with up to 3 channels, not 12x12x1"):
        scored(folder, eval__features__name="digits")
    with pytest.raises(UserError, match="needs more than 8 images on each side, not 7"):
        scored(folder, eval__num_samples=7)
    with pytest.raises(UserError, match="this extractor has no classes; leave 'is', 'classes' and 'class_modes' out"):
        scored(folder, eval__metrics="is")
    with pytest.raises(UserError, match="num_samples must be at least 1"):
        scored(folder, eval__num_samples=0)
    plan, step, state = load_run(folder, Placement())
    monkeypatch.setattr(plan, "shapes", lambda: state.replace(ema={}))
    with pytest.raises(UserError, match="keeps no moving averages"):
        RunEvaluator(plan, noise_images(), Placement())
    broken = state.replace(ema=jax.tree.map(lambda x: x * np.nan, state.ema))
    plan = load_run(folder, Placement())[0]
    with pytest.raises(UserError, match="8 of 8 generated images are not finite"):
        RunEvaluator(plan, noise_images(), Placement())(broken, step)
    with pytest.raises(UserError, match="unknown metric 'fdd'"):
        mistaken = SMALL | {"eval__metrics": "fdd", "eval__every": 2}
        train(plan_of("dcgan.py", **mistaken), noise_images(), tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_unlike_protocols_are_not_compared(tmp_path):
    folder = fit(tmp_path / "run")
    same = [scored(folder, step) for step in (2, 4)]
    same_protocol(same)
    with pytest.raises(UserError, match="samples.images is 20 in one and 24 in another"):
        same_protocol([*same, scored(folder, eval__num_samples=24)])
    with pytest.raises(UserError, match="extractor.weights is"):
        same_protocol([*same, scored(folder, eval__features__seed=1)])


def test_real_statistics_are_kept_under_their_whole_protocol(tmp_path, monkeypatch):
    real, seen = replace(noise_images(), digest="0123"), []
    collect = Collector.__call__
    monkeypatch.setattr(Collector, "__call__", lambda self, *a: (seen.append(1), collect(self, *a))[1])
    wanted = Eval(metrics=("fd", "kid"), num_samples=20, batch_size=8)

    def statistics(wanted=wanted, images=real, seed=0):
        return Evaluator(wanted, Random(seed, 2).load(images.image_shape), images, Placement()).real

    assert statistics(replace(wanted, metrics=("fd",), num_real=30)).features is None  # nothing that grows with their number
    for file in (tmp_path / "cache" / "jaxgan" / "statistics").iterdir():
        file.unlink()
    seen.clear()
    first, second = statistics(), statistics()
    assert len(seen) == 1
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.moments.scatter, second.moments.scatter)
    [file] = (tmp_path / "cache" / "jaxgan" / "statistics").glob("*.npz")
    whole = file.read_bytes()
    for damaged in (whole[:1000], whole[:-900] + bytes([whole[-900] ^ 1]) + whole[-899:], b""):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(statistics().features, first.features)
    seen[:] = [1]
    statistics(replace(wanted, num_real=40))
    statistics(seed=1)
    statistics(images=replace(real, digest="4567"))
    statistics(images=noise_images())  # whose content nothing fixes
    statistics(images=noise_images())
    assert len(seen) == 6


def of(pixels) -> Images:
    return Images("some", Arrays(np.asarray(pixels), None, np.arange(len(pixels))), features_of(np.shape(pixels)[1:]), False)


@pytest.fixture(scope="module")
def digits():
    train, test = (Tfds(name="digits", split=split).open().load() for split in ("train", "test"))
    chosen = np.random.default_rng(1).permutation(len(train["image"]))[:1000]
    return train["image"][chosen], train["label"][chosen], test["image"]


@pytest.mark.slow
def test_known_damage_moves_each_metric_as_it_must(digits):
    fresh, labels, real = digits
    wanted = Eval(metrics=("fd", "kid", "prdc", "repetition", "is", "classes"), num_samples=1000)
    evaluator = Evaluator(wanted, Digits().load((28, 28, 1)), of(real), Placement())

    def scores(pixels):
        batches = stored(of(pixels), np.arange(len(pixels)), evaluator.size, Placement())
        out = evaluator(batches, len(pixels))
        return {name.partition("_digits")[0]: value for name, value in out.items()}

    def blurred(radius):
        pictures = [Image.fromarray(x[..., 0]).filter(ImageFilter.GaussianBlur(radius)) for x in fresh]
        return np.stack([np.asarray(picture)[..., None] for picture in pictures])

    def noisy(level):
        noise = np.random.default_rng(0).normal(0, level, fresh.shape)
        return np.clip(fresh + noise, 0, 255).astype(np.uint8)

    floor = scores(fresh)
    assert abs(floor["kid"]) < 4 * floor["kid_error"] and floor["precision"] > 0.9 and floor["recall"] > 0.9
    assert floor["coverage"] > 0.9 and floor["is"] > 9 and floor["copied"] < 0.05 and floor["class_distance"] < 0.06
    noisy_scores = scores(noisy(120))
    for damage, levels in ((blurred, (1.0, 2.0)), (noisy, (40, 120))):
        some, much = (scores(damage(level)) for level in levels)
        assert floor["fd"] < some["fd"] < much["fd"] and floor["kid"] < some["kid"] < much["kid"], damage.__name__
        for name in ("coverage", "recall"):
            assert floor[name] > some[name] > much[name], damage.__name__
    # Blur leaves precision alone: few strokes are like many, and so are the classifier's answers.
    assert noisy_scores["precision"] < 0.8 * floor["precision"] and noisy_scores["density"] < 0.8 * floor["density"]
    half = np.resize(fresh[labels < 5], fresh.shape)  # five classes alone, each image about twice
    dropped = scores(half)
    assert dropped["fd"] > 3 * floor["fd"] and dropped["kid"] > 10 * floor["kid_error"]
    assert dropped["precision"] > 0.9  # what is there is good
    assert dropped["recall"] < 0.7 and dropped["coverage"] < 0.7 and dropped["is"] < 6
    assert dropped["class_distance"] == pytest.approx(0.5, abs=0.03)
    assert dropped["repeated"] > 0.95
    ten = scores(np.resize(fresh[:10], fresh.shape))  # ten images again and again
    assert ten["repeated"] == 1 and ten["coverage"] < 0.2 and ten["fd"] > dropped["fd"] / 2 and ten["precision"] > 0.7
    assert scores(real)["copied"] == 1


@pytest.mark.slow
def test_the_shipped_classifier(digits):
    from jaxgan.extractors.digits import accuracy

    test = Tfds(name="digits", split="test").open().load()
    network = Digits().load((28, 28, 1))
    right, error = accuracy(network.variables, test["image"], test["label"])
    assert right > 0.985 and error < 0.005
    stacked = np.concatenate([test["image"][:100], test["image"][100:200], test["image"][200:300]], -1)
    features, logits = network.apply(network.variables, stacked)
    assert features.shape == (100, 384) and logits.shape == (100, 1000)
    spelled = test["label"][:100] * 100 + test["label"][100:200] * 10 + test["label"][200:300]
    assert (np.asarray(logits).argmax(1) == spelled).mean() > 0.93


@pytest.mark.slow
def test_the_classifier_can_be_trained_anew(optimised, monkeypatch):
    """The shapes of what ships, and better than chance in no time, without the average that a long training ends in."""
    from jaxgan.extractors import digits

    monkeypatch.setattr(digits, "SETTINGS", digits.SETTINGS | {"epochs": 6, "average": 0.2})
    train = Tfds(name="digits", split="train").open().load()
    params = digits.fit(train["image"][:500], train["label"][:500])
    shipped = Digits().load((28, 28, 1)).variables
    assert jax.tree.map(np.shape, params) == jax.tree.map(np.shape, shipped["net"])
    variables = {"net": params, "scale": np.float32(1)}
    assert digits.accuracy(variables, train["image"][500:1500], train["label"][500:1500])[0] > 0.3


@pytest.mark.slow
def test_foreign_samples_from_a_folder_and_an_npz_score_the_same(tmp_path):
    real = noise_images().load()["image"]
    save_npz(tmp_path / "real.npz", images=real)
    save_npz(tmp_path / "fake.npz", images=255 - real)
    for i, picture in enumerate(255 - real):
        save_png(tmp_path / "fakes" / f"{i:03}.png", picture)
    options = ["--config.eval.features.name=random", "--config.eval.features.width=2", f"--reference={tmp_path}/real.npz"]
    outs = []
    for name in ("fake.npz", "fakes"):
        done = launch("--mode=evaluate", f"--samples={tmp_path}/{name}", *options, f"--out={tmp_path}/{name}.json")
        assert "fd_random48" in done.stdout
        outs.append(json.loads((tmp_path / f"{name}.json").read_text()))
    assert outs[0]["scores"] == outs[1]["scores"]
    assert outs[0]["protocol"]["real"]["images"] == 48


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: save_npz(path / "x.npz", a=np.zeros(3), b=np.zeros(3)), "has no array 'images', but a, b"),
        (
            lambda path: save_npz(path / "x.npz", images=np.zeros((2, 4, 4, 3))),
            r"uint8 images .*, not float64 \[2,",
        ),
        (lambda path: (path / "x.npz").write_bytes(b"no zip"), "is no npz file"),
        (lambda path: None, "cannot be read"),
    ],
)
def test_an_npz_that_holds_no_pictures(make, message, tmp_path):
    make(tmp_path)
    with pytest.raises(UserError, match=message):
        open_by_name(str(tmp_path / "x.npz"))


def test_a_folder_of_unlike_pictures(tmp_path):
    for i, side in enumerate((8, 8, 9)):
        save_png(tmp_path / "mixed" / f"{i}.png", np.zeros((side, side, 3), np.uint8))
    with pytest.raises(UserError, match="2.png: its size is 9x9, not 8x8"):
        open_by_name(str(tmp_path / "mixed"))
    with pytest.raises(UserError, match="there is no '.*/mixxed'; did you mean"):
        open_by_name(str(tmp_path / "mixxed"))


def test_data_sets_by_name():
    assert len(open_by_name("digits")) == 4000 and len(open_by_name("digits@test")) == 1000
    with pytest.raises(UserError, match="unknown data set 'digitz'"):
        open_by_name("digitz")
    with pytest.raises(UserError, match="has no split 'tset'; did you mean 'test'"):
        open_by_name("digits@tset")


def test_colours_and_turns_of_a_folder(tmp_path):
    rgb = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8))
    for name, mode in (("palette", "P"), ("grey", "L"), ("cmyk", "CMYK")):
        (tmp_path / name).mkdir()
        rgb.convert(mode).save(tmp_path / name / ("a.jpg" if mode == "CMYK" else "a.png"))
    shapes = {name: open_by_name(str(tmp_path / name)).image_shape for name in ("palette", "grey", "cmyk")}
    assert shapes == {"palette": (8, 12, 3), "grey": (8, 12, 1), "cmyk": (8, 12, 3)}
    rgb.save(tmp_path / "grey" / "b.png")
    with pytest.raises(UserError, match=r"unlike channels \(a.png has 1, b.png has 3\)"):
        open_by_name(str(tmp_path / "grey"))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    (tmp_path / "turned").mkdir()
    rgb.save(tmp_path / "turned" / "a.jpg", exif=exif)
    assert open_by_name(str(tmp_path / "turned")).image_shape == (12, 8, 3)
