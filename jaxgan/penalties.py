"""The penalties, by the name that they had first. See `jaxgan.objectives.terms`."""

from jaxgan.objectives.terms import (
    PENALTIES,
    R1,
    R2,
    Consensus,
    Context,
    Dragan,
    Examples,
    LeCam,
    PathLength,
    Result,
    WganGp,
    by_example,
    squared_slopes,
)

__all__ = [
    "Consensus",
    "Context",
    "Dragan",
    "Examples",
    "LeCam",
    "PENALTIES",
    "PathLength",
    "R1",
    "R2",
    "Result",
    "WganGp",
    "by_example",
    "squared_slopes",
]
