"""A protocol's numbers are the rows' own, and a table that is too short says so."""

from dataclasses import replace

import ml_collections
import pytest

from jaxgan.ablation.cells import make_cells
from jaxgan.ablation.protocol import filled_in, share, untested
from jaxgan.ablation.table import Column, Length, Row, Table
from jaxgan.errors import UserError

ROWS = [
    ml_collections.ConfigDict(fields)
    for fields in (
        {"steps": 2500, "batch_size": 64, "nets": {"gen": {"name": "dcgan", "width": 16}}, "optim": {"lr": 2e-4}},
        {"steps": 500, "batch_size": 64, "nets": {"gen": {"name": "mlp", "widths": (512, 512)}}, "optim": {"lr": 1e-4}},
        {"steps": 500, "batch_size": 64, "nets": {"gen": {"name": "dcgan", "width": 16}}, "optim": {"lr": 3000.0}},
    )
]
TABLE = Table("T", "P", "points", "{steps} steps", (Column("gen/loss"),), {"a": Row(), "b": Row({"steps": 60})}, range(2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no field", "no field"),
        ("{steps} steps of {batch_size}", "2,500 or 500 steps of 64"),
        ("width {nets.gen.width}, or {nets.gen.widths}", "width 16, or 512, 512"),
        ("{steps*batch_size} images, { steps * steps }", "160,000 or 32,000 images, 6,250,000 or 250,000"),
        ("lr {optim.lr}", "lr 0.0002, 0.0001 or 3,000"),
        ("{nets.gen.name} {{steps}}, {{", "dcgan or mlp {steps}, {"),
    ],
)
def test_fields_become_the_rows_values(text, expected):
    assert filled_in(text, ROWS) == expected
    flat = [{"steps": 2500, "batch_size": 64}, {"steps": 500, "batch_size": 64}]  # as a report.json has them
    assert filled_in("{steps}", flat) == "2,500 or 500"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{stesp}", "no row has the field 'stesp'; did you mean 'steps'?"),
        ("{nets.gen}", "no row has the field 'nets.gen'"),
        ("{}", "no row has the field ''"),
        ("{steps", "'{' stands alone in '{steps'; a brace that is none is written '{{'"),
        ("{steps*nets.gen.name}", "is no product of numbers: 2500, dcgan"),
        ("{nets.gen.width*nets.gen.widths}", "no row has all of nets.gen.width, nets.gen.widths"),
    ],
)
def test_what_no_row_has_is_refused(text, message):
    with pytest.raises(UserError) as told:
        filled_in(text, ROWS)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("length", "part", "reason"),
    [
        (Length(2e5, "updates"), 0.0025, "500 of the paper's 200,000 updates (0.25 %), and half is the least"),
        (Length(64_000, "images", ("steps", "batch_size")), 0.5, ""),
        (Length(5e3, "steps", least=0.2, why="so"), 0.1, "500 of the paper's 5,000 steps (10 %), and 20 % is the least: so"),
        (Length(5000, "steps", least=0.1), 0.1, ""),
        (Length(500, "steps"), 1.0, ""),
        (Length(160, "pixels", ("nets.gen.width",)), 0.1, "16 of the paper's 160 pixels (10 %), and half is the least"),
    ],
)  # fmt: skip
def test_the_shortest_row_counts(length, part, reason):
    assert share(length, ROWS) == pytest.approx(part)
    assert untested(replace(TABLE, length=length), ROWS) == reason


def test_without_a_length_or_configs():
    assert untested(TABLE, ROWS) == "" and untested(TABLE, []) == ""
    assert untested(replace(TABLE, length=Length(1, "step")), []) == "the length of its runs is not known"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "{stesp} steps"}, "the table's protocol: no row has the field 'stesp'; did you mean 'steps'?"),
        ({"data": "{data.nmae}"}, "the table's data: no row has the field 'data.nmae'; did you mean 'data.name'?"),
        ({"length": Length(1, "step", ("step",))}, "the table's length: no row has the field 'step'; did you mean 'steps'?"),
        ({"data": "{nets.gen.start}"}, "the table's data: no row has the field 'nets.gen.start'"),
    ],
)
def test_cells_are_not_made_of_a_table_that_names_other_fields(changes, message, tmp_path):
    spec = "configs/toy.py:ring"
    hidden = Row({"nets.gen.name": "dirac", "nets.disc.name": "dirac"}, hidden=True)  # what the report does not show
    table = replace(TABLE, rows=TABLE.rows | {"h": hidden})
    make_cells(table, spec, tmp_path, [])
    with pytest.raises(UserError) as told:
        make_cells(replace(table, **changes), spec, tmp_path, [])
    assert str(told.value).startswith(message)


def test_a_baseline_of_0_steps_has_no_length():
    length = Length(1000, "steps")
    assert share(length, [{"steps": 0}, {"steps": 600}]) == 0.6 and share(length, [{"steps": 0}]) == 0


def test_rows_with_images_of_unlike_sizes_are_refused_before_they_train(tmp_path):
    rows = {"a": Row({"data.size": 16}), "b": Row({"data.size": 32}), "h": Row({"data.size": 8}, hidden=True)}
    table = replace(TABLE, rows=rows, columns=(Column("fd"),), protocol="how", length=None)
    with pytest.raises(
        UserError, match="the table's images: rows have unlike data.size, 16 and 32, and their scores cannot"
    ):
        make_cells(table, "configs/dcgan.py", tmp_path, [])
    make_cells(replace(table, rows={name: rows[name] for name in "ah"}), "configs/dcgan.py", tmp_path, [])
