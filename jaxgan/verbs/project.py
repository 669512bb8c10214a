"""Looks among a StyleGAN's styles for the one that makes a given picture.

Writes FILE.png, the pictures above what was found for each, and FILE.npz with the styles.
"""

from absl import flags

from jaxgan.errors import UserError, as_path
from jaxgan.verbs import outputs
from jaxgan.verbs.common import check_least, configure_like, model_of

EXAMPLES = """
python launch.py --mode=project --workdir=runs/stylegan_lite --input=digits@test
python launch.py --mode=project --workdir=runs/stylegan_lite --input=FOLDER --num=4 --iterations=1000 --out=found.png
"""
TAKES_OVERRIDES = False


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("input", "", "The pictures to look for: a folder, an archive, FILE.npz, or a data set and its "
                        "split, digits@test.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("num", 8, "How many of them, from the first on.", flag_values=values)
    flags.DEFINE_integer("iterations", 500, "Steps of the search.", flag_values=values)
    outputs.define_flags(values, "FILE.png, beside which FILE.npz is written; the workdir's samples/projection_STEP.png by "
                         "default.")  # fmt: skip


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Projects. Raises UserError."""
    workdir = model_of(values)
    check_least(values, num=1, iterations=1)
    if not values.input:
        raise UserError(
            "--mode=project needs --input: a folder or archive of pictures, FILE.npz, or a data set, digits@test"
        )
    out = as_path(values.out) if values.out else None
    if out and (out.suffix.lower() != ".png" or not out.parent.is_dir()):
        raise UserError(f"--out={values.out} must be FILE.png in a folder that exists")
    outputs.check(values, [out, out.with_suffix(".npz")] if out else [], [values.input])
    saved = configure_like(values, workdir)
    from jaxgan.data.by_name import open_by_name
    from jaxgan.verbs.projection import project

    project(workdir, open_by_name(values.input, saved["data"].get("dir", "")), values.num, values.iterations, out)
