"""Whether pictures of `shapes` show what their captions say, read from the pictures without any network."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxgan.data import words
from jaxgan.data.captions import has_words
from jaxgan.data.scene_claims import CLAIMS, SWAPPED, agrees, bindings, said
from jaxgan.data.scene_reader import read
from jaxgan.data.scenes import decode
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.scores.drawn import Captions

ALL, UNSEEN = "scene", "unseen_"
NAMES = (ALL, *(f"{ALL}_{name}" for name in (*CLAIMS, SWAPPED)))
SCORES = {before + name: "lower" if name.endswith(SWAPPED) else "higher" for before in ("", UNSEEN) for name in NAMES}
HOW = "sample i has the first caption of the real example i; objects found by colour and by the form that shares most"


def scores(plan: Any, opened: Captions, state: Any) -> dict[str, float]:
    """ "scene": the share of `eval.num_samples` pictures of which all is true that their captions say. "scene_kind" and so
    on: the share of claims of that kind that are true; of colours, that an object of it is there; of the count, that there
    are no other objects. "scene_swapped": of two objects of unlike kinds that are there, how often each has the other's
    kind: the colours went to the wrong forms. "unseen_...": of the captions that have words of `data.unseen` alone.

    Notes "bindings", {"red circle": {"circle": 40, "square": 2, "absent": 1}}: what was asked for and what is there."""
    made, tokens = opened.pictures(plan, state)
    captions = [words.decode(row, opened.images.features["tokens"].names) for row in tokens]
    claims, found = [said(caption) for caption in captions], read(made)
    right = [agrees(*pair) for pair in zip(claims, found)]
    counts = Counter(one for pair in zip(claims, found) for one in bindings(*pair))
    opened.measured["bindings"] = {
        asked: {got: n for (one, got), n in sorted(counts.items()) if one == asked}
        for asked in sorted({x for x, _ in counts})
    }
    out = shares(right)
    unseen = has_words([(caption,) for caption in captions], plan.config.data.get("unseen", ()))
    if unseen.any():
        out |= {UNSEEN + name: x for name, x in shares([one for one, is_new in zip(right, unseen) if is_new]).items()}
    return out


def shares(right: Sequence[dict[str, list[bool]]]) -> dict[str, float]:
    """`NAMES` of what `scene_claims.agrees` says of each picture; those of which no caption claims anything are left out."""
    claims = {name: [x for one in right for x in one[name]] for name in (*CLAIMS, SWAPPED)}
    whole = [all(all(one[name]) for name in CLAIMS) for one in right]
    return {ALL: float(np.mean(whole))} | {f"{ALL}_{name}": float(np.mean(x)) for name, x in claims.items() if x}


def check(plan: Any, images: Images) -> None:
    """Refuses runs that draw no captions, and other pictures than those of `shapes`. Raises UserError."""
    if "tokens" not in plan.given:
        raise UserError("the metric 'scene' is of runs that draw captions (configs/dfgan.py)")
    if images.known.decode is not decode or images.image_shape[0] != images.image_shape[1]:
        raise UserError(
            f"the metric 'scene' reads pictures of shapes, and these are of {images.name}; 'r_precision' is of any"
        )
