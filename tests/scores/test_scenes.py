"""The metric `scene`: real pictures agree with their captions, others do not."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan.data.scene_captions import captions
from jaxgan.data.scene_claims import agrees, said
from jaxgan.data.scene_reader import read
from jaxgan.data.scenes import COLOURS, render, scene
from jaxgan.errors import UserError
from jaxgan.scores import drawn, looks, scenes
from jaxgan.scores.table import METRICS

SCENES = [scene("test", i) for i in range(24)]


def truths(pictures, captions):
    return [agrees(said(caption), found) for caption, found in zip(captions, read(pictures))]


def test_real_pictures_are_what_their_captions_say():
    pictures = np.stack([render(one, 32)["image"] for one in SCENES])
    told = [captions(one.factors)[0] for one in SCENES]
    own = scenes.shares(truths(pictures, told))
    assert own.pop("scene_swapped") == 0.0 and set(own.values()) == {1.0}
    others = scenes.shares(truths(np.roll(pictures, 1, 0), told))
    assert others["scene"] < 0.1 and others["scene_colour"] < 0.7 and {*others} == {*scenes.NAMES}
    one = [i for i, x in enumerate(SCENES) if len(x) == 1]
    alone = scenes.shares(truths(pictures[one], [told[i] for i in one]))
    assert "scene_relation" not in alone, "of single objects nobody says where they are"


def test_scores_are_of_samples_and_of_words_that_training_lacked(monkeypatch):
    """A generator that draws the right picture of every second caption."""
    names = (
        "",
        "<unknown>",
        *sorted({word for one in SCENES for word in captions(one.factors)[0].replace(",", "").split()}),
    )
    rows = np.zeros((24, 40), np.int32)
    for row, one in zip(rows, SCENES):
        numbers = [names.index(word) for word in captions(one.factors)[0].replace(",", "").split()]
        row[: len(numbers)] = numbers
    pictures = np.stack([render(one, 32)["image"] for one in SCENES]).astype(np.float32) / 127.5 - 1
    pictures[1::2] = 0.7
    images = SimpleNamespace(
        features={"tokens": SimpleNamespace(names=names)}, gather_feature=lambda name, i: rows[i % len(rows)]
    )
    monkeypatch.setattr(drawn, "trained", lambda plan, state, ema: None)
    monkeypatch.setattr(drawn, "make_generate", lambda plan: lambda nets, numbers, tokens: pictures[numbers])
    run = SimpleNamespace(eval=SimpleNamespace(ema=True, num_samples=24, batch_size=24))
    plan = SimpleNamespace(run=run, config=SimpleNamespace(data={"unseen": ("red circle", "blue square")}))
    monkeypatch.setattr(drawn.jax, "jit", lambda fn: fn)
    opened = drawn.Captions(images, {})
    found = scenes.scores(plan, opened, None)
    asked = opened.measured["bindings"]
    assert sum(n for got in asked.values() for n in got.values()) == sum(map(len, SCENES))
    assert all({*got} <= {name.split()[1], "absent"} for name, got in asked.items()), "what is drawn is drawn rightly"
    assert found["scene"] == 0.5 and {*found} <= {*METRICS["scene"].better}
    new = [i for i, one in enumerate(SCENES) if any(x in captions(one.factors)[0] for x in ("red circle", "blue square"))]
    assert found["unseen_scene"] == np.mean([i % 2 == 0 for i in new])
    plan.config.data.clear()
    assert "unseen_scene" not in scenes.scores(plan, opened, None)


def test_where_words_are_looked_at():
    """Red in the upper half: its word is looked at there; green is nowhere, and blue too small."""
    classes, maps = np.zeros((1, 8, 8), int), np.full((1, 8, 8, 5), 0.25)
    classes[0, :4] = COLOURS.index("red") + 1
    maps[0, :4, :, 1], maps[0, 4:, :, 1], maps[0, 1, 1, 1] = 0.5, 0.25, 0.6
    words = [["a", "red", "green", "blue", ""]]
    want = maps[0, :4, :, 1].mean() / maps[0, ..., 1].mean()
    assert looks.judged(classes, maps, words) == ([True], [pytest.approx(want)])
    maps[0, 7, 7, 1] = 0.9
    assert looks.judged(classes, maps, words)[0] == [False]
    assert looks.judged(np.zeros((1, 8, 8), int), maps, words) == ([], [])


def test_mistakes():
    plan, images = plan_of("dcgan.py"), noise_images()
    with pytest.raises(UserError, match="the metric 'scene' is of runs that draw captions"):
        scenes.check(plan, images)
    told = SimpleNamespace(given=("tokens",))
    with pytest.raises(UserError, match="the metric 'scene' reads pictures of shapes, and these are of noise"):
        scenes.check(told, images)
