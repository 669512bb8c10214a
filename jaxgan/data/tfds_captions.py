"""The captions of a TFDS data set."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxgan.errors import UserError, nearest


def captions_of(builder: Any, name: str) -> tuple[str, Callable[[Any], tuple[str, ...]]]:
    """(The feature that captions are made of, what makes an example's of it). name: of a text, or of a sequence of texts,
    "captions/text" of a part; or one of the builder's own `texts`. Raises UserError where it has no such texts."""
    own = getattr(type(builder), "texts", {})
    if name in own:
        return own[name]
    known = _texts(builder.info.features)
    if name not in known:
        advice = nearest(name, {*known, *own}) if known or own else "it has no texts"
        raise UserError(f"data set {builder.name} has no captions '{name}'; {advice}")
    key, *parts = name.split("/")

    def made(value: Any) -> tuple[str, ...]:
        for part in parts:
            value = value[part]
        return tuple(x.decode() if isinstance(x, bytes) else str(x) for x in np.ravel(np.asarray(value, object)))

    return key, made


def _texts(features: Any, before: str = "") -> list[str]:
    """The names of texts among features, those of parts as "captions/text"."""
    import tensorflow_datasets as tfds

    out = []
    for name, kind in features.items():
        kind = getattr(kind, "feature", kind)  # of a sequence, what it is of
        if isinstance(kind, tfds.features.Text):
            out.append(before + name)
        elif isinstance(kind, tfds.features.FeaturesDict):
            out += _texts(kind, f"{before}{name}/")
    return out
