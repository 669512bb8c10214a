"""Enlarges pictures of any size, without seams, and writes a page of crops beside bicubic enlargement.

Of runs of configs/srgan.py, by the scale that they were trained for. A picture is cut into tiles, as large as --memory
allows, that overlap by as far as the network sees. So the result is that of the whole picture at once. Transparency, 16
bits, grey and the camera's rotation are kept.
"""

from absl import flags

from jaxgan.errors import UserError, as_path
from jaxgan.memory import bytes_of
from jaxgan.verbs import outputs
from jaxgan.verbs.common import configure_like, model_of
from jaxgan.verbs.given_pictures import input_of

EXAMPLES = """
python launch.py --mode=upscale --workdir=runs/srgan --input=FOLDER --memory=2GB
python launch.py --mode=upscale --workdir=runs/srgan --input=photo.jpg --base=runs/srresnet --strength=0.5 --out=large
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("input", "", "A folder or archive of pictures, or one picture, of any size.", flag_values=values)
    outputs.define_flags(values, "A folder, where the same command goes on if it was stopped; the workdir's upscaled/ by "
                         "default.")  # fmt: skip
    flags.DEFINE_string("memory", "", "What the program may take in all, 2GB; on an accelerator, what tiles may take of its "
                        "memory. By default 1GB, or more where the network sees so far that tiles of it would be mostly "
                        "overlap, as far as it is free. More makes fewer tiles.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("scale", None, "The run's scale: a check, since a run has one alone.", flag_values=values)
    flags.DEFINE_string("base", "", "The folder of another run of the same network, for --strength.", flag_values=values)
    flags.DEFINE_float("strength", None, "Weights between those of --base, at 0, and the run's, at 1 (ESRGAN's network "
                       "interpolation).",
                       lower_bound=0, upper_bound=1, flag_values=values)  # fmt: skip
    flags.DEFINE_boolean(
        "ema", True, "From the moving averages of the weights; --noema: from the weights.", flag_values=values
    )


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Enlarges. Raises UserError, and Failure where no picture can be read."""
    workdir, source = model_of(values), input_of(values.input, "upscale")
    memory = bytes_of(values.memory, "--memory") if values.memory else None
    if bool(values.base) != (values.strength is not None):
        raise UserError("--strength goes with --base: --base=OTHER_WORKDIR --strength=0.5")
    if values.strength != values.strength:
        raise UserError("--strength must be from 0 to 1, not nan")
    out = outputs.folder_of(values, [source])
    configure_like(values, workdir)
    from jaxgan.verbs.upscaling import Asked, upscale

    base = as_path(values.base) if values.base else None
    asked = Asked(memory, values.scale, base, 1.0 if base is None else values.strength, values.ema)
    upscale(workdir, source, out, asked, values.overwrite)
