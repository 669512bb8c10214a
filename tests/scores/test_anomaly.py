"""Anomaly scores of runs: which pictures count, the threshold's pictures, leaks, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import tiny

from jaxgan.data.features import Feature, features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores import anomaly
from jaxgan.scores.code import code_of
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.tasks.protocols import Anomaly
from jaxgan.workdir.runs import new_state

NAMES = ("sound", "odd", "cracked")


def pictures(split: str, n: int, seed: int, odd: int = 0, groups: bool = False, masks: bool = False) -> Images:
    """Grey pictures of 12x12; of the classes `odd` and `cracked` a bright square."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(n, int)
    labels[:odd] = 1 + np.arange(odd) % 2
    pixels = rng.integers(0, 40, (n, 12, 12, 1), dtype=np.uint8)
    pixels[:odd, 2:5, 6:9] = 255
    features = features_of((12, 12, 1), 3, names=NAMES)
    if masks:
        features |= {"mask": Feature("picture", (12, 12, 1), "uint8", stream="main")}
    return Images(f"cells, split {split}", Examples(pixels, labels, np.arange(n), groups), features, True, digest=split)


class Examples(Arrays):
    def __init__(self, images, labels, index, groups):
        super().__init__(images, labels, index)
        self.grouped = groups

    def __getitem__(self, i):
        found = super().__getitem__(i)
        mask = np.zeros((12, 12, 1), np.uint8)
        mask[2:5, 6:9] = 255 * (found["label"] > 0)
        return found | {"mask": mask}

    def all_groups(self):
        return self.index // 4 if self.grouped else None


SETS = {
    "train": pictures("train", 60, 0),
    "validation": pictures("validation", 39, 1),
    "test": pictures("test", 50, 2, odd=10),
}


@pytest.fixture
def opened(monkeypatch):
    """{split: images}, which a run opens."""
    sets = dict(SETS)

    def open_split(config, split="", source_split="", whole=False):
        if split not in sets:
            raise UserError(f"cells has no split '{split}'; known: {', '.join(sets)}")
        return sets[split]

    monkeypatch.setattr(anomaly, "open_data", lambda config: sets["train"])
    monkeypatch.setattr(anomaly, "open_split", open_split)
    return sets


def plan_of_cells(**fields) -> Plan:
    own = {"eval__metrics": "anomaly", "eval__detector__name": "pca", "data__classes": "sound", "eval__batch_size": 16}
    return Plan(tiny("dcgan.py", **(own | fields)), SETS["train"].features)


def scored(opened, **fields) -> dict:
    plan, everywhere = plan_of_cells(**fields), Placement()
    return RunEvaluator(plan, opened["train"], everywhere)(new_state(plan, everywhere), 0)


def values(result: dict) -> dict[str, float]:
    return {name: one["value"] for name, one in result["scores"].items()}


def test_a_run_is_scored_and_says_by_what(opened):
    result = scored(opened)
    found = values(result)
    own = {"auroc", "auroc_low", "auroc_high", "average_precision", "base_rate", "f1", "tpr", "fpr"}
    assert found.keys() == own | {"fpr_5", "fpr_10"}  # so few held-out pictures cannot tell 1 %
    assert found["fpr"] == found["fpr_5"] <= found["fpr_10"]
    assert found["auroc"] == found["average_precision"] == found["tpr"] == 1 and found["base_rate"] == 0.2
    assert found["fpr"] <= 0.15
    protocol, measured = result["protocol"], result["measured"]["anomaly"]
    assert protocol["anomaly"]["test"] == {"data": "cells, split test", "digest": "test", "images": 50, "of": 50}
    assert "1000 draws of pictures" in protocol["anomaly"]["interval"] and "conformal" in protocol["metrics"]["anomaly"]
    assert "samples" not in protocol and "real" not in protocol
    assert measured["normal"] == ["sound"] and measured["abnormal"] == 10 and measured["calibration"]["images"] == 39
    assert result["scores"] == scored(opened)["scores"]


def test_classes_that_are_neither_are_left_out(opened):
    result = scored(opened, eval__detector__ignore="odd")
    assert result["protocol"]["anomaly"]["test"]["images"] == 45 and result["measured"]["anomaly"]["abnormal"] == 5
    for ignore, message in (("sound", "names a class that the run is trained on"), ("old", "no such class; .*odd")):
        with pytest.raises(UserError, match=f"eval.detector.ignore={ignore}.* {message}"):
            scored(opened, eval__detector__ignore=ignore)


def test_intervals_are_over_groups_where_there_are_some(opened):
    opened["test"] = pictures("test", 50, 2, odd=10, groups=True)
    result = scored(opened)
    assert "1000 draws of groups" in result["protocol"]["anomaly"]["interval"]


def test_masks_give_scores_of_pixels(opened):
    opened["test"] = pictures("test", 50, 2, odd=10, masks=True)
    found = values(scored(opened))
    assert found["pixel_auroc"] > 0.95 and found["aupro"] > 0.8


def test_the_threshold_is_of_the_held_out_pictures_alone(opened, monkeypatch):
    """A detector whose score is the first pixel, so that every number is known."""

    class Pixel:
        title, size = "the first pixel", 16

        def __call__(self, image):
            return Anomaly(image[:, 0, 0, 0].astype(np.float32), None, None, {})

    monkeypatch.setattr(anomaly, "make_detector", lambda *_: Pixel())
    for split, levels in (("validation", np.arange(39)), ("test", np.r_[np.full(10, 38), np.arange(40)])):
        pixels = opened[split].examples.images.copy()
        pixels[:, 0, 0, 0] = levels
        opened[split] = replace(
            opened[split], examples=Examples(pixels, opened[split].examples.labels, np.arange(len(pixels)), 0)
        )
    found = values(scored(opened, eval__detector__rate=0.05))
    # Of 39 pictures p = (1 + #{>= score}) / 40, at most .05 from a score of 38 on.
    assert found["tpr"] == 1 and found["fpr"] == 2 / 40
    assert found["auroc"] == (38 + 0.5) / 40


def test_below_chance_is_said(opened, capsys):
    upside = pictures("test", 50, 2)
    upside.examples.labels[:] = np.arange(50) < 10
    upside.examples.images[:10] = 20  # of no noise, and so nearer to the normal subspace than normal pictures
    opened["test"] = upside
    assert values(scored(opened))["auroc"] == 0
    assert "AUROC 0 is below chance, 0.5: normal pictures score higher than abnormal ones" in capsys.readouterr().out


def test_the_leak_of_calibrating_on_test_is_said(opened, capsys):
    result = scored(opened, eval__detector__calibrate="test")
    told = "the threshold comes of normal pictures of the test split"
    assert result["measured"]["anomaly"]["detector"]["leaks"] == [told] and f"a leak: {told}" in capsys.readouterr().out
    assert values(result)["fpr"] <= 0.05  # by construction
    same = scored(opened)
    assert result["protocol"] == same["protocol"]  # such rows may stand beside others, which a leaks table wants


def test_the_order_of_batches():
    abnormal = np.arange(20) < 7
    assert (anomaly._order(abnormal, "mixed", False) == np.arange(20)).all()
    mixed, pure = (anomaly._order(abnormal, order, True) for order in ("mixed", "pure"))
    assert sorted(mixed) == sorted(pure) == list(range(20)) and abnormal[pure].tolist() == [False] * 13 + [True] * 7
    assert 0 < abnormal[mixed][:10].sum() < 7


@pytest.mark.parametrize(
    ("fields", "change", "message"),
    [
        ({"eval__detector__test": "tset"}, {}, "eval.detector.test=tset, normal and .* no split 'tset'; known: train"),
        ({"eval__detector__calibrate": "dev"}, {}, "calibrate=dev, held-out .* no split 'dev'.*calibrate=train.80%:. holds"),
        ({"eval__detector__calibrate": "train"}, {}, "calibrate=train, held-out normal pictures: the run trains on these"),
        ({"data__classes": ""}, {}, "needs abnormal pictures, and cells, .* none: data.classes and data.without"),
        ({}, {"test": pictures("test", 20, 3)}, "has none: it has none of the classes that are left out"),
        ({"data__classes": "cracked"}, {"test": pictures("test", 20, 3)}, "needs normal pictures, and cells, split test"),
        ({"eval__detector__rate": 0.01}, {}, "rate of 0.01 needs 99 held-out normal .* 39 of cells, split validation"),
        ({"eval__detector__name": "task"}, {}, "task.name=latent has no score of abnormality of its own"),
        ({}, {"validation": replace(SETS["train"], name="copy")}, "calibrate=validation: 60 of its 60 .* training images"),
    ],
)  # fmt: skip
def test_what_it_refuses_before_a_run_trains(opened, fields, change, message):
    opened |= change
    plan = plan_of_cells(**fields)
    with pytest.raises(UserError, match=message):
        anomaly.check(plan, opened["train"])


def test_data_without_classes(opened):
    opened["test"] = replace(opened["test"], features=features_of((12, 12, 1)))
    with pytest.raises(UserError, match="is of data with classes, some of them abnormal, and cells, split test has none"):
        anomaly.check(plan_of_cells(), opened["train"])


def test_an_exported_model_has_too_few_networks(opened):
    plan, everywhere = plan_of_cells(eval__detector__name="search"), Placement()
    state = new_state(plan, everywhere)
    alone = state.replace(params={"gen": state.params["gen"]})
    with pytest.raises(
        UserError, match="name=search needs all networks of a run, and an exported model is a generator alone"
    ):
        anomaly.scores(plan, anomaly.open_pictures(plan, opened["train"]), alone)


def test_a_hash_of_its_code_follows_the_conformal_threshold():
    from jaxgan.scores import code

    known = code._package()
    assert "jaxgan.anomaly.conformal" in code._paths(code.Path(code.jaxgan.__file__).parent)
    assert code_of(["anomaly"])["anomaly"] == code.hash_of(known, "anomaly")
