"""Published values beside a table's: as they are where data and protocol are the paper's, else their order alone."""

import math
import re

from scipy import stats

from jaxgan.ablation.entries import Entry
from jaxgan.ablation.table import Column, Table

WORST = ("diverge", "fail", "collapse")  # what a published word of the last rank begins with


def is_published(table: Table, column: Column) -> bool:
    return any(column.name in row.published for row in table.rows.values())


def is_order(table: Table, column: Column) -> bool:
    """Whether the published values of a column are shown by their order: they are of other data or of another protocol."""
    return not table.comparable and not column.word and bool(column.better) and is_published(table, column)


def order(table: Table, column: Column) -> dict[str, int]:
    """The rank of each row with a published number, 1 the best; equal numbers share one."""
    found = {name: number(row.published[column.name]) for name, row in table.rows.items() if column.name in row.published}
    sign = -1 if column.better == "higher" else 1
    keys = {name: math.inf if math.isinf(x) else sign * x for name, x in found.items() if not math.isnan(x)}
    return {name: 1 + sum(other < key for other in keys.values()) for name, key in keys.items()}


def number(text: str) -> float:
    """The first number of a published value, "6.3 +- .5" or ".51 / .11 / .08"; infinite for one that diverged, else NaN."""
    found = re.match(r"\s*([-+]?(?:\d[\d,]*\.?\d*|\.\d+))", text)
    if found:
        return float(found[1].replace(",", ""))
    return math.inf if text.strip().lower().startswith(WORST) else math.nan


def cell(table: Table, column: Column, row: str, ranks: dict[str, int]) -> str:
    """What stands beside a row's entry."""
    text = table.rows[row].published.get(column.name, "") if row in table.rows else ""
    return f"{ranks[row]} ({text})" if row in ranks else text or "-"


def agreement(table: Table, entries: dict[str, dict[str, Entry]]) -> list[str]:
    """A line for each column that has published values of four rows or more: Kendall's tau of their order and of ours."""
    out = []
    for column in table.columns:
        if column.word or not column.better or not is_published(table, column):
            continue
        sign = 1 if column.better == "higher" else -1
        ranks = order(table, column)
        ours = {row: sign * entries[row][column.name].mean for row in ranks if entries[row][column.name].values}
        if len(ours) > 3 and len(set(ours.values())) > 1 and len({ranks[row] for row in ours}) > 1:
            tau, p = stats.kendalltau([-ranks[row] for row in ours], list(ours.values()))
            out.append(f"{column.name}: Kendall's tau {tau:.2f}, {len(ours)} rows (p = {p:.2g})")
    return out
