"""How often the table engine's verdicts are wrong, and how often there is one: the table of docs/claims.md.

    python benchmarks/claims.py                # half an hour; prints the table
    python benchmarks/claims.py --smoke

Scores of runs are drawn, and the engine decides on them as on a table's. "False" counts verdicts where there is nothing: a
difference of 0, for `equivalent` one of the margin, for `words` a share of one half. Then there is a difference of one or
two standard deviations of a run; for `equivalent` none; for `words` shares of 4 and 5 sixths. Scores: normal ones with a
deviation of a tenth of the mean; log-normal ones with deviations of .2 and .5 of the logarithm; normal ones of which one run
in ten fails and lies far off. That a run has failed is known to the table's rule, or nobody knows.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jaxgan.ablation.best import mark_best  # noqa: E402
from jaxgan.ablation.claims import decide  # noqa: E402
from jaxgan.ablation.entries import entry_of, failure_of  # noqa: E402
from jaxgan.ablation.results import Result  # noqa: E402
from jaxgan.ablation.table import Claim, Column, Row, Table  # noqa: E402

SEEDS = (5, 10, 20)
EFFECTS = (0.0, 1.0, 2.0)  # deviations of a run
ROWS = ("a", "b", "c", "d")
DISTANCE = 100.0  # a score's mean
FAR = 4 * DISTANCE  # from it lies a run that has failed
GAIN = 5.0  # deviations: the gain of either pair of rows


def normal(rng, shape):
    return 0.1 * DISTANCE * rng.standard_normal(shape), 0.1 * DISTANCE


def log_normal(sigma):
    def draw(rng, shape):
        deviation = np.sqrt(np.expm1(sigma**2))
        return DISTANCE * (np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2) - 1), DISTANCE * deviation

    return draw


def with_failures(rng, shape):
    noise, deviation = normal(rng, shape)
    return np.where(rng.random(shape) < 0.1, FAR, noise), deviation


SCORES = {  # name: (draws, whether the table knows the runs that failed)
    "normal": (normal, False),
    "log-normal .2": (log_normal(0.2), False),
    "log-normal .5": (log_normal(0.5), False),
    "one in ten fails": (with_failures, True),
    "one in ten fails, unknown": (with_failures, False),
}
MARGIN = 1.0  # deviations of a run
KINDS = ("two rows", "in pairs", "a gain beyond a gain", "below a number", "equivalent", "bold, four rows", "words")


def table_of(kind: str, seeds: int, known: bool, number: float, margin: float) -> Table:
    claims = {
        "two rows": Claim("x", "a", than="b"),
        "in pairs": Claim("x", "a", than="b", paired=True),
        "a gain beyond a gain": Claim("x", "a", than="b", beyond=("c", "d")),
        "below a number": Claim("x", "a", below=number),
        "equivalent": Claim("x", "a", than="b", margin=margin),
        "words": Claim("word", "a", words=("yes",)),
    }
    columns = (
        Column("x", better="lower", format=".6g", within=(0.0, np.inf)),
        Column(title="word", word=lambda run: run.word),
    )
    sound = {"x": (-np.inf, FAR)} if known else {}
    asked = (claims[kind],) if kind in claims else ()
    return Table("", "", "", "", columns, {row: Row() for row in ROWS}, range(seeds), asked, sound=sound)


def tried(kind: str, draw, known: bool, seeds: int, effect: float, tries: int, rng) -> tuple[float, float]:
    """(Share of tries with the verdict that a claim holds or that rows are equivalent, share with the opposite one)."""
    noise, deviation = draw(rng, (tries, len(ROWS), seeds))
    more = {
        "a gain beyond a gain": (0, GAIN + effect, 0, GAIN),
        "equivalent": (0, MARGIN - effect, 0, 0),
        "below a number": (0, 0, 0, 0),
    }.get(kind, (0, effect, effect, effect))
    values = np.maximum(DISTANCE + deviation * np.array(more)[:, None] + noise, 1e-3)
    is_yes = rng.random((tries, seeds)) < 0.5 + effect / 6
    table = table_of(kind, seeds, known, DISTANCE + effect * deviation, MARGIN * deviation)
    good = bad = 0
    for i in range(tries):
        results = {row: [run(table, j, values[i, k, j], is_yes[i, j]) for j in range(seeds)] for k, row in enumerate(ROWS)}
        entries = {row: {c.name: entry_of(c, some) for c in table.columns} for row, some in results.items()}
        if not table.claims:
            marked = [row for row, own in mark_best(table, entries, results).items() if own["x"].is_best]
            good, bad = good + (marked == ["a"]), bad + bool(marked and marked != ["a"])
            continue
        answer = decide(table, entries, results, is_checked=False)[0].answer
        wanted = "equivalent" if kind == "equivalent" else "holds"
        good += answer == wanted
        bad += answer == "contradicted"
    return good / tries, bad / tries


def run(table: Table, seed: int, value: float, is_yes: bool) -> Result:
    cell = SimpleNamespace(seed=seed)
    found = Result(cell, "done", {"x": float(value)}, words={"word": "yes" if is_yes else "no"})
    return Result(cell, "done", found.numbers, words=found.words, failed=failure_of(found, table))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=4000, help="tables drawn for each number")
    parser.add_argument("--only", default="", help="kinds with this in their names")
    parser.add_argument("--smoke", action="store_true", help="a few tries, to see that it runs")
    values = parser.parse_args()
    tries, kinds = (20 if values.smoke else values.tries), [kind for kind in KINDS if values.only in kind]
    heads = [f"n = {n}, {what}" for n in SEEDS for what in ("false", *(f"{x:g} dev." for x in EFFECTS[1:]))]
    print(
        f"Per cent of {tries:,} tables. False: a verdict where there is nothing. Then: the right one, by the difference.\n"
    )
    print("| claim | scores | " + " | ".join(heads) + " |\n|---|---|" + "---:|" * len(heads), flush=True)
    for kind in kinds:
        for name, (draw, known) in SCORES.items():
            if kind == "words" and name != "normal":
                continue
            cells = []
            for n in SEEDS:
                for effect in EFFECTS:
                    if kind == "equivalent" and effect == 2:
                        cells.append("-")
                        continue
                    rng = np.random.default_rng(n)
                    right, wrong = tried(kind, draw, known, n, effect, tries, rng)
                    share = (right if kind == "equivalent" else right + wrong) if not effect else right
                    cells.append(f"{100 * share:.1f}")
            print(f"| {kind} | {'-' if kind == 'words' else name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
