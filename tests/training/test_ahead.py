"""What a step comes to on devices that need not be there."""

import importlib.util
import os
import subprocess
import sys

import pytest
from helpers import ROOT, devices, noise_images, plan_of

from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.training import ahead
from jaxgan.training.ahead import Collective, collectives
from jaxgan.training.budget import compiled

HLO = """HloModule jit_program

%add (a: f32[], b: f32[]) -> f32[] {
  ROOT %sum = f32[] add(%a, %b)
}

%round (p: (s32[], f32[24])) -> (s32[], f32[24]) {
  %all-reduce.1 = (f32[24]{0:T(128)S(1)}, bf16[4,4]{1,0}) all-reduce(%x, %y), to_apply=%add
}

%five (p: (s32[], f32[24])) -> pred[] {
  %five.1 = s32[]{:T(128)} constant(5), metadata={op_name="x"}
  ROOT %lt = pred[] compare(%i, %five.1), direction=LT
}

%step (p: (s32[], f32[24])) -> (s32[], f32[24]) {
  %while.1 = (s32[], f32[24]) while(%t), condition=%five, body=%round
  %gather.s = (f32[2]{0}, f32[8]{0}) all-gather-start(%x), dimensions={0}
  %gather.d = f32[8]{0} all-gather-done(%gather.s)
  %cond = f32[] conditional(%p, %a, %b), branch_computations={%lazy, %nothing}
}

%lazy (a: f32[]) -> f32[] {
  ROOT %r = f32[] all-reduce(%a), to_apply=%add
}

%nothing (a: f32[]) -> f32[] {
  ROOT %r.1 = f32[] negate(%a)
}

%more (p: (s32[], s32[])) -> pred[] {
  ROOT %lt.1 = pred[] compare(%i, %count), direction=LT
}

ENTRY %main (state: f32[24]) -> f32[24] {
  %while.2 = (s32[], f32[24]) while(%t), condition=%more, body=%step
}
"""


def test_collectives_in_loops_and_branches():
    assert collectives(HLO) == [
        Collective("all-gather", 1, 32),
        Collective("all-reduce", 1, 4),
        Collective("all-reduce", 5, 24 * 4 + 16 * 2),
    ]


def test_each_update_has_one_all_reduce_of_its_gradients(optimised):
    """On the CPU's devices, of networks without statistics over the batch."""
    plan = plan_of("wgan.py", rounds__disc=3)
    step = compiled(plan, noise_images(), Placement("shard_map", devices(2)))
    found = collectives(step.as_text())
    for player, rounds in (("disc", 3), ("gen", 1)):
        gradients = 4 * plan.num_params(player)
        assert sum(one.times for one in found if gradients <= one.bytes < 1.2 * gradients) == rounds, (player, found)
    assert sum(one.bytes for one in found if one.bytes < 2000) < 1000  # metrics


def test_what_is_printed(optimised):
    plan = plan_of("dcgan.py")
    text = ahead.report(plan, noise_images(), "v5e:1x2", lambda _: devices(2))
    assert text.startswith("on v5e:1x2: 2 chips") and "all-reduce" in text and text.endswith("16 GB")
    with pytest.raises(UserError, match="batch_size=8 is not divisible by the 3 devices"):
        ahead.report(plan, noise_images(), "v5e:1x3", lambda _: devices(3))


@pytest.mark.parametrize("name", ["v5e", "v9:2x2", "v5e:4x", "v5e 4x4"])
def test_what_is_no_slice(name):
    with pytest.raises(UserError, match="must be like v5e:4x4 or v5p:2x2x4; "):
        ahead.devices(name)


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("libtpu"), reason="libtpu is not installed")
@pytest.mark.parametrize("topology", ["v5e:4x4", "v5p:2x2x4"])
def test_a_step_for_tpus_that_are_not_there(topology):
    words = [sys.executable, str(ROOT / "launch.py"), "--config=configs/dcgan.py", "--dry_run", f"--topology={topology}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env={**os.environ, "JAX_PLATFORMS": "cpu"})
    assert done.returncode == 0 and "16 chips" in done.stdout and "all-reduce" in done.stdout, done.stderr
