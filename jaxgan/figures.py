"""What a table's own figures draw with. See `jaxgan.ablation.figures`."""

from jaxgan.ablation.figures import heat_map

__all__ = ["heat_map"]
