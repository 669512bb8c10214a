"""Whether a report's files print what its runs give: `report.md`, `report.html` and `table.csv`."""

import csv
import html
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxgan.ablation.audit.numbers import mean_interval, share_interval
from jaxgan.ablation.audit.reading import Place, Saved
from jaxgan.ablation.audit.verdicts import failures
from jaxgan.ablation.formats import markdown
from jaxgan.ablation.table import Column

ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}
BESIDE = ("published", "paper's order")  # columns of another's numbers
OPEN = re.compile(r"0(, \d+ open)?")  # what stands for a row of which no run has begun; report.json has none of it
Bold = set[tuple[str, str]]


def same(a: float | None, b: float | None, near: float = 1e-9) -> bool:
    """Whether two numbers are one; None and NaN are none."""
    a, b = (math.nan if x is None or not math.isfinite(x) else x for x in (a, b))
    return math.isclose(a, b, rel_tol=near, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))


def ends_of(place: Place) -> tuple[float, float]:
    """Of the 95 % interval of a mean; NaN of fewer than two values."""
    return mean_interval(place, 0.05) if len(place.values) > 1 else (math.nan, math.nan)


def cell_text(place: Place, column: Column, has_diverged: bool) -> str:
    """What a table prints of a row in a column. has_diverged: all of its runs have."""
    form, nothing = column.format, "diverged" if has_diverged else "-"
    if column.word:
        return ", ".join(dict.fromkeys(place.words)) or nothing
    if not place.values:
        return f"({float(np.mean(place.failed)):{form}})" if place.failed else nothing
    spreads = [x for x in (place.std, place.noise) if not math.isnan(place.std) and not math.isnan(x)]
    return " ± ".join(f"{x:{form}}" for x in (place.mean, *spreads))


def runs_text(saved: Saved, row: str) -> str:
    """How many runs of a row are in its means, and what became of the others, in any order."""
    if row in saved.controls:
        draws = max(len(place.values) for place in saved.controls[row].values())
        return f"{draws} draw" + "s" * (draws != 1)
    kinds = [why.split(" (")[0] or run["state"] for run, why in zip(saved.rows[row], saved.failed[row])]
    return ", ".join([f"{kinds.count('done')}", *(f"{kinds.count(x)} {x}" for x in dict.fromkeys(kinds) if x != "done")])


def failed_text(saved: Saved, row: str) -> str:
    k, n = failures(saved, row)
    low, high = share_interval(k, n) if n else (0.0, 0.0)
    return f"{k} of {n} [{100 * low:.0f}, {100 * high:.0f}] %" if n else "-"


def rows_of(saved: Saved) -> dict[str, dict[str, Place]]:
    return saved.places | saved.controls


def _expected(saved: Saved, row: str) -> list[str]:
    """A row's cells; the last two are its runs and its failures."""
    states = {run["state"] for run in saved.rows.get(row, ())}
    texts = [cell_text(rows_of(saved)[row][name], one, states == {"diverged"}) for name, one in saved.columns.items()]
    return [*texts, runs_text(saved, row), failed_text(saved, row)]


def check_grid(
    head: list[str], rows: dict[str, list[str]], saved: Saved, bold: Bold, spell: Callable[[str], str], what: str
) -> Iterator[str]:
    """What is wrong with a table's cells. head, rows: as they are printed, bold as **text**; spell: how text is printed;
    what: the file."""
    names = [f"{name}{ARROWS[column.better]}" for name, column in saved.columns.items()]
    kept = [i for i, name in enumerate(head) if name not in map(spell, BESIDE)]
    if [head[i] for i in kept] != [*map(spell, names), "runs", "failed"]:
        yield f"{what}: its columns are {', '.join(head)}, those of the runs {', '.join(names)}"
        return
    missing = [row for row in rows_of(saved) if spell(row) not in rows]
    yield from (f"{what}: {row}: has no line" for row in missing)
    wanted = {spell(row): (row, _expected(saved, row)) for row in rows_of(saved)}
    for shown, cells in rows.items():
        cells = [cells[i] for i in kept] if len(cells) == len(head) else []
        row, texts = wanted.get(shown, (shown, ["-"] * len(names) + [cells[-2] if cells else "", "-"]))
        if shown not in wanted and not OPEN.fullmatch(texts[-2]):
            yield f"{what}: {row}: is a line of no run in report.json"
        elif not cells:
            yield f"{what}: {row}: has another number of cells than the head"
        else:
            for name, got, text in zip([*saved.columns, "runs", "failed"], cells, texts):
                text = f"**{spell(text)}**" if (row, name) in bold else spell(text)
                if got != text and not (name == "runs" and sorted(got.split(", ")) == sorted(text.split(", "))):
                    yield f"{what}: {row}, {name}: prints {got}, the runs give {text}"


def check_markdown(text: str, saved: Saved, bold: Bold, claims: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with a `report.md`. claims: as they stand in `report.json`."""
    lines = text.partition("\n| | ")[2].partition("\n\n")[0].splitlines()
    head, *rest = [_split(line.removeprefix("| ")) for line in lines] or [[]]
    yield from check_grid(head, {row[0]: row[1:] for row in rest[1:] if row}, saved, bold, markdown, "report.md")
    _, _, below = text.partition("\n\n## Claims\n\n")
    shown = below.split("\n\n")[0].splitlines()
    yield from _unlike("report.md", shown, [f"- {markdown(line)}" for line in lines_of(claims, saved)])


def check_html(text: str, saved: Saved, bold: Bold, claims: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with a `report.html`."""
    table = text.partition("<table>")[2].partition("</table>")[0]
    head = [html.unescape(name) for name in re.findall(r"<th[^>]*>(.*?)</th>", table)][1:]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in re.findall(r"<tr[^>]*>(<td>.*?)</tr>", table, re.DOTALL)]
    plain = [[html.unescape(re.sub(r"</?strong>", "**", cell)) for cell in row] for row in rows]
    yield from check_grid(head, {row[0]: row[1:] for row in plain if row}, saved, bold, str, "report.html")
    found = text.partition('<ul class="claims">')[2].partition("</ul>")[0]
    every = re.findall(r"<li><b[^>]*>(.*?)</b> (.*?)</li>", found, re.DOTALL)
    shown = [html.unescape(f"- {answer}: {rest}") for answer, rest in every]
    yield from _unlike("report.html", shown, [f"- {line}" for line in lines_of(claims, saved)])


def lines_of(claims: list[dict[str, Any]], saved: Saved) -> list[str]:
    """The verdicts of `report.json` as lines; why none is tested comes first, and then no more."""
    lines = [f"no claim is tested: {saved.untested}"] * bool(saved.untested and claims)
    for claim in claims:
        told = [claim["estimate"], claim["reason"] if claim["reason"] != saved.untested else ""]
        told = f" ({'; '.join(filter(None, told))})" if any(told) else ""
        lines.append(f"{claim['answer']}: {claim['text']}{told}")
    return lines


def _unlike(what: str, shown: list[str], wanted: list[str]) -> Iterator[str]:
    if len(shown) != len(wanted):
        yield f"{what}: has {len(shown)} claims, report.json {len(wanted)}"
    for got, want in zip(shown, wanted):
        if got != want:
            yield f"{what}: claims '{got.removeprefix('- ')}', report.json '{want.removeprefix('- ')}'"


def _split(line: str) -> list[str]:
    """The cells of a line of Markdown after its first bar; a bar after a backslash separates none."""
    cells = re.findall(r"((?:\\.|[^|\\])*)\|", line)
    return [cell.strip(" ") for cell in cells]


def check_csv(text: str, saved: Saved, bold: Bold) -> Iterator[str]:
    """What is wrong with a `table.csv`."""
    lines = list(csv.DictReader(io.StringIO(text)))
    fields = {
        "row",
        "column",
        "n",
        "mean",
        "std",
        "low",
        "high",
        "noise",
        "best",
        "values",
        "failed_values",
        "runs",
        "failed",
    }
    if lines and not lines[0].keys() >= fields:
        yield f"table.csv: has no {', '.join(sorted(fields - lines[0].keys()))}"
        return
    found = {(line["row"], line["column"]): line for line in lines}
    wanted = [(row, name) for row, places in rows_of(saved).items() for name in places]
    yield from (f"table.csv: {row}, {name}: has no line" for row, name in wanted if (row, name) not in found)
    if len(found) != len(lines):
        yield "table.csv: has two lines of one row and column"
    for (row, name), line in found.items():
        if (row, name) not in wanted:
            if line["n"] != "0" or line["mean"] or not OPEN.fullmatch(line["runs"]):
                yield f"table.csv: {row}, {name}: is a line of no run in report.json"
            continue
        place, column = rows_of(saved)[row][name], saved.columns[name]
        low, high = ends_of(place)
        numbers = {"mean": place.mean, "std": place.std, "low": low, "high": high, "noise": place.noise}
        texts = {"n": str(len(place.words or place.values)), "best": str((row, name) in bold)}
        texts["failed"] = failed_text(saved, row).partition(" [")[0]
        if column.word:
            texts["values"] = ";".join(place.words)
        for field, want in texts.items():
            if line[field] != want:
                yield f"table.csv: {row}, {name}: {field} is {line[field] or 'not there'}, the runs give {want}"
        if sorted(line["runs"].split(", ")) != sorted(runs_text(saved, row).split(", ")):
            yield f"table.csv: {row}, {name}: runs is {line['runs']}, the runs give {runs_text(saved, row)}"
        for field, want in numbers.items():
            if not same(_number(line[field]), want):
                yield f"table.csv: {row}, {name}: {field} is {line[field] or 'not there'}, the runs give {want:.12g}"
        for field, wants in (("values", place.values), ("failed_values", place.failed)):
            got = [] if column.word else [_number(x) for x in line[field].split(";") if x]
            unlike = [(a, b) for a, b in zip(got, wants) if not same(a, b)]
            if len(got) != len(wants):
                yield f"table.csv: {row}, {name}: has {len(got)} {field}, the runs give {len(wants)}"
            if unlike:
                yield f"table.csv: {row}, {name}: {field} has {unlike[0][0]} where the runs give {unlike[0][1]}"


def _number(text: str) -> float:
    """NaN of what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
