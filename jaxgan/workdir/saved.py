"""What a run's record says, as today's objects."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ml_collections

from jaxgan import records
from jaxgan.config.resolve import Config, resolve_config
from jaxgan.data.features import Feature, features_of, from_json
from jaxgan.sections import sections


def resolve_saved(config: dict[str, Any], where: Path, advice: str, overrides: Iterable[tuple[str, str]] = ()) -> Config:
    """A saved config, with fields that its revision did not know at their defaults. where: the file that it is from, which a
    mistake in it is told of. overrides: of the command line."""
    with records.reading(where, advice):
        base = ml_collections.ConfigDict(config)
        resolved = resolve_config(base, [], sections)
    given = list(overrides)
    return resolve_config(base, given, sections) if given else resolved


def features_in(data: dict[str, Any]) -> dict[str, Feature]:
    """The features of a run's data, from its record; runs of older revisions have shapes alone."""
    if "features" in data:
        return {name: from_json(one) for name, one in data["features"].items()}
    return features_of(tuple(data["image_shape"]), data.get("classes", 0), tuple(data.get("source_shape", ())))
