"""A table of several runs' scores: the mean over seeds, their spread, and the floor beside.

    python -m jaxgan.report dcgan=runs/dcgan_0,runs/dcgan_1 wgan=runs/wgan_0,runs/wgan_1 floor=floor.json

Each row is a name and its runs, of which the evaluation at the highest step counts, or a FILE.json that `--mode=evaluate
--samples` wrote.
Unlike protocols are refused, and so are unlike steps within a row.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan import evaluate
from jaxgan.errors import UserError
from jaxgan.metrics import score


def load(text: str) -> list[dict[str, Any]]:
    """The evaluations behind "RUN,RUN" or "FILE.json". Raises UserError for a run that has none."""
    out = []
    for name in text.split(","):
        path = Path(name)
        if path.suffix == ".json" and path.is_file():
            out.append(json.loads(path.read_text()))
            continue
        found = evaluate.read(path)
        if not found:
            raise UserError(f"{name} has not been evaluated: python launch.py --mode=evaluate --workdir={name}")
        out.append(max(enumerate(found), key=lambda x: (x[1]["step"], x[0]))[1])  # the newest of that step
    return out


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown: for each row its scores' mean +- standard deviation over runs; the best mean of a column is not marked,
    since a difference needs more seeds than a table of this kind has.

    Raises UserError where protocols differ.
    """
    everything = [result for results in rows.values() for result in results]
    evaluate.same_protocol(everything)
    for row, results in rows.items():
        steps = sorted({result.get("step", 0) for result in results})
        if len(steps) > 1:
            raise UserError(f"the runs of row '{row}' were scored at unlike steps: {', '.join(map(str, steps))}")
    names = sorted(everything[0]["scores"], key=score.rank)
    names = [name for name in names if not name.startswith("kid_error")]
    arrows = {"lower": "↓", "higher": "↑"}
    head = [f"{name} {arrows[score.better(name)]}" for name in names]
    lines = ["| | " + " | ".join(head) + " | runs |", "|---" * (len(names) + 2) + "|"]
    for row, results in rows.items():
        cells = []
        for name in names:
            values = [result["scores"][name]["value"] for result in results]
            spread = f" +- {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3g}{spread}")
        lines.append(f"| {row} | " + " | ".join(cells) + f" | {len(results)} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if not arguments or any("=" not in word for word in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(table({name: load(text) for name, _, text in (word.partition("=") for word in arguments)}))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
