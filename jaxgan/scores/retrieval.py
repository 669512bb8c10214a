"""How often a picture's own caption is nearest to it: of real pictures by the run that learns to match them, and of pictures
that were drawn of captions, by encoders that had no part in their training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.config.run import FrozenRun
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.generate import trained
from jaxgan.metrics.retrieval import OTHERS, enough, r_precision
from jaxgan.plan import Donor
from jaxgan.scores.drawn import Captions, open_captions
from jaxgan.tasks.protocols import Matches
from jaxgan.workdir.runs import lent

HOW = f"caption among {OTHERS} of other words, by the cosine of the codes of picture and caption; equal cosines fail"
OF_REAL = f"a real picture's first {HOW}"
OF_DRAWN = f"a picture's own {HOW}; sample i has the first caption of the real example i"
RANKER = "--config.eval.ranker_workdir=RUN (configs/damsm.py, of another seed)"


@dataclass(frozen=True)
class Judges(Captions):
    """judges: by the score's name; the first has had no part in training."""

    judges: dict[str, Donor] = field(default_factory=dict)


def retrieval(plan: Any, images: Images, state: Any) -> float:
    """The R-precision of real pictures, `eval.num_real` of them, all by default. Raises UserError for too few captions."""
    wanted, nets = plan.run.eval, trained(plan, state, plan.run.eval.ema)
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[: wanted.num_real or len(images)])
    tokens = in_batches(lambda rows: images.gather_feature("tokens", rows), wanted.batch_size, chosen)
    codes = jax.jit(_make_codes(lambda nets: (plan.task(frozen=nets.frozen), nets.players)))
    return _precision(codes, nets, lambda rows: images.gather_feature("image", chosen[rows]), tokens, wanted.batch_size)


def open_judges(plan: Any, images: Images) -> Judges:
    """Loads the run `eval.ranker_workdir`. Raises UserError where it is none that judges these pictures by itself."""
    ranker = lent("eval.ranker", FrozenRun(workdir=plan.run.eval.ranker_workdir, ema=True))
    task, digest = ranker.make(), ranker.record["taken"]["digest"]
    if not isinstance(task, Matches):
        kind = type(task).__name__.lower()
        raise UserError(f"eval.ranker_workdir is a run of {kind}, which matches no captions; {RANKER}")
    if digest in {donor.record["taken"]["digest"] for donor in plan.frozen.values()}:
        raise UserError(f"eval.ranker_workdir is the run that this one was trained with, and no judge of it; {RANKER}")
    if getattr(task, "tokens", images.features["tokens"]).names != images.features["tokens"].names:
        raise UserError("eval.ranker_workdir was trained on captions of other words; train it on the same data")
    judges = {"r_precision": ranker}
    for donor in plan.frozen.values():
        judges |= {"r_precision_train": donor} if isinstance(donor.make(), Matches) else {}
    return Judges(images, open_captions(plan, images).protocol, {"ranker": digest}, judges=judges)


def scores(plan: Any, opened: Judges, state: Any) -> dict[str, float]:
    """ "r_precision": of `eval.num_samples` pictures, by the ranker. "r_precision_train": by the run's own encoders, whose
    text encoder the generator was trained with. Raises UserError for too few captions."""
    pictures, tokens = opened.pictures(plan, state)
    found = {}
    for name, donor in opened.judges.items():
        codes = opened.once(name, lambda donor=donor: _make_codes(lambda of: (donor.make(), of)))
        found[name] = _precision(codes, donor.variables, pictures.__getitem__, tokens, plan.run.eval.batch_size)
    return found


def _make_codes(of: Callable[[Any], tuple[Matches, Any]]) -> Callable:
    """`(nets, pictures uint8 [N, H, W, C], tokens int32 [N, T]) -> [N, 2, D]`, the codes of pictures and captions.
    of: nets -> (the task, its variables)."""

    def codes(nets: Any, image: jax.Array, tokens: jax.Array) -> jax.Array:
        task, variables = of(nets)
        seen = task.image_codes(variables, image.astype(jnp.float32) / 127.5 - 1)
        return jnp.stack([seen.whole, task.text_codes(variables, tokens).sentence], 1)

    return codes


def _precision(codes: Callable, nets: Any, pictures: Callable, tokens: np.ndarray, size: int) -> float:
    """pictures: rows -> uint8 [n, H, W, C]; tokens: of all, [N, T]."""
    kinds = np.unique(tokens, axis=0, return_inverse=True)[1].reshape(-1)
    if not enough(kinds):
        raise UserError(f"R-precision needs {OTHERS + 1} captions of other words, and {len(kinds)} pictures have fewer")
    found = in_batches(lambda rows: codes(nets, pictures(rows), tokens[rows]), size, np.arange(len(tokens)))
    return r_precision(found[:, 0], found[:, 1], kinds)


def check_real(plan: Any, images: Images) -> None:
    """Refuses data without captions. Raises UserError."""
    if "tokens" not in images.features:
        raise UserError(f"the metric 'retrieval' is of data with captions, and {images.name} has none")
    if plan.run.eval.num_real > len(images):
        raise UserError(f"eval.num_real={plan.run.eval.num_real}, but {images.name} has {len(images)} images")


def check_drawn(plan: Any, images: Images) -> None:
    """Refuses runs that draw no captions, and a score without a ranker. Raises UserError."""
    if "tokens" not in plan.given:
        raise UserError("the metric 'r_precision' is of runs that draw captions (configs/dfgan.py)")
    if not plan.run.eval.ranker_workdir:
        raise UserError(f"the metric 'r_precision' needs a judge that training has not used; {RANKER}")
