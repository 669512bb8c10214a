"""What a search's file imports: `from jaxgan.space import Choice, Log, Same, Space, Uniform, Whole`.

See `jaxgan.search.space`.
"""

from jaxgan.search.space import Choice, Log, Same, Space, Uniform, Whole

__all__ = ["Choice", "Log", "Same", "Space", "Uniform", "Whole"]
