"""What a paper's table is made of: rows, columns, seeds, published values and claims. An ablation's file returns a `Table`.

def get_config(variant): ...                  the base, as in any config
def table(variant): return Table(...)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

BEST = "best/"  # before a score's name: the best of a run's evaluations, in place of the last
CONTROLS = (REAL, NOISE, UNTRAINED) = ("real images", "noise", "untrained")  # the names of their rows, in order


@dataclass(frozen=True)
class Stage:
    """A row's run as a part of another row's, the value of an override: {"init_from.workdir": Stage("WGAN-GP")}.

    It stands for the workdir of the run with the same seed, and the other run waits until that one is done. seed: how many
    places further in the table's list of seeds; after the last comes the first. With Stage("judge", seed=1) seed 0 of a row
    gets the judge of seed 1, which is an independent network if there are two seeds.
    """

    row: str
    seed: int = 0


@dataclass(frozen=True)
class BySeed:
    """An override with a value for each seed: {"data.classes": BySeed(("0", "1", "2"))}.

    Seed 0 has the first value, and after the last comes the first again. So the mean of a row is the mean over the values,
    where there are as many seeds, or twice as many.
    """

    values: Sequence[Any]

    def of(self, seed: int) -> Any:
        """The value that a seed has."""
        return self.values[seed % len(self.values)]


@dataclass(frozen=True)
class Row:
    """One method.

    overrides: what it changes, {"objective.loss": "hinge", "objective.terms.r1.weight": 1}. config: a base of its own,
    "configs/wgan.py:clip", in place of the table's. published: {column: "6.3 +- .5"}, as printed. hidden: it trains, and the
    report does not show it. It may be another task, with other metrics. It is scored if its config has an `eval.every`.
    """

    overrides: dict[str, Any] = field(default_factory=dict)
    config: str = ""
    published: dict[str, str] = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True)
class Column:
    """One number, or word, of each run.

    score: part of an evaluation's score ("fd", "modes"), or a metric of metrics.jsonl, the newest ("gen/loss"). "best/fd" is
    the best of all evaluations of a run: who takes it has chosen by the test set, which its name then says.
    title: what it is called; by default `score`. better: "lower", "higher", or "" where neither is. format: of a mean.
    scale: what numbers are multiplied by for the table, 100 for per cent. word: of a run (a `results.Result`), in
    place of a number.

    within: the least and the largest value that a run can have, before `scale`; None: the score's own range
    (`scores.names.score_range`). count: the smallest step between two values of a run, before `scale`: 1 for modes; 0: none
    is known. Intervals stay within the range, and no spread counts for less than one count of one run.
    """

    score: str = ""
    title: str = ""
    better: str = ""
    format: str = ".3g"
    scale: float = 1.0
    word: Callable[[Any], str] | None = None
    within: tuple[float, float] | None = None
    count: float = 0.0

    @property
    def name(self) -> str:
        if self.score.startswith(BEST):
            return f"{self.title or self.score.removeprefix(BEST)} (best epoch, a leak)"
        return self.title or self.score


@dataclass(frozen=True)
class Claim:
    """What a paper says of a table, put so that numbers can answer. One of than, above, below and words.

    than: row's mean of column is better than that of this row, or, with than_column, than this row's mean of that column:
    what "best/auroc" flatters beside "auroc" of the same runs. above, below: row's mean is above or below a number, in the
    column's units. words: the word of more than half of all runs is one of these. beyond: two more rows; then the claim is
    that row's mean is better than that of `than` by more than the first of these is better than the second. margin: with
    than; a difference of means smaller than this, in the column's units, is of no importance. paired: whether rows are
    compared seed by seed; None: where they have the same data and networks, so that a seed gives both one start; with beyond
    they always are. text: the claim as a sentence; by default made from the rest.
    """

    column: str
    row: str
    than: str = ""
    above: float | None = None
    below: float | None = None
    words: tuple[str, ...] = ()
    text: str = ""
    beyond: tuple[str, ...] = ()
    margin: float | None = None
    paired: bool | None = None
    than_column: str = ""

    @property
    def rows(self) -> tuple[str, ...]:
        """All rows that it is about."""
        return (self.row, *filter(None, (self.than,)), *self.beyond)

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """(Row, column) of all means that it is about."""
        return tuple((row, (i == 1 and self.than_column) or self.column) for i, row in enumerate(self.rows))


@dataclass(frozen=True)
class Length:
    """How long a table's runs are beside the paper's.

    published: the paper's length, in `unit`. of: fields of a row's config whose product is its length here, in the same unit
    ("steps", "batch_size" for images). least: the share of the published length below which no claim is tested. why: the
    reason for a least other than a half.
    """

    published: float
    unit: str
    of: tuple[str, ...] = ("steps",)
    least: float = 0.5
    why: str = ""


@dataclass(frozen=True)
class Table:
    """A paper's table.

    title, paper: what is reproduced, and where it was published. data: what it was measured on here. protocol: how;
    {steps}, {batch_size} and other fields in braces stand for the values of the rows. length: see `Length`; None where no
    paper has one. differs: what else differs from the paper, a phrase each. columns, rows: in order. seeds: of each row.
    looks: numbers of seeds at which one means to look at the claims, the last of them all seeds; () is once, at the end.
    sound: {column: (low, high)} in the column's units: a run with a value outside has failed. claims: see `Claim`.
    overrides: of all rows, after the base and before their own. real: real images to score like a row's: "@train", that
    split of the rows' own data, made ready as theirs; or a TFDS data set and split, "digits@train", as it is; empty: drawn
    from those that scores are against. published: what the published values are of,
    and the kind of their +-. comparable: whether they are of the same data by the same protocol. curves: metrics to draw
    over the steps ("disc/loss", or part of a score). samples: whether to show them. figures: title to a function of the
    `results.Summary` that draws a matplotlib Figure. notes: what a reader must know.
    """

    title: str
    paper: str
    data: str
    protocol: str
    columns: tuple[Column, ...]
    rows: dict[str, Row]
    seeds: Sequence[int]
    claims: tuple[Claim, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    length: Length | None = None
    differs: tuple[str, ...] = ()
    looks: tuple[int, ...] = ()
    sound: dict[str, tuple[float, float]] = field(default_factory=dict)
    real: str = ""
    published: str = ""
    comparable: bool = False
    curves: tuple[str, ...] = ()
    samples: bool = True
    figures: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    notes: str = ""
