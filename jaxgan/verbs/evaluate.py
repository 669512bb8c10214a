"""Scores a run's checkpoint, or anybody's pictures, with the protocol that they were measured by.

A run's scores are added to its evaluation.json.
"""

from absl import flags

from jaxgan.config.bundled import CONFIGS
from jaxgan.errors import UserError, as_path
from jaxgan.truncation import parse
from jaxgan.verbs import outputs
from jaxgan.verbs.common import configure, configure_like, model_of

EXAMPLES = """
python launch.py --mode=evaluate --workdir=runs/wgan --config.eval.metrics=fd,kid
python launch.py --mode=evaluate --samples=pictures --reference=digits@test --out=scores.json
"""
TAKES_OVERRIDES = True


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_integer("step", None, "Which checkpoint of the run; the newest by default.", flag_values=values)
    flags.DEFINE_string("samples", "", "Anybody's pictures in place of a run's: a folder or archive, FILE.npz (uint8 "
                        "[N, H, W, C]), or a TFDS data set, NAME or NAME@SPLIT.", flag_values=values)  # fmt: skip
    flags.DEFINE_string(
        "reference", "", "The real pictures that --samples are scored against, given in the same way.", values
    )
    flags.DEFINE_string("truncation", "", "Score the run at each of these truncations of z, scale:0.2,0.6,1 or "
                        "resample:0.5,1,2, and write truncation.json, .csv and .png.", flag_values=values)  # fmt: skip
    outputs.define_flags(values, "FILE.json for the scores of --samples.")


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Scores a run or pictures. Raises UserError."""
    for path, _ in overrides:
        if not path.startswith("eval.") and path not in ("data.dir", "data.cache", "data.corrupt"):
            raise UserError(f"--config.{path} has no effect in --mode=evaluate; --config.eval... says what to measure")
    if values.samples or values.reference:
        _evaluate_pictures(values, overrides)
        return
    workdir = model_of(values)
    if values.out:
        raise UserError("--out goes with --samples; a run's scores are in its evaluation.json")
    outputs.check(values, [], [])
    cuts = parse(values.truncation) if values.truncation else ()
    configure_like(values, workdir)
    if cuts:
        from jaxgan.verbs.truncation_curve import truncation_curve

        truncation_curve(workdir, overrides, values.step, cuts)
        return
    from jaxgan.verbs.evaluation import evaluate_run

    evaluate_run(workdir, overrides, values.step)


def _evaluate_pictures(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    if not values.reference:
        raise UserError("--samples needs --reference: what it is scored against")
    if not values.samples:
        raise UserError("--reference needs --samples: what is scored")
    for name in ("workdir", "config", "step", "truncation"):
        if values[name].present:
            raise UserError(f"--{name} has no effect beside --samples, which are nobody's run")
    out = as_path(values.out) if values.out else None
    if out and (out.suffix != ".json" or not out.parent.is_dir()):
        raise UserError(f"--out={values.out} must be FILE.json in a folder that exists")
    outputs.check(values, [out] if out else [], [values.samples, values.reference])
    from jaxgan.config.resolve import is_among
    from jaxgan.scores.of_run import OF_RUNS, eval_settings

    for path, _ in overrides:
        if is_among(path, OF_RUNS):
            raise UserError(f"--config.{path} has no effect beside --samples, which are nobody's run")
    configure(values)
    from jaxgan.config.load import load_config
    from jaxgan.config.resolve import resolve_config
    from jaxgan.data.by_name import open_by_name
    from jaxgan.scores.label_checks import of_labels
    from jaxgan.sections import sections
    from jaxgan.verbs.evaluation import evaluate_samples

    base = load_config(str(CONFIGS / "default.py"))
    resolved = resolve_config(base, [("eval.num_samples", "0"), *overrides], sections)
    where = resolved.data.dir, resolved.data.corrupt, resolved.data.cache, bool(of_labels(eval_settings(resolved)))
    samples, reference = (open_by_name(text, *where) for text in (values.samples, values.reference))
    evaluate_samples(samples, reference, resolved, out)
