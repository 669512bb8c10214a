"""Data sources by the names that a config gives them; any other name is a TFDS data set's."""

from jaxgan.data import source

SOURCES = {name: source.Tfds for name in source.BUILDERS}
