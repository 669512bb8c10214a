"""Published tables checked once more: python -m jaxgan.ablation.audit results/

Every number, claim and bold cell is computed anew from the runs in `report.json`, by SciPy and by the rules of
docs/claims.md. A line for each finding, then notes, then a summary. Exit code: 0 without findings, 1 with some, 2 where the
command is mistaken.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jaxgan import records
from jaxgan.ablation.audit.reading import Saved, saved_of
from jaxgan.ablation.audit.runs import check_registered, check_runs, says
from jaxgan.ablation.audit.texts import check_csv, check_html, check_markdown, rows_of
from jaxgan.ablation.audit.verdicts import bold, judged
from jaxgan.ablation.audit.wording import NUMBERS, check_verdict
from jaxgan.errors import UserError
from jaxgan.workdir.shapes import NUMBER, PROTOCOL, START

FILE, PRINTED = "report.json", ("report.md", "report.html", "table.csv")
ADVICE = "write it anew with --mode=ablate --report_only"
RUN = {
    "seed": int,
    **dict.fromkeys(("state", "verdict", "failed"), str),
    "numbers": {str: NUMBER},
    "words": {str: str},
    "sets?": {str: [NUMBER]},
    "evaluation": ({"step": int, "protocol": PROTOCOL}, None),
    "starts": [START],
}
CLAIM = {
    "claim": {"column": str, "row": str},
    **dict.fromkeys(("text", "answer", "reason", "estimate", "kind"), str),
    "n": [int],
    **dict.fromkeys(NUMBERS, NUMBER),
}
COLUMN = {**dict.fromkeys(("name", "score", "better", "format"), str), "scale": float, "count": float}
SHAPE = {
    "configs": {str: (dict, None)},
    "rows": {str: [RUN]},
    "columns": [COLUMN],
    **dict.fromkeys(("seeds", "looks"), [int]),
    "sound": {str: [(*NUMBER, {"inf", "-inf"})]},
    "untested": str,
    "claims": [CLAIM],
    "controls": {str: {str: [float]}},
    "control_seeds?": {str: {str: [int]}},
    "about": {str: str},
    "registered?": (dict, None),
}


class Audit(NamedTuple):
    """findings, notes: lines. means, claims, bold: how many were computed anew."""

    findings: list[str]
    notes: list[str]
    means: int = 0
    claims: int = 0
    bold: int = 0


def audit(folder: Path) -> Audit:
    """Checks the table in a folder."""
    try:
        report = records.read_json(folder / FILE, {"rows": dict}, ADVICE)
        if report is None:
            there = [name for name in PRINTED if (folder / name).exists()]
            return Audit([f"{' and '.join(there)} without {FILE}, so that nothing can be computed anew"], [])
        if "claims" not in report or "columns" not in report:
            return Audit([f"{FILE}: written by an older revision; {ADVICE}"], [])
        report = records.read_json(folder / FILE, SHAPE, ADVICE)
        with records.reading(folder / FILE, ADVICE):
            return _checked(folder, report)
    except UserError as error:
        return Audit([str(error).removeprefix(f"{folder}/")], [])


def _checked(folder: Path, report: dict[str, Any]) -> Audit:
    saved = saved_of(report)
    verdicts, marks, claims = judged(saved), bold(saved), report["claims"]
    texts = {name: (records.read_bytes(folder / name, ADVICE) or b"").decode(errors="replace") for name in PRINTED}
    found = [f"{name} is not there" for name, text in texts.items() if not text]
    found += [*check_runs(report, saved), *check_registered(report, texts["report.md"])]
    for claim, one, said in zip(saved.claims, verdicts, claims):
        found += [f"{FILE}: '{said['text']}': {line}" for line in check_verdict(claim, one, said, saved)]
    checks = (
        lambda text: check_markdown(text, saved, marks, claims),
        lambda text: check_html(text, saved, marks, claims),
        lambda text: check_csv(text, saved, marks),
    )
    for text, check in zip(texts.values(), checks):
        found += check(text) if text else []
    means = sum(bool(place.values) for places in rows_of(saved).values() for place in places.values())
    return Audit(found, list(_notes(report, saved)), means, len(verdicts), len(marks))


def _notes(report: dict[str, Any], saved: Saved) -> Iterator[str]:
    every = [run for runs in report["rows"].values() for run in runs]
    silent = sum("measured" not in run["evaluation"] for run in every if run["evaluation"])
    if silent:
        yield f"scores of {silent} runs do not say by which revision they were measured"
    undated = sum(run["state"] in ("done", "diverged") and not says(run, "date") for run in every)
    if undated:
        yield f"{undated} runs do not say when they were trained"
    for row, runs in saved.rows.items():
        if len(runs) < len(saved.seeds):
            yield f"{row} has {len(runs)} of {len(saved.seeds)} seeds"
    if not report.get("registered") and report["claims"]:
        yield "its claims were not registered before the runs were scored"


def folders_of(path: Path) -> list[Path]:
    """The folders of tables at a path and below it. Raises UserError where there are none."""
    if not path.exists():
        raise UserError(f"{path} is not there; give a folder of tables, as results/ is one")
    found = {one.parent for name in (FILE, *PRINTED) for one in (path.rglob(name) if path.is_dir() else ())}
    if not found:
        raise UserError(f"{path} has no table's {FILE} in it or below it; give a folder of tables, as results/ is one")
    return sorted(found)


def main(words: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jaxgan.ablation.audit",
        description="Computes the numbers, claims and bold cells of tables anew, from the runs in their report.json.",
    )
    parser.add_argument("path", type=Path, help="a folder of tables, or of one table")
    path = parser.parse_args(words).path
    try:
        done = {folder: audit(folder) for folder in folders_of(path)}
    except UserError as error:
        print(f"audit: {error}", file=sys.stderr)
        return 2
    lines = [f"{folder}: {line}" for folder, one in done.items() for line in one.findings]
    notes = [f"{folder}: note: {line}" for folder, one in done.items() for line in one.notes]
    counts = [sum(getattr(one, name) for one in done.values()) for name in ("means", "claims", "bold")]
    what = "{} tables, {} means and intervals, {} claims, {} bold cells recomputed".format(len(done), *counts)
    told = f"{len(lines)} mismatch{'es' if len(lines) > 1 else ''}" if lines else "no mismatch"
    print("\n".join([*lines, *notes, f"{what}: {told}"]))
    return bool(lines)
