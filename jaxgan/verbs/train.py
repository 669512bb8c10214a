"""Trains a run, or resumes it where it stopped.

The workdir holds config.json, metrics.jsonl, samples/, checkpoints/ and DONE, which is written last. Ctrl-C and SIGTERM save
and end; the same command resumes to the same bits.
"""

import shlex

from absl import flags

from jaxgan.errors import UserError
from jaxgan.verbs.common import configure, workdir_of

EXAMPLES = """
python launch.py --config=configs/wgan.py                        the workdir is runs/wgan
python launch.py --config=configs/wgan.py:clip --workdir=runs/clip --config.steps=500 --config.optim.gen.lr=1e-4
"""
TAKES_OVERRIDES = True


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_boolean(
        "print_config", False, "Print the complete config, each line an override, and stop.", flag_values=values
    )
    flags.DEFINE_boolean(
        "dry_run", False, "Print layers, params, memory and arithmetic, and stop, without a workdir.", values
    )
    flags.DEFINE_string("topology", "", "With --dry_run: a slice of TPUs, v5e:4x4 or v5p:2x2x4, that the step is compiled "
                        "for; none needs to be there, but the package libtpu.", flag_values=values)  # fmt: skip
    flags.DEFINE_boolean("find_batch", False, "Print the largest batch_size that the devices' memory holds, or that of "
                         "--topology, and stop. Steps are compiled for it; none is run.", flag_values=values)  # fmt: skip


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Trains, or prints what would be trained. Raises UserError, DivergedError, DamagedError."""
    from jaxgan.config.load import load_config
    from jaxgan.config.resolve import as_overrides, resolve_config
    from jaxgan.console import say
    from jaxgan.data.features import features_of
    from jaxgan.memory import human
    from jaxgan.placement import Placement
    from jaxgan.plan import Plan
    from jaxgan.scores.of_run import check_eval
    from jaxgan.sections import sections, source_of, task_class
    from jaxgan.training import ahead, budget, largest, stages
    from jaxgan.training.summary import summary
    from jaxgan.training.train import check_run, train
    from jaxgan.workdir.data import open_data
    from jaxgan.workdir.experiment import earlier_overrides, has_earlier_values, saved_config
    from jaxgan.workdir.runs import load_frozen

    workdir, kept = workdir_of(values), []
    looks = values.dry_run or values.find_batch
    if values.topology and not looks:
        raise UserError(f"--topology={values.topology} goes with --dry_run or --find_batch: it trains nothing")
    if values.topology:
        ahead.prepare()
    if values.config:
        base = load_config(values.config)
        kept = earlier_overrides(base, overrides) if has_earlier_values(workdir) else []
        resolved = resolve_config(base, overrides + kept, sections)
    else:
        resolved = saved_config(workdir, overrides)
    if values.print_config:
        print("\n".join(f"--config.{path}={shlex.quote(text)}" for path, text in as_overrides(resolved)))
        return
    configure(values, resolved.deterministic, resolved.dtype == "float64")
    if kept:
        say(f"{workdir} keeps what it began with: {', '.join(f'{path}={value}' for path, value in kept)}")
    if resolved.eval.every:
        check_eval(resolved)
    source = source_of(resolved)
    shape = getattr(source, "image_shape", None)
    frozen = {}
    features = features_of(shape, source_shape=getattr(source, "source_shape", ())) if shape else {}
    task = task_class(resolved.to_dict())
    if (
        shape
        and not stages.stages(resolved)
        and not task.__dataclass_fields__.keys() & {"data"}
        and {*getattr(task, "given", ())} <= {*features, "source"}
    ):
        # Known before the data are, which may take long to prepare.
        frozen = load_frozen(resolved, workdir, shape)
        plan = Plan(resolved, features, frozen, opened=False)
        check_run(plan, Placement(resolved.parallel, shards=1 if values.topology else resolved.shards), workdir)
    images = open_data(resolved)
    networks = frozen or stages.networks(resolved, images, workdir, train_first=not looks)
    if networks is None:  # a signal has stopped a stage, which says so
        return
    plan = Plan(resolved, images.features, networks)
    if values.find_batch:
        chips = ahead.devices(values.topology) if values.topology else None
        placement = Placement("shard_map" if chips else resolved.parallel, chips, resolved.shards)
        have = ahead.memory(values.topology) if chips else budget.capacity(placement)

        def needs(size: int) -> int:
            own = resolve_config(resolved, [("batch_size", str(size)), ("steps", "1")], sections)
            return largest.bytes_of(budget.compiled(Plan(own, images.features, networks), images, placement))

        unit = placement.size * plan.group * plan.run.accumulate
        found = largest.largest_batch(needs, unit, resolved.batch_size, have, say)
        print(f"the largest that {placement.size} x {human(have)} hold, to an eighth: --config.batch_size={found}")
        return
    if values.topology:
        print(ahead.report(plan, images, values.topology))
        return
    if values.dry_run:
        placement = Placement(resolved.parallel, shards=resolved.shards)
        budget.check_batch(plan, placement)
        print(summary(plan, images, placement, workdir, 0))
        print(budget.report(plan, images, placement))
        return
    train(plan, images, workdir, values.config, overrides)
