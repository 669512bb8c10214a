"""What an ablation's file imports: `from jaxgan.table import Claim, Column, Length, Row, Stage, Table`.

See `jaxgan.ablation.table`.
"""

from jaxgan.ablation.table import NOISE, REAL, UNTRAINED, Claim, Column, Length, Row, Stage, Table

__all__ = ["NOISE", "REAL", "UNTRAINED", "Claim", "Column", "Length", "Row", "Stage", "Table"]
