"""Translates a folder or archive of pictures, and writes a page of both.

Of runs of configs/pix2pix.py and configs/cyclegan.py. Pictures may be of any size.
"""

from absl import flags

from jaxgan.verbs import outputs
from jaxgan.verbs.common import configure_like, model_of
from jaxgan.verbs.given_pictures import input_of

EXAMPLES = """
python launch.py --mode=translate --workdir=runs/pix2pix --input=FOLDER
python launch.py --mode=translate --workdir=runs/cyclegan --input=pictures.zip --direction=ba --out=translated
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("input", "", "A folder or archive of pictures of any size.", flag_values=values)
    flags.DEFINE_enum("direction", "ab", ("ab", "ba"), "From the source's domain to the image's, ab, or back.",
                      flag_values=values)  # fmt: skip
    outputs.define_flags(values, "A folder; the workdir's translated/ by default.")
    flags.DEFINE_boolean(
        "ema", True, "From the moving averages of the weights; --noema: from the weights.", flag_values=values
    )


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Translates. Raises UserError."""
    workdir, source = model_of(values), input_of(values.input, "translate")
    out = outputs.folder_of(values, [source])
    configure_like(values, workdir)
    from jaxgan.verbs.translation import translate

    translate(workdir, source, out, values.direction, values.ema, values.overwrite)
