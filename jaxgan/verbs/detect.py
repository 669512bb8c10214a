"""Scores pictures by how abnormal they are, and shows where.

Of runs that find anomalies (configs/fanogan.py), or of any other run with a detector that is named. The threshold follows
from normal pictures that the run holds out, and from the share of them that may be called abnormal, eval.detector.rate.
"""

from absl import flags

from jaxgan.errors import UserError
from jaxgan.verbs import outputs
from jaxgan.verbs.common import check_least, configure_like, model_of
from jaxgan.verbs.given_pictures import input_of

EXAMPLES = """
python launch.py --mode=detect --workdir=runs/fanogan --input=FOLDER --out=detected
python launch.py --mode=detect --workdir=runs/fanogan --input=FOLDER --config.eval.detector.rate=0.01 --num=200
"""
TAKES_OVERRIDES = True
OVERRIDES = ("eval.detector.", "eval.ema", "data.dir", "data.cache")


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("input", "", "A folder or archive of pictures, or one picture, of any size.", flag_values=values)
    outputs.define_flags(values, "A folder, where the same command goes on if it was stopped; the workdir's detected/ by "
                         "default.")  # fmt: skip
    flags.DEFINE_integer("num", 1000, "How many pictures the page shows, of the highest scores.", flag_values=values)


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Finds anomalies. Raises UserError, and Failure where no picture can be read."""
    for path, _ in overrides:
        if not path.startswith(OVERRIDES):
            raise UserError(f"--config.{path} has no effect in --mode=detect; --config.eval.detector... says how to detect")
    workdir, source = model_of(values), input_of(values.input, "detect")
    check_least(values, num=1)
    out = outputs.folder_of(values, [source])
    configure_like(values, workdir)
    from jaxgan.verbs.detection import detect

    detect(workdir, source, out, overrides, values.num, values.overwrite)
