"""What an ablation's file imports: `from jaxgan.table import BySeed, Claim, Column, Length, Row, Stage, Table`.

See `jaxgan.ablation.table`.
"""

from jaxgan.ablation.table import NOISE, REAL, UNTRAINED, BySeed, Claim, Column, Length, Row, Stage, Table

__all__ = ["NOISE", "REAL", "UNTRAINED", "BySeed", "Claim", "Column", "Length", "Row", "Stage", "Table"]
