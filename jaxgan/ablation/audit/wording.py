"""Whether a verdict in a `report.json` has the numbers and the words that its runs give."""

import math
import re
from collections.abc import Iterator
from typing import Any

from scipy import stats

from jaxgan.ablation.audit.numbers import Tested, permuted
from jaxgan.ablation.audit.reading import Saved
from jaxgan.ablation.audit.texts import same
from jaxgan.ablation.audit.verdicts import EXACT, Judged, failures, takes
from jaxgan.ablation.table import Claim, Column

NUMBERS = ("value", "low", "high", "p", "corrected", "level", "check")


def check_verdict(claim: Claim, one: Judged, said: dict[str, Any], saved: Saved) -> Iterator[str]:
    """What is wrong with a verdict. said: as it stands in `report.json`."""
    if said["answer"] != one.answer:
        yield f"says {said['answer']}, by the rules {one.answer}"
    column, test, nothing = saved.columns[claim.column], one.test, math.nan
    low, high = test.ends(one.level) if test else (nothing, nothing)
    check, near = permuted(test.samples) if test and test.samples else (nothing, 0.0)
    wanted = {"value": nothing, "p": nothing, "corrected": nothing, "level": nothing, "low": low, "high": high}
    if test:
        wanted |= {"value": test.value, "p": test.p, "corrected": one.corrected, "level": one.level}
    if (said["kind"], tuple(said["n"])) != ((test.kind, test.n) if test else ("", ())):
        told = f"{test.kind} of {', '.join(map(str, test.n))}" if test else "no test"
        yield f"says {said['kind'] or 'no test'} of {', '.join(map(str, said['n']))}, by the rules {told}"
    for name, want in wanted.items():
        if not same(said[name], want, 1e-6):
            yield f"{name} is {said[name]}, the runs give {want:.9g}"
    if math.isnan(check) != (said["check"] is None) or (said["check"] is not None and abs(said["check"] - check) > near):
        yield f"check is {said['check']}, permutations give {check:.3g}"
    if not claim.text and said["text"] != sentence(claim, column):
        yield f"is worded otherwise than what is tested, '{sentence(claim, column)}'"
    if test:
        yield from _wording(claim, column, test, one.level, said, saved)


def sentence(claim: Claim, column: Column) -> str:
    """A claim that has no text of its own, in words."""
    if claim.words:
        return f"{claim.row}: {' or '.join(claim.words)}"
    if claim.beyond:
        more, less = claim.beyond
        return f"{claim.row} gains more in {column.name} over {claim.than} than {more} over {less}"
    if claim.than:
        other = "its" if claim.than == claim.row else claim.than
        return f"{claim.row}: {column.name} {column.better or 'other'} than {other} {claim.than_column}".rstrip()
    return f"{claim.row}: {column.name} " + (
        f"above {claim.above:g}" if claim.above is not None else f"below {claim.below:g}"
    )


def _wording(claim: Claim, column: Column, test: Tested, level: float, said: dict[str, Any], saved: Saved) -> Iterator[str]:
    """Numbers in a verdict's words that are not those of the verdict."""
    text, known = f"{said['estimate']}; {said['reason']}", {x: math.nan if said[x] is None else said[x] for x in NUMBERS}
    # Null stands for an end without end, too.
    known |= {x: end for x, end in zip(("low", "high"), test.ends(level)) if said[x] is None}
    if test.kind == "binomial":
        shown = f"{known['value'] * test.n[0]:.0f} of {test.n[0]} runs"
    elif test.kind in EXACT:
        pairs = zip(claim.rows, test.n)
        lost = [f"{failures(saved, row)[0]} of {n}" for row, n in pairs]
        shown = f"{lost[0]} runs failed" + "".join(f", {other} of the other row" for other in lost[1:])
    else:
        value, *ends = (f"{known[x]:{'+' if claim.than else ''}{column.format}}" for x in ("value", "low", "high"))
        shown = f" {value} [{', '.join(ends)}]"
    if not f" {said['estimate']}".endswith(shown):
        yield f"prints {said['estimate']}, its numbers are{shown}"
    for pattern, name in ((r"(?<!\w)p = ([\d.e+-]+)", "corrected"), (r"uncorrected: ([\d.e+-]+)", "check")):
        found = re.search(pattern, text)
        if found and found[1] != f"{known[name]:.2g}":
            yield f"prints p = {found[1]}, where it is {known[name]:.2g}"
    found = re.search(r"(about|more than) ([\d,]+) seeds would decide it", text)
    if found:
        n, least = int(found[2].replace(",", "")), takes([saved.places[row][column.name] for row in claim.rows])
        is_right = _power(test, n, level) >= 0.8 if found[1] == "about" else True
        if not is_right or (n > least and _power(test, n - 1, level) >= 0.8) or n < least:
            yield f"prints {found[0]}, where the power is {_power(test, n, level):.3f} with {n}"


def _power(test: Tested, n: int, level: float) -> float:
    """Of a test with n seeds, were the effect as measured."""
    samples = len(test.n)
    freedom, effect = samples * (n - 1), abs(test.effect) / test.deviation if test.deviation else math.inf
    return float(stats.nct.sf(stats.t.ppf(1 - level / 2, freedom), freedom, effect * math.sqrt(n / samples)))
