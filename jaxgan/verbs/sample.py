"""Writes pictures from a run's newest checkpoint, or from an exported model.

A number (`--seeds`) names one latent of a run: it gives the same picture in a grid, a folder, an array and an interpolation.
"""

from typing import Any

from absl import flags

from jaxgan.verbs import outputs
from jaxgan.verbs.common import configure_like, model_of
from jaxgan.verbs.sample_request import sample_request

EXAMPLES = """
python launch.py --mode=sample --workdir=digits --grid=8x8       of the model that comes with the package
python launch.py --mode=sample --workdir=runs/wgan --num=50000 --out=samples.npz
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_integer("num", None, "How many images; 64 by default.", flag_values=values)
    flags.DEFINE_string(
        "grid", "", "COLUMNSxROWS of the grid; as near to a square as it gets by default.", flag_values=values
    )
    flags.DEFINE_string(
        "seeds", "", "Numbers of the images, 0-63 or 3,5,8-11; a number's image is always the same.", flag_values=values
    )
    outputs.define_flags(values, "FILE.png (a grid), FILE.npz or FILE.array_record (arrays), or a folder (a PNG each), "
                         "where the same command goes on if it was stopped; the run's samples/ by default.")  # fmt: skip
    flags.DEFINE_boolean(
        "ema", True, "From the moving averages of the weights; --noema: from the weights.", flag_values=values
    )
    flags.DEFINE_string("labels", "", "Of a generator that is told labels: the label of all images, 3; several, 0-9, "
                        "make a table with a row each, or every pair of label and number in an array.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_integer("label", None, "One of --labels, by its old name.", flag_values=values)
    flags.DEFINE_multi_string("attributes", [], "Of a generator that is told attributes: those that all images have, "
                              "red,circle, or none; given several times, as --labels with several.",
                              flag_values=values)  # fmt: skip
    flags.DEFINE_multi_string("prompt", [], "Of a run that draws captions: what all images show; given several times, a "
                              "table with a row each, or every pair of prompt and number in an array.",
                              flag_values=values)  # fmt: skip
    flags.DEFINE_string("prompts", "", "A text file of prompts, a line each, in place of --prompt.", flag_values=values)
    flags.DEFINE_boolean("attention", False, "With --prompt, of configs/attngan.py: beside each image, where it looked at "
                         "each word.", flag_values=values)  # fmt: skip
    flags.DEFINE_string("truncation", "", "Of the latent z: resample:0.7 (what lies beyond +-0.7 is drawn anew) or "
                        "scale:0.7 (z times 0.7); several, scale:1,0.7,0.5, make a table with a row each.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_integer("standing", None, "Of a generator with BatchNorm: take its statistics anew, of this many batches, "
                         "16, in place of the running ones.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("interpolate", 0, "This many frames from each image to the next, as FILE.gif and FILE_strip.png.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_list("truncation_psi", [], "Of a StyleGAN: how far styles are from their mean, .7; several, 1,.7,.5,0, "
                      "make a table with a row each.", flag_values=values)  # fmt: skip
    flags.DEFINE_string("space", "z", "Of a StyleGAN: where --interpolate walks, z or w.", flag_values=values)
    flags.DEFINE_string(
        "mix", "", "Of a StyleGAN: numbers whose styles the images of --seeds take, a column each.", flag_values=values
    )
    flags.DEFINE_string("layers", "", "With --mix: in which layers, 0-1 (pose) or 4-5 (colour).", flag_values=values)


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Samples. Raises UserError."""
    workdir, own = model_of(values), flags.FlagValues()
    define_flags(own)
    given: dict[str, Any] = {name: values[name].value for name in own}
    request = sample_request(**given)
    configure_like(values, workdir)
    from jaxgan.verbs.sampling import sample

    sample(workdir, request)
