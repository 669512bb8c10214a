"""Data sources by the names that a config gives them; any other name is a TFDS data set's.

A source is a dataclass whose fields are the config's `data` section, with `open() -> source.Images`.
"""

import dataclasses
from typing import Any

from jaxgan.data import (
    anomaly_folder,
    builders,
    folder,
    image_pairs,
    photographs,
    picture_tiles,
    samples,
    solar_cells,
    stacked,
    tfds,
    tfds_tiles,
    toy,
)
from jaxgan.errors import UserError, is_reference, lookup, lookup_class

SOURCES = {name: tfds.Tfds for name in builders.BUILDERS} | toy.TOYS
SOURCES |= {
    "image_folder": folder.ImageFolder,
    "anomaly_folder": anomaly_folder.AnomalyFolder,
    "image_pairs": image_pairs.ImagePairs,
    "stacked_digits": stacked.StackedDigits,
    "samples": samples.Samples,
    "solar_cells": solar_cells.SolarCells,
    "photographs": photographs.Photographs,
    "picture_tiles": picture_tiles.PictureTiles,
    "div2k": tfds_tiles.TfdsTiles,
}


def find(name: str) -> Any:
    """The source class of a name; "package.module:Class" may be a TFDS builder or a source. Raises UserError."""
    if name in SOURCES:
        return SOURCES[name]
    if not is_reference(name):
        builders.check_name(name, SOURCES)
        return SOURCES.get(builders.base(name), tfds.Tfds)
    if builders.is_builder(lookup({}, name, "data set")):
        return tfds.Tfds
    found = lookup_class({}, name, "data set", "open")
    bare = [f.name for f in dataclasses.fields(found) if f.default is f.default_factory is dataclasses.MISSING]
    if bare and bare != ["name"]:
        raise UserError(f"field '{bare[0]}' of data set '{name}' needs a default: a config is complete without it")
    return found
