"""Truncation of z: its kinds, what they do to latents, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import plan_of
from scipy import stats

from jaxgan import latents
from jaxgan.errors import UserError
from jaxgan.generate import make_draw, truncated
from jaxgan.truncation import Truncation, one, parse


def test_kinds_and_values_are_read():
    assert parse("scale:1,0.7,0") == (("scale", 1.0), ("scale", 0.7), ("scale", 0.0))
    assert one("resample:0.5") == Truncation("resample", 0.5) and str(one("resample:0.50")) == "resample:0.5"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.7", "--truncation names its kind, scale:0.7 or resample:0.7; StyleGAN's is --truncation_psi=0.7"),
        ("resampel:0.7", "unknown kind 'resampel' in --truncation; did you mean 'resample'"),
        ("scale", "--truncation must be KIND:VALUE"),
        ("scale:a", "--truncation must be KIND:VALUE"),
        ("scale:nan", "--truncation must be KIND:VALUE"),
        ("scale:1.5", "values are from 0 to 1, not 1.5"),
        ("scale:-1", "values are from 0 to 1, not -1"),
        ("resample:0", "values are at least 0.01, not 0"),
        ("resample:-2", "values are at least 0.01, not -2"),
    ],
)
def test_what_is_no_truncation_is_refused(text, told):
    with pytest.raises(UserError, match=told):
        parse(text)


def test_one_value_is_one():
    with pytest.raises(UserError, match="truncation is one value here, as scale:1, not 'scale:1,0.5'"):
        one("scale:1,0.5")


def test_resampling_draws_what_is_outside_from_the_truncated_normal_and_leaves_the_rest():
    task = plan_of("vanilla.py:nonsaturating", task__z_dim=100).task()
    inputs = task.draw(jax.random.split(jax.random.key(0), 200))
    z, cut = (np.asarray(x["z"]) for x in (inputs, task.truncate(inputs, "resample", 0.7)))
    inside = np.abs(z) <= 0.7
    np.testing.assert_array_equal(cut[inside], z[inside])
    assert np.abs(cut).max() <= 0.7 and 0.4 < inside.mean() < 0.6
    # Were it drawn by the keys of z itself, what lay far outside would come to lie near the edge.
    assert stats.kstest(cut.ravel(), stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
    assert stats.kstest(cut[~inside], stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
    np.testing.assert_array_equal(task.truncate(inputs, "resample", 0.7)["z"], cut)


def test_each_example_may_have_its_own_t():
    keys = jax.random.split(jax.random.key(0), 3)
    z, t = latents.draw("normal", keys, 50, "float32"), jnp.array([0.5, 1.0, 9.0])
    for kind in ("scale", "resample"):
        each = latents.truncate(z, kind, t, keys)
        for i in range(3):
            np.testing.assert_array_equal(each[i], latents.truncate(z[i : i + 1], kind, t[i], keys[i : i + 1])[0])
    np.testing.assert_array_equal(latents.truncate(z, "resample", t, keys)[2], z[2])  # nothing lies beyond
    np.testing.assert_array_equal(latents.truncate(z, "scale", t, keys)[0], z[0] * 0.5)


def test_a_truncated_plan_draws_truncated_latents_alone():
    plan = plan_of("dcgan.py")
    nets, numbers = type("Nets", (), {"frozen": {}})(), np.arange(5, dtype=np.uint32)
    cut = truncated(plan, Truncation("scale", 0.5))
    _, plain = make_draw(plan)(nets, numbers)
    np.testing.assert_array_equal(make_draw(cut)(nets, numbers)[1]["z"], plain["z"] * 0.5)
    np.testing.assert_array_equal(make_draw(truncated(cut, None))(nets, numbers)[1]["z"], plain["z"])
    assert plan.truncation is None and "times 0.5" in cut.truncation.protocol


@pytest.mark.parametrize(
    ("spec", "overrides", "kind", "told"),
    [
        (
            "dcgan.py",
            {"task__z": "uniform"},
            "resample",
            "is of a normal z, and this run's is uniform; .*scale",
        ),
        ("pix2pix.py", {}, "scale", "truncation is of a latent z, and this run's generator has none"),
        ("stylegan_lite.py", {}, "scale", "turns z into styles, and its truncation is of those: --truncation_psi=0.7"),
    ],
)
def test_generators_that_have_no_such_truncation_are_refused(spec, overrides, kind, told):
    with pytest.raises(UserError, match=told):
        truncated(plan_of(spec, **overrides), Truncation(kind, 0.5))
