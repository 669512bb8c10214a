"""Writes a run's generator as a folder that can be handed on.

It has the averaged weights (model.safetensors), the config, the scores, a card for people, and eight samples by which
`--mode=verify` tells whether it still makes the same pictures. `jaxgan.load(DIR)` and the modes sample, translate, project
and evaluate read it as they read a run.
"""

from absl import flags

from jaxgan.errors import UserError, as_path
from jaxgan.verbs import outputs
from jaxgan.verbs.common import configure_like, workdir_of

EXAMPLES = """
python launch.py --mode=export --workdir=runs/wgan --out=wgan_digits
python launch.py --mode=export --workdir=runs/wgan --out=wgan_digits --format=stablehlo
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_integer("step", None, "Which checkpoint of the run; the newest by default.", flag_values=values)
    flags.DEFINE_enum("format", "archive", ("archive", "stablehlo"), "archive: weights and what belongs to them. stablehlo: "
                      "besides, the generator as a program for cpu, cuda and tpu, which JAX alone runs, and "
                      "which JAX promises to read for half a year.", flag_values=values)  # fmt: skip
    outputs.define_flags(values, "The folder to write.")


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Exports. Raises UserError."""
    workdir = workdir_of(values)
    if not values.out:
        raise UserError("--mode=export needs --out: the folder to write")
    out = as_path(values.out)
    if out.is_file() or out.suffix in (".safetensors", ".zip", ".npz"):
        raise UserError(f"--out={values.out} must be a folder, and not a file")
    outputs.check_folder(out, [workdir])
    configure_like(values, workdir)
    from jaxgan.verbs.exporting import export

    export(workdir, out, values.step, values.format == "stablehlo", values.overwrite)
