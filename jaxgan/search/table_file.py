"""The file of the table that a search's third phase trains: a Python file, to be read, copied and run like any other."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import numbers
from jaxgan.scores.table import find_scores
from jaxgan.search.asked import Asked
from jaxgan.search.space import Space
from jaxgan.search.trials import Trial
from jaxgan.sections import sections

TEXT = '''"""{title}

    python launch.py --mode=ablate --config={path} --workdir=runs/seeds

Written by --mode=tune. The settings were chosen among {trials} trials of each method, all with seed {seed}, by their
{score} on eval.split={chooses}; the table is of eval.split={test}, which has chosen nothing, on other seeds.
"""

from jaxgan.table import Claim, Column, Row, Table

ROWS = {rows}
PUBLISHED = {published}
CLAIMS = {claims}  # methods whose best setting is not their default


def table() -> Table:
    return Table(
        title={title!r},
        paper={paper!r},
        data={data!r},
        protocol="{{steps}} steps, batch {{batch_size}}{rounds}; {{eval.num_samples}} samples against "
        "the split {{eval.split}}",
        columns={columns},
        rows={{name: Row(own, config={config!r}, published=PUBLISHED.get(name, {{}})) for name, own in ROWS.items()}},
        seeds={seeds},
        claims=tuple(Claim({score!r}, method, than=method + ", default") for method in CLAIMS),
        published={paper!r},
        notes={notes!r},
    )
'''


@dataclass(frozen=True)
class Method:
    """default, best: trials, where they have an end. space: the wide one."""

    default: Trial | None
    best: Trial | None
    space: Space


def text(asked: Asked, methods: Mapping[str, Method], path: str) -> str:
    """The file's text. path: where it will be."""
    config = resolve_config(load_config(asked.config), asked.overrides, sections)
    parts = [one for metric in find_scores(config.eval.metrics).values() for one in metric.better.items()]
    ways = {part: way for part, way in parts if way}
    shown = [asked.score, *(part for part in ways if part != asked.score)]
    rows, published, claims, same = {}, {}, [], []
    for name, one in methods.items():
        if one.best and not (one.default and one.best.folder == one.default.folder):
            rows[name] = _overrides(one.best, asked)
        if one.default:
            rows[f"{name}, default"] = _overrides(one.default, asked)
        told = name if name in rows else f"{name}, default"
        if one.space.published:
            published[told] = dict(one.space.published)
        if name in rows and f"{name}, default" in rows:
            claims.append(name)
        elif one.best:
            same.append(name)
    papers = list(dict.fromkeys(one.space.paper for one in methods.values() if one.space.paper))
    trials, many = asked.budget + asked.narrow, len(methods) > 1
    title = f"The best of {trials} settings{' of each method' * many} against the default, on new seeds"
    notes = f"No setting was found that is better than the default: {', '.join(same)}." if same else ""
    return TEXT.format(
        title=title, path=path, trials=trials, seed=config.seed, score=asked.score, test=asked.test,
        chooses=config.eval.split, rows=_pretty(rows), published=_pretty(published), claims=tuple(claims),
        paper="; ".join(papers), data=f"{config.data.name}, split {config.data.split}",
        rounds="".join(f", {{rounds.{player}}} updates of {player} a step" for player in config.rounds),
        columns=_columns(ways, shown), config=asked.config, seeds=tuple(numbers(asked.seeds, "--seeds")),
        notes=notes,
    )  # fmt: skip


def _overrides(trial: Trial, asked: Asked) -> dict[str, str]:
    return dict(trial.overrides) | {"eval.split": asked.test}


def _pretty(rows: Mapping[str, Mapping[str, str]]) -> str:
    lines = [
        f"    {name!r}: {{\n" + "".join(f"        {k!r}: {x!r},\n" for k, x in own.items()) + "    },\n"
        for name, own in rows.items()
    ]
    return "{\n" + "".join(lines) + "}"


def _columns(ways: Mapping[str, str], shown: list[str]) -> str:
    return "(" + "".join(f"\n            Column({part!r}, better={ways[part]!r})," for part in shown) + "\n        )"
