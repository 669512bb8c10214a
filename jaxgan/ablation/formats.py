"""A table as Markdown, LaTeX and CSV, and its cells as text for any other form."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from jaxgan.ablation import published
from jaxgan.ablation.entries import Entry
from jaxgan.ablation.results import Summary
from jaxgan.ablation.statistics import share_interval
from jaxgan.ablation.table import Column, Table

ARROWS = {"higher": "↑", "lower": "↓", "": ""}
TEX = {"\\": r"\textbackslash{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$"}
TEX |= {c: f"\\{c}" for c in "&%$#_{}"} | {"<": r"$<$", ">": r"$>$", "|": r"$|$", "~": r"\textasciitilde{}", "^": r"\^{}"}


def shown(entry: Entry, column: Column) -> str:
    """An entry as text: "6.40 ± 0.55", over runs; "6.40 ± 0.55 ± 0.10" where runs have several sets of samples; "(6.40)"
    where all runs have failed."""
    if column.word:
        return ", ".join(dict.fromkeys(entry.words)) or "-"
    if not entry.values:
        return f"({sum(entry.failed) / len(entry.failed):{column.format}})" if entry.failed else "-"
    spread = f" ± {entry.std:{column.format}}" if len(entry.values) > 1 else ""
    noise = f" ± {entry.noise:{column.format}}" if spread and entry.noise == entry.noise else ""
    return f"{entry.mean:{column.format}}{spread}{noise}"


def rows(summary: Summary) -> Iterable[tuple[str, list[tuple[Column, Entry]]]]:
    """Each row's name, and (column, entry) of each column; the controls' last."""
    for name, entries in (*summary.entries.items(), *summary.controls.items()):
        yield name, [(column, entries[column.name]) for column in summary.table.columns]


def head_of(table: Table, arrows: dict[str, str]) -> list[str]:
    out = []
    for column in table.columns:
        out.append(f"{column.name} {arrows[column.better]}".strip())
        if published.is_published(table, column):
            out.append("paper's order" if published.is_order(table, column) else "published")
    return [*out, "runs", "failed"]


def cells_of(summary: Summary, name: str, row: list[tuple[Column, Entry]], bold: str) -> list[str]:
    out = []
    for column, entry in row:
        text = shown(entry, column)
        if text == "-" and {r.state for r in summary.results.get(name, ())} == {"diverged"}:
            text = "diverged"
        out.append(bold.format(text) if entry.is_best else text)
        if published.is_published(summary.table, column):
            is_order = published.is_order(summary.table, column)
            ranks = published.order(summary.table, column) if is_order else {}
            out.append(published.cell(summary.table, column, name, ranks))
    return [*out, summary.runs(name), failed(summary, name)]


def failed(summary: Summary, row: str) -> str:
    """How many of a row's runs failed, with the exact 95 % interval of the share: "1 of 5 [1, 72] %"."""
    k, n = summary.failures(row)
    if not n:
        return "-"
    low, high = share_interval(k, n)
    return f"{k} of {n} [{100 * low:.0f}, {100 * high:.0f}] %"


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
    """A line for each row and column, with every run's value. noise: the deviation between sets of samples of a run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow("row column n mean std low high noise published best values failed_values runs failed".split())
    for name, row in rows(summary):
        for column, entry in row:
            numbers: list[Any] = [entry.mean, entry.std, *entry.interval, entry.noise] if entry.values else [""] * 5
            values = ";".join(entry.words if column.word else map(repr, entry.values))
            text = summary.table.rows[name].published.get(column.name, "") if name in summary.table.rows else ""
            line = [name, column.name, len(entry.words or entry.values), *("" if x != x else x for x in numbers), text]
            line += [entry.is_best, values, ";".join(map(repr, entry.failed)), summary.runs(name)]
            writer.writerow([*line, failed(summary, name).partition(" [")[0]])
    return out.getvalue()


def spans(numbers: Iterable[int]) -> str:
    """ "0-4, 7" of 0, 1, 2, 3, 4, 7."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans) or "none"
