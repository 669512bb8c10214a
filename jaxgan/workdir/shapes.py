"""What the files of a run's folder must look like, as `records` spells it."""

from jaxgan.records import STEP

START = {
    **dict.fromkeys(("date?", "git_revision?", "device?", "config?"), str),
    "devices?": STEP,
    "versions?": {str: str},
    "overrides?": [str],
    "donors?": {str: {"digest": (str, None), "step?": STEP, "workdir?": str}},
}
FEATURE = {
    "kind": {"picture", "points", "label", "tokens"},
    "shape": [range(1 << 31)],
    "dtype": str,
    "classes?": STEP,
    "stream?": str,
}
FEATURE |= dict.fromkeys(("scale?", "choices?"), range(1, 1 << 15))
DATA = {
    **dict.fromkeys(("name?", "digest?"), str),
    "size": STEP,
    "features?": {"image": FEATURE, str: FEATURE},
    **dict.fromkeys(("image_shape?", "source_shape?"), [range(1 << 31)]),  # of older revisions
    "classes?": STEP,
}
RECORD = {"names?": int, "config": {"data?": {"dir?": str}}, "data": DATA, "starts": [START]}
LINE = {"step": STEP, str: (float, str, None)}
NUMBER = (float, None)  # null: it could not be measured
SCORES = {str: {"value?": NUMBER, "values": [NUMBER, ...], "classes?": [NUMBER, ...]}}  # classes: of each class
PROTOCOL = {
    "real?": {"data?": str, "images?": STEP},
    "samples?": {"images?": STEP, "weights?": str},
    "extractor?": {"name?": str},
}
MEASURED = {**dict.fromkeys(("date?", "git_revision?"), str), "code?": {str: str}}  # code: see `scores.code.code_of`
EVALUATION = {"step": STEP, "scores": SCORES, "protocol": PROTOCOL, "measured?": MEASURED}
ROLLBACKS = {"rollbacks": [{"step": STEP, "why": str}]}
FAILURE = {"kind": {"diverged", "crashed"}, "message": str, "log?": str}
FROZEN = {
    "sha256": str,
    "saved": {"names?": int, "config": dict, "data": DATA},
    "players": [str],
    "arrays": str,
    **dict.fromkeys(("title", "field"), str),
    "taken": {"digest": (str, None)},
}
