"""Sources from elsewhere, and what a program makes of a batch: pixels to [-1, 1], points as they are, mirrored images."""

from dataclasses import dataclass, replace

import jax
import numpy as np
import pytest
from helpers import Noise, noise_images, plan_of, tiny

from jaxgan import data, program
from jaxgan.config.resolve import resolve_config
from jaxgan.data import order
from jaxgan.data.features import features_of
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.sections import open_data, sections


@dataclass(frozen=True)
class Mine:
    """Somebody's own source."""

    size: int = 48

    def open(self) -> Images:
        return Images("mine", Noise(self.size), features_of((12, 12, 1), 10), resident=True)


def test_a_source_from_elsewhere():
    resolved = resolve_config(tiny("dcgan.py"), [("data.name", f"{__name__}:Mine"), ("data.size", "20")], sections)
    subset = {"classes": (), "without": (), "class_shares": (), "per_class": 0, "contamination": 0.0, "wrong_labels": 0.0}
    subset |= {"subset_seed": 0}
    assert resolved.data.to_dict() == {"name": f"{__name__}:Mine", "size": 20, **subset}
    assert len(open_data(resolved)) == 20
    with pytest.raises(UserError, match="must be a dataclass"):
        data.find("helpers:noise_images")


def seen(monkeypatch, images, resident, **overrides):
    """The batch that a step is given."""
    batches = []

    def keep(state, batch, _):
        jax.debug.callback(lambda **batch: batches.append(batch), **batch)
        return state, {}

    monkeypatch.setattr(program, "make_train_step", lambda *_: keep)
    plan = plan_of("dcgan.py", **overrides)
    images = replace(images, resident=resident)
    state = plan.init(jax.random.key(0))
    held = images.load() if resident else next(images.batches(0, plan.rounds, 8, np.arange(8), order.seed_key(0)))
    program.make_program(plan, images)(state, plan.inputs, held, 1)
    jax.effects_barrier()
    return np.asarray(batches[0]["image"]), batches[0]["label"]


@pytest.mark.parametrize("resident", [True, False])
def test_flip_mirrors_some_images_and_no_label(resident, monkeypatch):
    plain, labels = seen(monkeypatch, noise_images(), resident)
    flipped, same = seen(monkeypatch, replace(noise_images(), flip=True), resident)
    np.testing.assert_array_equal(labels, same)
    assert plain.shape == (1, 8, 12, 12, 1) and np.abs(plain).max() <= 1 + 1e-6
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-6) for a, b in zip(flipped[0], plain[0])]
    kept = [np.allclose(a, b, atol=1e-6) for a, b in zip(flipped[0], plain[0])]
    assert any(mirrored) and any(kept) and all(m != k for m, k in zip(mirrored, kept))


def test_flips_do_not_depend_on_where_the_data_live(monkeypatch):
    images = replace(noise_images(), flip=True)
    np.testing.assert_array_equal(seen(monkeypatch, images, True)[0], seen(monkeypatch, images, False)[0])


def test_points_are_what_they_are(monkeypatch):
    images = open_data(tiny("toy.py:grid"))
    points, _ = seen(monkeypatch, images, True)
    assert points.shape == (1, 8, 2) and np.abs(points).max() > 1
    assert {tuple(p) for p in points[0]} <= {tuple(p) for p in images.load()["image"]}
    assert images.reference(5).shape == (5, 2) and noise_images().reference() is None
