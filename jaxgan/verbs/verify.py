"""Makes the eight samples of an exported model again, and says whether they are the same.

First every file is compared with its digest. Then the samples: bit for bit, or, as on another device or with another
version of JAX, within a few of 255 levels. Exit code 1 if they differ more, 2 if a file is not the one that was exported.
"""

from absl import flags

from jaxgan import models
from jaxgan.errors import UserError
from jaxgan.verbs.common import configure_like

EXAMPLES = """
python launch.py --mode=verify --input=wgan_digits
python launch.py --mode=verify --input=digits                    the model that comes with the package
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("input", "", "The folder that --mode=export has written.", flag_values=values)


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Verifies. Raises UserError, and Failure where the samples are others."""
    if not values.input:
        raise UserError("--mode=verify needs --input: a folder that --mode=export has written")
    folder = models.find(values.input)
    configure_like(values, folder)
    from jaxgan.verbs.verifying import verify

    verify(folder)
