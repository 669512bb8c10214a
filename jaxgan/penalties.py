"""The terms of an objective, by the name that they had first. See `jaxgan.objectives.terms`."""

from jaxgan.objectives.context import Context, Examples, Judged, Result, by_example, squared_slopes
from jaxgan.objectives.terms import L1, L2, R1, R2, TERMS, Consensus, Dragan, FeatureDistance, LeCam, PathLength, WganGp

__all__ = [
    "Consensus",
    "Context",
    "Dragan",
    "Examples",
    "FeatureDistance",
    "Judged",
    "L1",
    "L2",
    "LeCam",
    "PathLength",
    "R1",
    "R2",
    "Result",
    "TERMS",
    "WganGp",
    "by_example",
    "squared_slopes",
]
