"""The verdicts of a table's claims. The rules are in docs/claims.md."""

import math
from dataclasses import replace
from typing import NamedTuple

from jaxgan.ablation.comparison import (
    LARGE_SPREAD,
    MANY_SEEDS,
    SEEDS,
    Case,
    Entries,
    Results,
    beats,
    case_of,
    fails_more,
    failures,
    too_few,
)
from jaxgan.ablation.statistics import LEVEL, MANY, holm, seeds_needed
from jaxgan.ablation.table import Claim, Column, Table

SHARES = ("binomial", "failures", "fisher")  # tests of shares of runs
ANSWERS = ("holds", "contradicted", "equivalent", "undecided", "not tested")


class Verdict(NamedTuple):
    """claim; text: in words. answer: one of `ANSWERS`. estimate: what was measured, in words; reason: for the answer. kind,
    n, value, p and check (of permutations, NaN where none was made): of the test. corrected: p over all claims; level: at
    which it was tested; low, high: the ends of the interval at that level."""

    claim: Claim
    text: str
    answer: str
    reason: str
    estimate: str = ""
    kind: str = ""
    n: tuple[int, ...] = ()
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    corrected: float = math.nan
    level: float = math.nan
    check: float = math.nan


def decide(
    table: Table,
    entries: Entries,
    results: Results,
    controls: Entries | None = None,
    untested: str = "",
    is_checked: bool = True,
) -> list[Verdict]:
    """The verdict of each claim, in order. controls: entries of rows that are no methods, which a row must beat. untested:
    why no claim is tested at all. is_checked: whether permutation tests are made beside."""
    columns = {column.name: column for column in table.columns}
    cases = [case_of(claim, columns[claim.column], entries, results, is_checked) for claim in table.claims]
    level = LEVEL / max(1, len(table.looks))
    corrected, levels = holm([case.found.p if case.found else 1.0 for case in cases], level)
    out = []
    for claim, case, p, own in zip(table.claims, cases, corrected, levels):
        column = columns[claim.column]
        answer, reason = _answer(claim, column, case, p, level, own, entries, results)
        stop = untested or _beaten(claim, column, entries, controls or {})
        if stop:
            answer, reason = "not tested", stop
        elif case.found and len(table.seeds) not in (table.looks or (len(table.seeds),)):
            planned = " and ".join(map(str, table.looks))
            answer, reason = "undecided", f"looks were planned at {planned} seeds, and there are {len(table.seeds)}"
        out.append(_verdict(claim, column, case, answer, reason, p, own))
    return out


def _verdict(claim: Claim, column: Column, case: Case, answer: str, reason: str, p: float, level: float) -> Verdict:
    text = words(claim, column)
    if not case.found:
        return Verdict(claim, text, answer, reason)
    value, (low, high) = case.found.estimate, case.found.interval(level)
    if case.kind in SHARES:
        estimate = _shares(case)
    else:
        sign = "+" if claim.than else ""
        name = {"gains": "difference of gains ", "pairs": "difference in pairs "}.get(case.kind, "difference ")
        shown = [f"{x:{sign}{column.format}}" for x in (value, low, high)]
        estimate = f"{name if claim.than else ''}{shown[0]} [{shown[1]}, {shown[2]}]"
    return Verdict(
        claim, text, answer, reason, estimate, case.kind, case.n, value, low, high, case.found.p, p, level, case.check
    )


def _shares(case: Case) -> str:
    """The shares that a test is of, in words."""
    assert case.found
    value, n = case.found.estimate, case.n[0]
    if case.kind != "fisher":
        return f"{value * n:.0f} of {n} runs" + " failed" * (case.kind == "failures")
    share = value + 1 if case.is_right else 1.0  # every run of one of the rows has failed
    return f"{share * n:.0f} of {n} runs failed, {(share - value) * case.n[1]:.0f} of {case.n[1]} of the other row"


def _answer(
    claim: Claim, column: Column, case: Case, p: float, level: float, own: float, entries: Entries, results: Results
) -> tuple[str, str]:
    """(Answer, reason) of a claim by its test. p: corrected. level: of all claims; own: at which this one was tested."""
    if not case.found:
        return "undecided", case.early
    told = f"p = {p:.2g}" + ("" if math.isnan(case.check) else f" (permutations, uncorrected: {case.check:.2g})")
    if claim.margin is not None and not (case.apart or too_few(case, math.inf)):
        low, high = case.found.interval(2 * own)  # two one-sided tests, each at its own level
        if -claim.margin < low and high < claim.margin:
            return "equivalent", f"within {claim.margin:g} of 0, by two one-sided tests"
    if p >= level:
        return "undecided", f"{told}; {case.apart}" if case.apart else told + _seeds_to_decide(case, own)
    answer = "holds" if case.is_right else "contradicted"
    few = "" if case.kind in SHARES else too_few(case)
    but = case.apart or few or _objection(claim, column, answer, case.kind, entries, results)
    return ("undecided", f"{told}, but {but}") if but else (answer, told)


def _seeds_to_decide(case: Case, level: float) -> str:
    """How far from a verdict a test of means is, in words."""
    if case.kind in SHARES or not case.found or not case.found.effect:
        return ""
    needed = seeds_needed(case.found, level, 2 if case.kind == "welch" else 1)
    needed = max(needed, MANY_SEEDS if case.spread > LARGE_SPREAD else SEEDS)
    far = f"more than {MANY:,}" if needed >= MANY else f"about {needed}"
    return f"; {far} seeds would decide it, were the difference as measured"


def _objection(claim: Claim, column: Column, answer: str, kind: str, entries: Entries, results: Results) -> str:
    """What beside the numbers of a test speaks against its answer; "" if nothing does."""
    holds = answer == "holds"
    if claim.beyond and holds:
        first = case_of(replace(claim, beyond=(), paired=True), column, entries, results, False)
        if not (first.found and first.is_right and first.found.p < LEVEL):
            return f"{claim.row} is no better than {claim.than}"
    if claim.than and kind != "fisher" and (holds or not claim.beyond):
        better, worse = (claim.row, claim.than) if holds else (claim.than, claim.row)
        if fails_more(results[better], results[worse]):
            (k, n), (other, of) = failures(results[better]), failures(results[worse])
            return f"{better} fails more often ({k} of {n} runs, {other} of {of})"
    return ""


def _beaten(claim: Claim, column: Column, entries: Entries, controls: Entries) -> str:
    """Which control no row of a claim beats, so that the column does not measure it; "" if there is none."""
    if column.word or not column.better:
        return ""
    if not claim.than and column.better != ("higher" if claim.above is not None else "lower"):
        return ""  # a claim that the row is poor
    for places in (claim.places[:2], claim.places[2:]) if claim.than else (claim.places,):
        known = [row for row, name in places if name == column.name and len(entries[row][name].values) > 1]
        for name, control in controls.items():
            one = control[column.name]
            if one.values and known and not any(beats(entries[row][column.name], one, column) for row in known):
                told = f"{known[0]} does not beat" if len(known) == 1 else f"neither {' nor '.join(known)} beats"
                return f"{told} the control '{name}' in {column.name} ({one.mean:{column.format}})"
    return ""


def words(claim: Claim, column: Column) -> str:
    """A claim in words."""
    if claim.text:
        return claim.text
    if claim.words:
        return f"{claim.row}: {' or '.join(claim.words)}"
    if claim.beyond:
        return f"{claim.row} gains more in {column.name} over {claim.than} than {claim.beyond[0]} over {claim.beyond[1]}"
    if claim.than:
        than = claim.than if claim.than != claim.row else "its"
        other = f" {claim.than_column}" if claim.than_column else ""
        return f"{claim.row}: {column.name} {column.better or 'other'} than {than}{other}"
    side, number = ("above", claim.above) if claim.above is not None else ("below", claim.below)
    return f"{claim.row}: {column.name} {side} {number:g}"
