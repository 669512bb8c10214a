"""What a run is said to take, against what it does."""

import jax
import pytest
from helpers import noise_images, plan_of

from jaxgan import program
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.training import budget


def test_sizes_are_those_of_the_state():
    plan = plan_of("wgan.py")
    made = plan.init(jax.random.key(0))
    assert budget.size(plan.shapes().params) == sum(x.nbytes for x in jax.tree.leaves(made.params))
    assert budget.data_size(noise_images()) == sum(x.nbytes for x in noise_images().load().values())
    assert budget.data_size(noise_images(resident=False)) == 0


@pytest.mark.parametrize("config", ["wgan.py", "cgan.py", "pix2pix.py", "cyclegan.py", "damsm.py"])
def test_the_shapes_of_resident_data_are_those_that_the_device_gets(config):
    plan = plan_of(config)
    images = noise_images(plan=plan)
    said, held = budget.shapes(images, (len(images),)), program.resident(images)
    assert {name: (x.shape, x.dtype) for name, x in said.items()} == {name: (x.shape, x.dtype) for name, x in held.items()}


def test_arithmetic_of_a_dense_network_by_hand():
    """MLPs 4 -> 4 -> 144 and 144 -> 4 -> 1. The discriminator's update: fakes once forwards, the critic on two batches
    forwards and backwards into its kernels (and into its hidden layer), two operations each."""
    counts = budget.flops(plan_of("vanilla.py", batch_size=64))
    generate, judge = 4 * 4 + 4 * 144, 144 * 4 + 4
    expected = 2 * 64 * (generate + 2 * (2 * judge + 4))
    assert counts["disc"] == pytest.approx(expected, rel=0.2)  # activations, losses and Adam come on top


def test_a_penalty_costs_arithmetic():
    with_penalty = budget.flops(plan_of("wgan.py"))["disc"]
    without = budget.flops(plan_of("wgan.py", objective__terms__wgan_gp__weight=1, objective__loss="hinge"))["disc"]
    bare = budget.flops(plan_of("dcgan.py", nets__disc__norm="none", nets__gen__norm="layer"))["disc"]
    assert with_penalty == pytest.approx(without, rel=0.01) and bare < 0.8 * with_penalty


def test_what_cannot_fit_is_refused(monkeypatch):
    plan, images, placement = plan_of("wgan.py"), noise_images(), Placement()
    budget.check(plan, images, placement)
    monkeypatch.setattr(budget, "capacity", lambda _: 9000)
    with pytest.raises(UserError, match="this run needs at least .* kB on each device, which has 9 kB"):
        budget.check(plan, images, placement)


@pytest.mark.slow
def test_a_report_names_layers_and_memory():
    plan, images, placement = plan_of("wgan.py"), noise_images(), Placement()
    text = budget.report(plan, images, placement)
    assert "disc x5" in text and "ConvTranspose_0" in text and "memory of a device" in text
    assert budget.compiled(plan, images, placement).memory_analysis().temp_size_in_bytes > 0


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (999, "999 B"), (1234, "1.23 kB"), (2.5e9, "2.5 GB")])
def test_human(number, text):
    assert budget.human(number) == text
