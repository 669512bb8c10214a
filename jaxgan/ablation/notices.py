"""What a report says beside its table: claims, and lists of what a reader must know."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxgan import monitor
from jaxgan.ablation import published
from jaxgan.ablation.formats import spans
from jaxgan.ablation.results import Result, Summary
from jaxgan.scores.anomaly import CHANCE

LEGEND = (
    "Mean ± standard deviation over the runs that did not fail; a second ± is between sets of samples of one run. A run has "
    "failed if it diverged, its samples collapsed, a score is no number, or a value is not sound; beside stands the exact "
    "95 % interval of that share. In brackets: the mean of failed runs, where all failed. Real images, noise and untrained "
    "are controls, and no methods. Paper's order: the published rank, and the value, which is of other data or another "
    "protocol. Bold: better than every other row of five runs or more, by Welch's test or in pairs of seeds, corrected over "
    "the columns (Holm). Claims are corrected together (Holm), and so are their intervals."
)


def claims(summary: Summary) -> list[str]:
    """A line for each claim."""
    return claim_lines(summary.verdicts, summary.untested)


def claim_lines(verdicts: Sequence[Any], untested: str) -> list[str]:
    """A line for each verdict: of `claims.Verdict`, or another with its text, answer, reason and estimate. untested: why
    none is tested."""
    lines = [f"- no claim is tested: {untested}"] if untested and verdicts else []
    for v in verdicts:
        why = "" if v.reason == untested else v.reason
        told = "; ".join(filter(None, (v.estimate, why)))
        lines.append(f"- {v.answer}: {v.text}" + (f" ({told})" if told else ""))
    return lines


def failures(summary: Summary) -> list[str]:
    """A line for runs of a row that are not done for the same reason."""

    def told(result: Result) -> str:
        why = result.message.partition("; last good")[0]
        return "" if result.state == "done" else f"{result.state}: {why}" if why else result.state

    hidden = {row: [x for x in some if x.state != "open"] for row, some in summary.hidden.items()}
    return _by_seeds(hidden | summary.results, told)


def illnesses(summary: Summary) -> list[str]:
    """A line for runs of a row that ended with the same illness, by the monitor's rules."""

    def told(result: Result) -> str:
        return "" if result.state == "diverged" or result.verdict == monitor.HEALTHY else result.verdict

    return _by_seeds(summary.results, told)


def rollbacks(summary: Summary) -> list[str]:
    """A line for runs of a row that diverged and went back to a checkpoint as often."""

    def told(result: Result) -> str:
        many = round(result.numbers.get("rollbacks", 0))
        return f"went back to a checkpoint {many} time{'s' * (many > 1)}, and on with other noise" if many else ""

    return _by_seeds(summary.results, told)


def anomalies(summary: Summary) -> list[str]:
    """A line for runs of a row whose anomaly scores are below chance, or have leaks."""

    def below(result: Result) -> str:
        auroc = result.numbers.get("auroc", CHANCE)
        return f"below chance: normal pictures score higher than abnormal ones (AUROC {auroc:.3f})" if auroc < CHANCE else ""

    def leaky(result: Result) -> str:
        found = ((result.evaluation or {}).get("measured") or {}).get("anomaly") or {}
        leaks = found.get("detector", {}).get("leaks", [])
        return f"a leak: {'; '.join(leaks)}" if leaks else ""

    return _by_seeds(summary.results, leaky) + _by_seeds(summary.results, below)


def _by_seeds(results: Mapping[str, list[Result]], told: Callable[[Result], str]) -> list[str]:
    seeds: dict[tuple[str, str], list[int]] = {}
    for row, some in results.items():
        for result in some:
            if result.cell and told(result):
                seeds.setdefault((row, told(result)), []).append(result.cell.seed)
    return [f"- {row}, seed{'s' if len(some) > 1 else ''} {spans(some)}: {text}" for (row, text), some in seeds.items()]


def changes(summary: Summary) -> list[str]:
    """What is another than when the claims were registered, and which verdicts that changed."""
    now, before = ({v.text: v.answer for v in some} for some in (summary.verdicts, summary.before))
    texts = dict.fromkeys([*before, *now]) if summary.changes else {}
    told = [(text, before.get(text, "not a claim"), now.get(text, "no claim any more")) for text in texts]
    out = [f"{text}: {old} as registered, {new} now" for text, old, new in told if old != new]
    return [*summary.changes, *(out or ["no verdict is changed by this"] if summary.changes else [])]


def notices(summary: Summary) -> list[tuple[str, list[str]]]:
    """Titles of lists, and their lines."""
    table = summary.table
    order = published.agreement(table, summary.entries)
    return [
        ("Changed since the claims were registered", changes(summary)),
        ("What differs from the paper", [summary.length] * bool(summary.length) + list(table.differs)),
        ("The paper's order and ours", order + [f"Published: {table.published}"] * bool(table.published)),
        ("Runs that are not done", failures(summary)),
        ("Runs that diverged on the way", rollbacks(summary)),
        ("What the anomaly scores say", anomalies(summary)),
        ("What the stability monitor said last", illnesses(summary)),
    ]
