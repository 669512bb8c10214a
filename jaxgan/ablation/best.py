"""What is printed bold."""

from dataclasses import replace

from jaxgan.ablation.comparison import FEW, Entries, Results, beats, case_of, fails_more, too_few
from jaxgan.ablation.entries import Entry
from jaxgan.ablation.statistics import LEVEL, holm
from jaxgan.ablation.table import Claim, Table


def mark_best(
    table: Table, entries: Entries, results: Results, controls: Entries | None = None
) -> dict[str, dict[str, Entry]]:
    """Marks, in each column, the row that beats every other one: the largest of its p-values counts, and those of all
    columns are corrected together. Rows with fewer than five values, or whose runs are not done, are left out. A row that
    does not beat a control, or that fails more often than another, is not the best."""
    out = {row: dict(columns) for row, columns in entries.items()}
    found: list[tuple[str, str, float]] = []
    for column in table.columns:
        whole = [row for row, some in results.items() if all(x.state in ("done", "diverged") for x in some)]
        able = {row: entries[row][column.name] for row in whole if len(entries[row][column.name].values) >= FEW}
        if not column.better or len(able) < 2:
            continue
        sign = 1 if column.better == "higher" else -1
        best = max(able, key=lambda row: sign * able[row].mean)
        p = 0.0
        for row in able:
            claim = Claim(column.name, best, than=row)
            if row != best:
                case = case_of(claim, column, entries, results, False)
                is_frail = fails_more(results[best], results[row])
                if not case.found or not case.is_right or too_few(case) or is_frail:
                    p = 1.0
                else:
                    p = max(p, case.found.p)
        lost = any(
            one[column.name].values and not beats(able[best], one[column.name], column) for one in (controls or {}).values()
        )
        found.append((column.name, best, 1.0 if lost else p))
    for (name, best, _), p in zip(found, holm([p for *_, p in found])[0]):
        if p < LEVEL:
            out[best][name] = replace(out[best][name], is_best=True)
    return out
