"""A table as Markdown, LaTeX and CSV, and its cells as text for any other form."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from jaxgan.ablation.results import Summary
from jaxgan.ablation.statistics import Entry
from jaxgan.ablation.table import Column, Table

ARROWS = {"higher": "↑", "lower": "↓", "": ""}
TEX = {"\\": r"\textbackslash{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$"}
TEX |= {c: f"\\{c}" for c in "&%$#_{}"} | {"<": r"$<$", ">": r"$>$", "|": r"$|$", "~": r"\textasciitilde{}", "^": r"\^{}"}


def shown(entry: Entry, column: Column) -> str:
    """An entry as text: "6.40 ± 0.55"."""
    if column.word:
        return ", ".join(dict.fromkeys(entry.words)) or "-"
    if not entry.values:
        return "-"
    spread = f" ± {entry.std:{column.format}}" if len(entry.values) > 1 else ""
    return f"{entry.mean:{column.format}}{spread}"


def rows(summary: Summary) -> Iterable[tuple[str, list[tuple[Column, Entry, str]]]]:
    """Each row's name, and (column, entry, published value) of each column."""
    for name, entries in summary.entries.items():
        published = summary.table.rows[name].published if name in summary.table.rows else {}
        yield name, [(c, entries[c.name], published.get(c.name, "")) for c in summary.table.columns]


def _is_published(table: Table, column: Column) -> bool:
    return any(column.name in row.published for row in table.rows.values())


def head_of(table: Table, arrows: dict[str, str]) -> list[str]:
    out = []
    for column in table.columns:
        out.append(f"{column.name} {arrows[column.better]}".strip())
        out += ["published"] if _is_published(table, column) else []
    return [*out, "runs"]


def cells_of(summary: Summary, name: str, row: list[tuple[Column, Entry, str]], bold: str) -> list[str]:
    out = []
    for column, entry, published in row:
        text = shown(entry, column)
        if not entry.values and not entry.words and {r.state for r in summary.results[name]} == {"diverged"}:
            text = "diverged"
        out.append(bold.format(text) if entry.is_best else text)
        out += [published or "-"] if _is_published(summary.table, column) else []
    return [*out, summary.runs(name)]


def markdown(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no formula, on one line."""
    text = re.sub(r"&(?=#?\w+;)", "&amp;", " ".join(text.split())).replace("<", "&lt;").replace(">", "&gt;")
    # An underscore inside of a word is no markup, a bracket is some only before another, and others only to begin with.
    marks = r"[\\`*|$~]|(?<![^\W_])_|_(?![^\W_])|\[(?=[^]]*\][\[(])|^[#+-]+(?=\s)|(?<=^\d)[.)](?=\s)"
    return re.sub(marks, r"\\\g<0>", text)


def code(text: str) -> str:
    """Text as code in Markdown, on one line: between more backticks than it has in a row itself."""
    text = " ".join(text.split())
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}" if len(ticks) > 1 else f"`{text}`"


def grid(summary: Summary, spell: Callable[[str], str] = markdown) -> str:
    """The table in Markdown. spell: of names and numbers."""
    head = [spell(one) for one in head_of(summary.table, ARROWS)]
    lines = ["| | " + " | ".join(head) + " |", "|---" + "|---:" * len(head) + "|"]
    for name, row in rows(summary):
        cells = [marked(spell(text), "**{}**") for text in cells_of(summary, name, row, "\0{}\0")]
        lines.append("| " + " | ".join([spell(name), *cells]) + " |")
    return "\n".join(lines)


def marked(text: str, how: str) -> str:
    """Text that `cells_of` has put between zero bytes, in bold."""
    return how.format(text[1:-1]) if text.startswith("\0") else text


def _tex(text: str) -> str:
    text = " ".join(text.replace("+-", "±").split())
    return "".join(TEX.get(c, c) for c in text)


def tex(summary: Summary) -> str:
    """The table for LaTeX, with booktabs."""
    head = head_of(summary.table, ARROWS)
    lines = ["% needs \\usepackage{booktabs}", f"\\begin{{tabular}}{{l{'r' * len(head)}}}", "\\toprule"]
    lines += [" & ".join(["", *map(_tex, head)]) + r" \\", "\\midrule"]
    for name, row in rows(summary):
        cells = [marked(_tex(text), "\\textbf{{{}}}") for text in cells_of(summary, name, row, "\0{}\0")]
        first = "{}" if name.lstrip()[:1] in ("[", "*") else ""  # they would belong to the end of the line before
        lines.append(" & ".join([first + _tex(name), *cells]) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def as_csv(summary: Summary) -> str:
    """A line for each row and column, with every run's value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "column", "n", "mean", "std", "low", "high", "published", "best", "values", "runs"])
    for name, row in rows(summary):
        for column, entry, published in row:
            numbers: list[Any] = [entry.mean, entry.std, *entry.interval] if entry.values else [""] * 4
            values = ";".join(entry.words if column.word else map(repr, entry.values))
            n = len(entry.words or entry.values)
            numbers = ["" if x != x else x for x in numbers]
            writer.writerow([name, column.name, n, *numbers, published, entry.is_best, values, summary.runs(name)])
    return out.getvalue()
