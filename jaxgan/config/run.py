"""The fields that every run has: those at the root, and the sections log, sample, checkpoint, eval and init_from."""

from dataclasses import dataclass

import jax.numpy as jnp

from jaxgan.config.schema import among, bounded

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16, "float64": jnp.float64}
# What may change in an existing workdir: it says how a run is carried out or watched, not what comes out of it.
OPERATIONAL = ("steps", "steps_per_dispatch", "population", "parallel", "shards", "rollbacks")
OPERATIONAL += ("log", "sample", "checkpoint", "eval")
OPERATIONAL += ("data.dir", "data.resident", "data.cache")
# Where a run finds another run that it is made from. The path is operational, for folders move; which run it is, is not: a
# start's record has the checkpoint that was taken, and `workdir.experiment.check_config` compares it.
DONORS = ("init_from.workdir", "init_from.base_workdir", "frozen.*.workdir", "data.workdir", "data.filter_workdir")
OPERATIONAL += DONORS
# How a run was made that this one trained first. What came of them is compared: `workdir.frozen.check_stage`.
OPERATIONAL += ("frozen.*.config", "frozen.*.overrides")
# Where an extractor's weights lie; the record has their digest.
OPERATIONAL += ("frozen.*.weights",)


@dataclass(frozen=True)
class Log:
    """every: steps between lines of metrics.jsonl, each a mean over those steps; 0: only at the end. tensorboard: event
    files too. params: also log each param that is a single number, with its value at that step."""

    every: int = 50
    tensorboard: bool = True
    params: bool = False


@dataclass(frozen=True)
class Sample:
    """every: steps between grids; 0: only at the end. num: images in a grid."""

    every: int = 250
    num: int = bounded(64, least=1)


@dataclass(frozen=True)
class Checkpoint:
    """every: steps between checkpoints; 0: only at the end. keep: how many of the newest stay."""

    every: int = 250
    keep: int = bounded(3, least=1)


@dataclass(frozen=True)
class Eval:
    """every: steps between evaluations while training, and at its end; 0: none. metrics: names in `scores.table.METRICS`.
    num_samples: generated images. repeats: sets of them, in --mode=evaluate and at the end of training; before it is one.
    split: of the real images; empty: the run's own. source_split: of sources that belong to none of them. num_real: how many
    of the real images, chosen once; 0: all. batch_size: at once, over all devices. ema: the weights' moving averages.
    allow_few: a Fréchet distance of fewer images than dimensions. batch_norm: statistics of the generator's BatchNorm, the
    running ones of training ("running"), or means over passes of the trained generator ("standing"). standing_passes: how
    many, of batch_size latents each. ranker_workdir: a run of configs/damsm.py that judges pictures of captions. pictures: a
    folder or archive of whole pictures, Set14 for one, on which the metric upscaling is taken in place of the split's."""

    every: int = 0
    metrics: tuple[str, ...] = ("fd", "kid", "prdc", "repetition")
    num_samples: int = 5000
    repeats: int = bounded(3, least=1)
    split: str = ""
    source_split: str = ""
    num_real: int = 0
    batch_size: int = bounded(200, least=1)
    ema: bool = True
    allow_few: bool = False
    batch_norm: str = among(("running", "standing"), "running")
    standing_passes: int = bounded(16, least=1)
    ranker_workdir: str = ""
    pictures: str = ""


@dataclass(frozen=True)
class InitFrom:
    """Start from another run's newest checkpoint.

    workdir: that run's folder; empty: start anew. players: whose params; empty: all. ema: its averages where it has them.
    base_workdir: another run of the same networks: start from (1 - strength) of its weights + strength of the first one's.
    strength: from 0 to 1 (network interpolation, Wang et al. 2018, section 3.4).
    """

    workdir: str = ""
    players: tuple[str, ...] = ()
    ema: bool = False
    base_workdir: str = ""
    strength: float = bounded(1.0, least=0.0, most=1.0)


@dataclass(frozen=True)
class FrozenRun:
    """A network of another run, which this one reads and never trains.

    workdir: that run's folder. At this run's first start the arrays are copied to frozen/NAME in its own folder, and from
    then on the copy is read. config: where workdir is empty, a config to train first, in stages/NAME of this run's folder,
    on this run's data and with its seed. overrides: of that config, FIELD=VALUE. players: whose networks; empty: all. ema:
    their moving averages, for players that have them. step: of the checkpoint; 0: the newest.
    """

    workdir: str = ""
    config: str = ""
    overrides: tuple[str, ...] = ()
    players: tuple[str, ...] = ()
    ema: bool = True
    step: int = bounded(0, least=0)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every run has: the fields at the root, and the sections that say how it is watched.

    steps: passes over the update list; 0: nothing is trained, and the networks as they begin are saved and scored. seed: of
    every draw and of the order of the data. batch_size: real images in each update's round, over all devices. dtype: what
    networks compute in; params, terms, norms and logits keep at least float32. parallel: the wrapper, same bits either way.
    simultaneous: all players' gradients at the same params. deterministic: forbid XLA's nondeterministic kernels on GPU (CPU
    and TPU have none). steps_per_dispatch: how many steps the device makes before the host hands it more, where the data are
    resident; 0: 1 for a run on a CPU, else 8. Same bits. population: whether --mode=ablate trains cells that differ in seed
    and scalars alone by one program: "auto" where their data are resident, "on" refuses data that are not, "off" trains each
    alone. rollbacks: how often the run may go back to its last checkpoint, with other noise, when a param is not finite any
    more; then it stops. Such a run trains alone. shards: how many devices share the optimizer's state and the moving
    averages, of which each then keeps a part; by shard_map, and trained alone. accumulate: in how many parts, one after the
    other, a device computes its share of a batch; the gradients are the same, but for BatchNorm, which sees one part at a
    time. remat: compute again, for the gradient, what lies within the parts of networks, and keep only what enters them.
    Such are the blocks of r3gan, resnet, biggan, dfgan and attngan, the styled convolutions of stylegan, and the layers of
    other networks, which gains little.
    """

    log: Log
    sample: Sample
    checkpoint: Checkpoint
    eval: Eval
    init_from: InitFrom
    steps: int = bounded(1000, least=0)
    seed: int = bounded(0, below=2**32)
    batch_size: int = bounded(64, least=1)
    dtype: str = among(DTYPES, "float32")
    parallel: str = among(("shard_map", "pmap"), "shard_map")
    simultaneous: bool = False
    deterministic: bool = False
    steps_per_dispatch: int = bounded(0, least=0)
    population: str = among(("auto", "on", "off"), "auto")
    rollbacks: int = bounded(0, least=0)
    shards: int = bounded(1, least=1)
    accumulate: int = bounded(1, least=1)
    remat: bool = False
