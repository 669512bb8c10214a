"""Scores of labels: of crafted images, from the cache, of a run from end to end, and what is refused."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_features, plan_of, tiny

from jaxgan import cli
from jaxgan.ablation import control_scores
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.controls import read_controls
from jaxgan.ablation.table import Column, Row, Table
from jaxgan.config.run import Eval
from jaxgan.data.by_name import open_by_name
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network, Random
from jaxgan.generate import make_generate, make_labels, trained
from jaxgan.images import save_npz, to_uint8
from jaxgan.metrics import labels
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.evaluator import Evaluator
from jaxgan.scores.label_checks import _enough, check_meaning, count_classes
from jaxgan.scores.labelled import LabelledEvaluator
from jaxgan.scores.of_run import check_scores, summarise_sets
from jaxgan.scores.table import METRICS
from jaxgan.training.train import train
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

ALL = ("label_accuracy", "intra_fd", "class_recall")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def reader(classes=3) -> Network:
    """Of pictures whose first pixel says the class that is read, and whose next three are the features."""

    def apply(_, images):
        row = images[:, 0, :, 0]
        return row[:, 1:4].astype(jnp.float32), jax.nn.one_hot(row[:, 0], classes)

    return Network("reader", "", "", {}, apply)


def pictures(n: int, wrong: int = 0, seed: int = 0, classes: int = 3, names=(), digest="") -> Images:
    """n of each class, in no order; the first `wrong` of class 1 are read as class 2."""
    rng = np.random.default_rng(seed)
    own = rng.permutation(np.repeat(np.arange(classes), n))
    pixels = rng.integers(0, 30, (len(own), 4, 4, 1), np.uint8) + own[:, None, None, None].astype(np.uint8) * 60
    read = own.copy()
    read[np.flatnonzero(own == 1)[:wrong]] = 2
    pixels[:, 0, 0, 0] = read
    features = features_of((4, 4, 1), classes, names=names)
    return Images("pictures", Arrays(pixels, own, np.arange(len(own))), features, True, digest=digest)


def evaluator(images: Images, metrics=ALL, network=None, **fields) -> LabelledEvaluator:
    wanted = Eval(metrics=metrics, **({"num_samples": 30, "batch_size": 8} | fields))
    return LabelledEvaluator(wanted, network or reader(), images, Placement())


def test_scores_of_crafted_images():
    real, samples = pictures(12), pictures(10, wrong=4, seed=1)
    chosen = np.random.default_rng(2).permutation(30)
    found = evaluator(real).of_stored(samples, chosen)
    assert found["label_accuracy_reader30"] == 26 / 30 and found["label_accuracy_worst_reader30"] == 6 / 10
    x, y = (one.load() for one in (real, samples))
    features = [one["image"][:, 0, 1:4, 0].astype(np.float32) for one in (x, y)]
    both = features[0], x["label"], features[1][chosen], y["label"][chosen]
    assert found["intra_fd_reader30"] == pytest.approx(labels.intra_fd(*both, 3)["intra_fd"])
    assert found["class_recall_reader30"] == labels.class_recall(*both, 3, 5)["class_recall"]
    one = summarise_sets([found, found])["label_accuracy_reader30"]
    assert one["classes"] == [1, 0.6, 1] and one["value"] == pytest.approx(26 / 30) and type(one["values"][0]) is float
    assert json.loads(json.dumps(one))["values"] == [26 / 30] * 2
    assert "classes" not in summarise_sets([found])["label_accuracy_worst_reader30"]


def test_other_scores_are_an_evaluators_own():
    real, samples = pictures(12), pictures(10, seed=1)
    plain = Eval(metrics=("fd", "prdc"), num_samples=30, batch_size=8)
    ours, theirs = (cls(plain, reader(), real, Placement()) for cls in (LabelledEvaluator, Evaluator))
    chosen = np.arange(30)
    assert ours.of_stored(samples, chosen) == theirs.of_stored(samples, chosen) and ours.protocol == theirs.protocol
    both = evaluator(real, ("fd", "label_accuracy", "prdc")).of_stored(samples, chosen)
    assert {name: x for name, x in both.items() if "label" not in name} == theirs.of_stored(samples, chosen)


class Counted:
    def __init__(self, examples, labels=None):
        self.examples, self.labels, self.reads = examples, labels, 0

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, i):
        self.reads += 1
        return self.examples[i] if self.labels is None else {**self.examples[i], "label": self.labels[i]}


def test_a_picture_is_read_once_and_labels_are_never_another_data_sets():
    real = pictures(16, digest="0123")
    counted = Counted(real.examples)
    evaluator(real, ("fd", "prdc"))  # leaves statistics without labels in the cache
    first = evaluator(replace(real, examples=counted))
    assert counted.reads == len(real)
    np.testing.assert_array_equal(first.real.labels, real.load()["label"])
    other = Counted(real.examples, 2 - real.load()["label"])  # of one name and digest
    second = evaluator(replace(real, examples=other), ("intra_fd",))
    third = evaluator(replace(real, examples=other), ("intra_fd",))
    np.testing.assert_array_equal(third.real.labels, other.labels)
    np.testing.assert_array_equal(third.real.features, second.real.features)
    np.testing.assert_array_equal(third.real.features, first.real.features)


REFUSED = {
    "of images with labels, and pictures has none": {"images": replace(pictures(9), features=features_of((4, 4, 1)))},
    "wants an extractor of the data's 3 classes, and 'reader' has 4 classes": {"network": reader(4)},
    "wants an extractor of the data's 3 classes, and 'random' has no classes": {"network": Random(0, 2).load((4, 4, 1))},
    "'class_recall' needs 6 real images of each class, and pictures has 5 of class 0; take more": {
        "images": pictures(5), "metrics": ("class_recall",)
    },
    "'intra_fd' needs 4 real images of each class for its 3 features, and pictures has 3 of class 0; .*allow_few=true": {
        "images": pictures(3), "metrics": ("intra_fd",)
    },
    "labels of pictures are vectors of 2 attributes": {
        "images": replace(pictures(9), features={
            **features_of((4, 4, 1)), "label": replace(features_of((4, 4, 1), 2)["label"], shape=(2,))
        })
    },
}  # fmt: skip


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_be_scored_is_refused(told):
    with pytest.raises(UserError, match=told):
        evaluator(**({"images": pictures(9)} | REFUSED[told]))


def test_samples_that_cannot_be_scored_are_refused():
    ours = evaluator(pictures(9, names="abc"))
    with pytest.raises(UserError, match="class 1 of pictures is 'x', and of the real images 'b'"):
        ours.of_stored(pictures(9, names="axc"), np.arange(27))
    with pytest.raises(UserError, match="pictures has labels of 4 classes, and the real images of 3"):
        ours.of_stored(pictures(9, classes=4), np.arange(27))
    samples = pictures(9)
    chosen = np.flatnonzero(samples.load()["label"] != 2)
    with pytest.raises(UserError, match="'label_accuracy' needs 1 samples of each class, and 18 samples have 0 of class 2"):
        ours.of_stored(samples, chosen)
    with pytest.raises(UserError, match="must lie in 0 to 2"):
        ours.of_stored(replace(samples, examples=Counted(samples.examples, np.full(27, -1))), np.arange(27))


def test_classes_of_another_meaning_are_refused():
    own = np.repeat(np.arange(4), 10)
    check_meaning("e", own, own, "d")
    noisy = np.where(np.arange(40) % 10 < 6, own, (own + 1) % 4)  # wrong labels here and there
    check_meaning("e", noisy, own, "d")
    with pytest.raises(UserError, match="'e' are not the labels of d: it reads 4 of 4 classes mostly as another, 0 as 1"):
        check_meaning("e", (own + 1) % 4, own, "d")


@pytest.mark.parametrize("classes, need, count", [(10, 129, 1000), (10, 6, 40), (1000, 6, 3000)])
def test_as_many_samples_as_are_advised_are_enough(classes, need, count):
    rng = np.random.default_rng(0)
    advised = _enough(need, np.bincount(rng.integers(0, classes, count), minlength=classes))
    assert all(np.bincount(rng.integers(0, classes, advised)).min() >= need for _ in range(20))
    assert advised < 5 * need * classes
    metric, dims = {"intra_fd": METRICS["intra_fd"]}, need - 1
    with pytest.raises(
        UserError, match=rf"{need} samples of each class for its {dims} features, .*num_samples=\d+ would do"
    ):
        count_classes(metric, rng.integers(0, classes, count), classes, dims, False)


@dataclass(frozen=True)
class Reading:
    """An extractor of ten classes of `noise_images`, by their mean."""

    def check(self) -> None: ...

    def load(self, image_shape: tuple[int, ...]) -> Network:
        def apply(_, images):
            x = images.astype(jnp.float32)
            mean = x.mean((1, 2, 3))
            return x[:, :2, 0, 0], -jnp.abs(mean[:, None] - 128.5 - jnp.arange(-5, 5))

        return Network("reading", "", "", {}, apply)


R3GAN = {"nets__gen__name": "r3gan", "nets__disc__name": "r3gan", "task__num_classes": 10}  # without second derivatives
OWN = R3GAN | {"eval__features__name": "scores.test_labelled:Reading", "eval__metrics": "label_accuracy"}


def with_read_labels() -> Images:
    """`noise_images` whose labels are what `Reading` makes of them, so that all ten are there."""
    pixels = np.random.default_rng(0).integers(0, 2, (60, 12, 12, 1), np.uint8)
    own = np.arange(60) % 10
    return Images(
        "noise",
        Arrays((pixels + 123 + own[:, None, None, None]).astype(np.uint8), own, np.arange(60)),
        noise_features(),
        True,
    )


def test_runs_that_cannot_be_scored_are_refused_before_they_train():
    few = {"eval__num_samples": 3, "eval__repeats": 1}
    for told, fields in {
        "'label_accuracy' is of a generator that is told labels.*num_classes=N tells it": {"task__num_classes": 0},
        "needs 1 samples of each class, and 3 samples have 0 of class .; eval.num_samples=130 would do$": few,
        "wants an extractor of the data's 10 classes, and 'random' has no": {"eval__features__name": "random"},
    }.items():
        with pytest.raises(UserError, match=told):
            check_scores(plan_of("dcgan.py", **(OWN | fields)))
    with pytest.raises(UserError, match="'class_recall' is of a generator that is told labels.*leave it out of"):
        check_scores(plan_of("pix2pix.py", eval__metrics="class_recall", eval__features__name="random"))
    config = tiny("dcgan.py", **OWN, **few)
    check_scores(Plan(config, {"image": noise_features()["image"]}, opened=False))  # whose labels are not known yet


@pytest.mark.slow
def test_a_conditional_run_from_end_to_end(tmp_path):
    """The scores in its files are those of the pictures that its numbers make and of the labels that they draw."""
    images = with_read_labels()
    fields = OWN | {"eval__metrics": ",".join(ALL), "eval__num_samples": 300, "eval__repeats": 2, "eval__every": 2}
    train(plan_of("dcgan.py", **fields), images, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    kept, name = Workdir(tmp_path / "run").evaluations(), "label_accuracy_reading300"
    logged = [line for line in lines if f"eval/{name}" in line]
    assert [line["step"] for line in logged] == [2, 4] and "eval/label_accuracy_worst_reading300" in logged[0]
    assert [line[f"eval/{name}"] for line in logged] == [one["scores"][name]["values"][0] for one in kept]
    plan, _, state = load_run(tmp_path / "run", Placement())
    nets, network, numbers = trained(plan, state, True), Reading().load(()), np.arange(600, dtype=np.uint32)
    generate, asked = jax.jit(make_generate(plan)), make_labels(plan)(numbers)
    made, told, others = (
        np.asarray(generate(nets, numbers, **label)) for label in ({}, {"label": asked}, {"label": (asked + 1) % 10})
    )
    np.testing.assert_array_equal(told, made)
    assert (others != made).any((1, 2, 3)).all()
    read = np.asarray(network.apply({}, to_uint8(made))[1]).argmax(1)
    right = (read == asked).reshape(2, 300).mean(1)
    assert kept[-1]["scores"][name]["values"] == right.tolist()
    by_class = [(read == asked)[300 * i : 300 * (i + 1)][asked[300 * i : 300 * (i + 1)] == 7].mean() for i in range(2)]
    assert kept[-1]["scores"][name]["classes"][7] == pytest.approx(np.mean(by_class))
    assert len(kept[-1]["scores"]["intra_fd_reading300"]["classes"]) == 10


@pytest.mark.slow
def test_controls_have_labels(tmp_path, monkeypatch):
    """Real images their own, noise any: the one is right by nature, the other by chance."""
    monkeypatch.setattr(control_scores, "open_data", lambda config: with_read_labels())
    fields = OWN | {"eval__metrics": ",".join(ALL), "eval__num_samples": 300}
    config = tiny("dcgan.py", **fields)
    cells = [Cell("a", 0, 0, SimpleNamespace(), "", [], config)]  # pyright: ignore
    control_scores.score(Table("T", "P", "D", "how", (Column("label_accuracy"),), {"a": Row()}, seeds=(0,)), cells, tmp_path)
    found = read_controls(tmp_path)
    value = {name: one["scores"]["label_accuracy_reading300"]["value"] for name, one in found.items()}
    assert list(value) == ["real images", "noise", "untrained"]
    assert value["real images"] == 1 and value["noise"] < 0.2 and value["untrained"] < 0.3
    assert (
        found["real images"]["scores"]["intra_fd_reading300"]["value"]
        < found["noise"]["scores"]["intra_fd_reading300"]["value"]
    )


def test_anybody_s_labelled_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 1), np.uint8)
    save_npz(tmp_path / "a.npz", images=images, labels=np.arange(60) % 3, seeds=np.arange(60))
    save_npz(tmp_path / "b.npz", images=255 - images, labels=np.arange(60) % 3)
    save_npz(tmp_path / "plain.npz", images=images)
    save_npz(tmp_path / "odd.npz", images=images, labels=np.ones((60, 4)))
    assert not open_by_name("a.npz").num_classes and open_by_name("a.npz", labelled=True).num_classes == 3
    typed = "launch.py --mode=evaluate --config.eval.features.name=random --config.eval.features.width=2 --out=scores.json"
    flags = ["--reference=b.npz", "--config.eval.metrics=intra_fd,class_recall"]
    assert cli.main([*typed.split(), *flags, "--samples=a.npz"]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert len(scores["class_recall_random60"]["classes"]) == 3 and scores["intra_fd_random60"]["value"] > 0
    for name, told in {
        "plain.npz": "'intra_fd' is of images with labels, and plain.npz has none; leave it out",
        "odd.npz": "must hold one label for each of its 60 images, whole numbers from 0, not float64 [60, 4]",
    }.items():
        assert cli.main([*typed.split(), *flags, f"--samples={name}", "--overwrite"]) == 2
        assert told in capsys.readouterr().err
