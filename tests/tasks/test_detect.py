"""The detector: the boxes that maps say, its loss in closed form, how it is scored, and data that it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import tiny

from configs import detector
from jaxgan.data import scenes as drawn
from jaxgan.data.features import features_of
from jaxgan.data.pairs import Beside
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.metrics.detection import iou
from jaxgan.plan import Plan
from jaxgan.scores.detection import map50
from jaxgan.tasks.detect import Detect, _overlap
from jaxgan.tasks.protocols import Detects, Generates, Predicts

SIDE = 32
FEATURES = features_of((SIDE, SIDE, 3), 3, (SIDE, SIDE, 3))


def plan_of(**overrides) -> Plan:
    return Plan(tiny("detector.py", **overrides), FEATURES)


def scenes(n: int) -> tuple[list[drawn.Scene], list[dict]]:
    some = [drawn.scene("test", i) for i in range(n)]
    return some, [drawn.render(scene, SIDE) for scene in some]


def seen(pictures) -> jax.Array:
    return jnp.asarray(np.stack(pictures), jnp.float32) / 127.5 - 1


def test_the_palette_is_that_of_shapes():
    assert [bytes(colour).hex() for colour in drawn.PALETTE[1:]] == list(detector.PALETTE)


def test_boxes_are_those_of_the_data():
    some, rendered = scenes(40)
    boxes, there = map(np.asarray, plan_of().task().objects(seen([one["labels"] for one in rendered])))
    mirrored, _ = map(np.asarray, plan_of().task().objects(seen([one["labels"][:, ::-1] for one in rendered])))
    for scene, one, box, is_there, other in zip(some, rendered, boxes, there, mirrored):
        colours = scene.factors[:, 1].astype(int)
        assert sorted(np.flatnonzero(is_there)) == sorted(colours)
        np.testing.assert_allclose(box[colours], one["boxes"], atol=1e-6)
        top, left, bottom, right = one["boxes"].T
        np.testing.assert_allclose(other[colours], np.stack([top, 1 - right, bottom, 1 - left], 1), atol=1e-6)


def test_overlaps_are_those_of_the_metric_and_the_generalised_ones_by_hand():
    a, b = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1.0]]), np.array([[0, 0, 1, 1], [0, 0.5, 1, 1.5], [2, 2, 3, 3.0]])
    plain, generalised = _overlap(jnp.asarray(a), jnp.asarray(b))
    np.testing.assert_allclose(plain, np.diag(iou(a, b)), rtol=1e-6)
    np.testing.assert_allclose(
        generalised, [1, 1 / 3, -7 / 9], rtol=1e-6
    )  # around the last two are 9, of which 2 are theirs


def test_its_loss_in_closed_form():
    plan = plan_of(nets__net__norm="none", task__box_weight=0.5)
    task, state = plan.task(), plan.init(jax.random.key(0))
    some, rendered = scenes(6)
    batch = {"image": seen([one["image"] for one in rendered]), "source": seen([one["labels"] for one in rendered])}
    value, aux = task.loss("net", state, batch, Keys(state.rng, 0, 0, 0, 6), None)
    boxes, scores = (np.asarray(x, float) for x in task.detect({"net": state.variables("net")}, batch["image"]))
    cells = np.zeros_like(scores, bool)
    apart, shared = np.zeros(6), np.zeros(6)
    for i, (scene, one) in enumerate(zip(some, rendered)):
        for colour, box in zip(scene.factors[:, 1].astype(int), one["boxes"]):
            row, column = (8 * (box[:2] + box[2:]) / 2).astype(int)
            cells[i, 8 * row + column, colour] = True
            plain, generalised = _overlap(jnp.asarray(boxes[i, 8 * row + column]), jnp.asarray(box))
            apart[i] += 1 - generalised
            shared[i] += plain / len(scene)
    right = np.where(cells, scores, 1 - scores)
    classes = (-np.where(cells, 0.25, 0.75) * (1 - right) ** 2 * np.log(right)).sum((1, 2))
    np.testing.assert_allclose(value, np.mean(classes + 0.5 * apart), rtol=1e-4)
    np.testing.assert_allclose(aux.metrics["net/iou"], shared.mean(), rtol=1e-4)
    assert plan.can(Detects) and not plan.can(Predicts) and not plan.can(Generates)


def images(n: int = 12) -> Images:
    _, rendered = scenes(n)
    pictures, maps = (np.stack([one[key] for one in rendered]) for key in ("image", "labels"))
    at = np.arange(n)
    return Images("scenes", Beside(Arrays(pictures, at % 3, at), Arrays(maps, None, at)), FEATURES, True)


def test_a_detector_that_knows_is_perfect_and_one_that_guesses_is_not(monkeypatch):
    plan, data = plan_of(eval__batch_size=5), images()
    state = plan.init(jax.random.key(0))
    assert map50(plan, data, state) < 0.2
    everything = data.load()
    known = plan.task().objects(seen(everything["source"]))
    found = {picture.tobytes(): i for i, picture in enumerate(everything["image"])}

    def answer(image):
        rows = [found[np.asarray(np.rint((x + 1) * 127.5), np.uint8).tobytes()] for x in np.asarray(image)]
        return np.asarray(known[0])[rows], np.eye(6, dtype=np.float32) * np.asarray(known[1])[rows][..., None]

    def told(self, variables, image):
        n = len(image)
        return jax.pure_callback(
            answer, (jax.ShapeDtypeStruct((n, 6, 4), "f4"), jax.ShapeDtypeStruct((n, 6, 6), "f4")), image
        )

    monkeypatch.setattr(Detect, "detect", told)
    assert map50(plan, data, state) == pytest.approx(1)
    with pytest.raises(UserError, match="no pixel of the maps of scenes has a colour of task.palette"):
        map50(plan_of(task__palette="123456"), data, plan_of(task__palette="123456").init(jax.random.key(0)))


@pytest.mark.parametrize(
    ("features", "overrides", "message"),
    [
        (features_of((SIDE, SIDE, 3)), {}, "these data have none; --config.data.source=FEATURE"),
        (features_of((SIDE, SIDE, 3), 0, (SIDE, SIDE, 3), apart=True), {}, "these data have none"),
        (features_of((SIDE, SIDE, 3), 0, (SIDE, SIDE, 1)), {}, "reads classes from colours, and the maps have 1 channel"),
        (features_of((2,)), {}, "is of pictures, and these data are points"),
        (FEATURES, {"task__palette": ""}, "task.palette is empty"),
        (FEATURES, {"task__palette": "ff0000,red"}, "'red' is no colour RRGGBB"),
        (FEATURES, {"task__palette": "ff0000,FF0000"}, "names a colour twice"),
    ],
)
def test_data_and_palettes_that_it_refuses(features, overrides, message):
    with pytest.raises(UserError, match=message):
        Plan(tiny("detector.py", **overrides), features)


def test_what_the_metric_refuses():
    plan, data = plan_of(), images()
    data.features = features_of((SIDE, SIDE, 3))
    with pytest.raises(
        UserError, match="the metric 'map50' is of data with maps of classes as sources, and scenes has none"
    ):
        map50(plan, data, None)
    with pytest.raises(UserError, match="eval.num_real=13, but scenes has 12 images"):
        map50(plan_of(eval__num_real=13), images(), None)
