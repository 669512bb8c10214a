"""What an ablation's file imports: `from jaxgan.table import Claim, Column, Length, Row, Stage, Table`.

See `jaxgan.ablation.table`.
"""

from jaxgan.ablation.table import REAL, Claim, Column, Length, Row, Stage, Table

__all__ = ["REAL", "Claim", "Column", "Length", "Row", "Stage", "Table"]
