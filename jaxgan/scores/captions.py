"""How well pictures fit the captions that they were drawn of, by encoders that had no part in their training."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.config.run import FrozenRun
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.generate import make_pictures, trained
from jaxgan.metrics.retrieval import OTHERS, enough, r_precision
from jaxgan.plan import Donor
from jaxgan.tasks.protocols import Matches
from jaxgan.workdir.runs import lent

DETAIL = (
    f"a picture's own caption among {OTHERS} of other words, by the cosine of the ranker's codes of picture and caption; "
    "equal cosines fail; sample i has the first caption of the real example i"
)
RANKER = "--config.eval.ranker_workdir=RUN (configs/damsm.py, of another seed)"


@dataclass(frozen=True)
class Opened:
    """images: whose captions are drawn. ranker: the network that judges. protocol, measured: what is noted beside scores."""

    images: Images
    ranker: Donor
    protocol: dict[str, Any]
    measured: dict[str, Any]


def open_ranker(plan: Any, images: Images) -> Opened:
    """Loads the run `eval.ranker_workdir`. Raises UserError where it is none that judges these pictures by itself."""
    ranker = lent("eval.ranker", FrozenRun(workdir=plan.run.eval.ranker_workdir, ema=True))
    task, own = ranker.make(), {donor.record["taken"]["digest"] for donor in plan.frozen.values()}
    if not isinstance(task, Matches):
        raise UserError(
            f"eval.ranker_workdir is a run of {type(task).__name__.lower()}, which matches no captions; {RANKER}"
        )
    digest = ranker.record["taken"]["digest"]
    if digest in own:
        raise UserError(f"eval.ranker_workdir is the run that this one was trained with, and no judge of it; {RANKER}")
    if getattr(task, "tokens", images.features["tokens"]).names != images.features["tokens"].names:
        raise UserError("eval.ranker_workdir was trained on captions of other words; train it on the same data")
    protocol = {"captions": images.name, "of": len(images), "samples": plan.run.eval.num_samples}
    return Opened(images, ranker, protocol, {"ranker": digest})


def scores(plan: Any, opened: Opened, state: Any) -> dict[str, float]:
    """ "r_precision": of `eval.num_samples` pictures, by the ranker. "r_precision_train": by the run's own encoders, whose
    text encoder the generator was trained with. Raises UserError for too few captions."""
    wanted, images = plan.run.eval, opened.images
    numbers = np.arange(wanted.num_samples, dtype=np.uint32)
    tokens = images.gather_feature("tokens", numbers.astype(np.int64))
    kinds = np.unique(tokens, axis=0, return_inverse=True)[1].reshape(-1)
    if not enough(kinds):
        raise UserError(f"R-precision needs {OTHERS + 1} samples of captions of other words; --config.eval.num_samples=1000")
    pictures = in_batches(make_pictures(plan, trained(plan, state, wanted.ema), images), wanted.batch_size, numbers)
    own = next((donor for donor in plan.frozen.values() if isinstance(donor.make(), Matches)), None)
    judges = {"r_precision": opened.ranker, "r_precision_train": own}
    return {name: _precision(one, pictures, tokens, kinds, wanted.batch_size) for name, one in judges.items() if one}


def _precision(judge: Donor, pictures: np.ndarray, tokens: np.ndarray, kinds: np.ndarray, size: int) -> float:
    task = judge.make()

    @jax.jit
    def codes(variables: Any, image: jax.Array, tokens: jax.Array) -> jax.Array:
        seen = task.image_codes(variables, image.astype(jnp.float32) / 127.5 - 1)
        return jnp.stack([seen.whole, task.text_codes(variables, tokens).sentence], 1)

    found = in_batches(lambda image, text: codes(judge.variables, image, text), size, pictures, tokens)
    return r_precision(found[:, 0], found[:, 1], kinds)


def check(plan: Any, images: Images) -> None:
    """Refuses runs that draw no captions, and a score without a ranker. Raises UserError."""
    if "tokens" not in plan.given:
        raise UserError("the metric 'r_precision' is of runs that draw captions (configs/dfgan.py)")
    if not plan.run.eval.ranker_workdir:
        raise UserError(f"the metric 'r_precision' needs a judge that training has not used; {RANKER}")
