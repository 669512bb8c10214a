"""What a table's own figures and columns of words read. See `jaxgan.ablation.results`."""

from jaxgan.ablation.results import Result, Summary, series, trajectory

__all__ = ["Result", "Summary", "series", "trajectory"]
