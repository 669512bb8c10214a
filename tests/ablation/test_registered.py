"""Registered claims: written down before the first final score, kept from then on, and compared with what is there."""

import dataclasses
import json
import math

import pytest
from ml_collections import ConfigDict

from jaxgan.ablation import table_json
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.changes import changes
from jaxgan.ablation.engine import PARENT, note_start
from jaxgan.ablation.progress import Clock, read_table
from jaxgan.ablation.registered import as_registered, read_registered, register, registered_of
from jaxgan.ablation.table import Claim, Column, Length, Row, Table
from jaxgan.errors import UserError
from jaxgan.scores.code import code_of
from jaxgan.workdir.folder import Workdir

LIMIT = 2


def kind(result):
    return "yes" if result > LIMIT else "no"


def other_kind(result):
    return "no" if result > LIMIT else "yes"


TABLE = Table(
    title="T",
    paper="P",
    data="D",
    protocol="how",
    columns=(
        Column("modes", better="higher", within=(0, math.inf), count=1),
        Column("fd", "FD", better="lower", format=".1f"),
        Column(title="kind", word=kind),
    ),
    rows={"GAN": Row(), "PacGAN2": Row(), "judge": Row(hidden=True)},
    seeds=(0, 1, 2, 3, 4),
    claims=(
        Claim("modes", "PacGAN2", than="GAN", margin=1),
        Claim("modes", "GAN", above=7),
        Claim("kind", "GAN", words=("yes", "no"), text="It does something"),
        Claim("FD", "PacGAN2", than="GAN", beyond=("GAN", "PacGAN2"), paired=True),
    ),
    length=Length(100.0, "kimg", ("steps", "batch_size")),
    looks=(3, 5),
    sound={"modes": (0.0, math.inf)},
)
EVAL = {"metrics": ("modes", "kid"), "features": {"name": "points"}}


def cells(folder, table=TABLE):
    config = ConfigDict({"steps": 4, "eval": EVAL})
    other = ConfigDict({"steps": 4, "eval": {"metrics": ("accuracy",), "features": {"name": "points"}}})
    rows = [(name, row.hidden, seed) for name, row in table.rows.items() for seed in table.seeds]
    return [
        Cell(name, seed, i, folder / "cells" / f"{name}_{seed}", "", [], other if hidden else config, hidden)
        for i, (name, hidden, seed) in enumerate(rows)
    ]


def start(folder, table=TABLE, joined=()):
    """A start of a table, in so far as it writes table.json."""
    Clock(folder, "configs/ablations/ring.py", [], table.seeds, 1, noted=register(folder, table, cells(folder), joined))
    return read_registered(folder)


def score(folder, name="GAN_0", step=4, done=True):
    workdir = Workdir(folder / "cells" / name)
    workdir.add_evaluation({"step": step, "protocol": {}, "scores": {}})
    if done:
        workdir.finish(4)


def with_claims(*claims, **fields):
    return dataclasses.replace(TABLE, claims=claims or TABLE.claims, **fields)


def test_the_first_start_writes_down_what_is_claimed(tmp_path):
    found = start(tmp_path)
    assert found.claims == TABLE.claims and found.columns[:2] == TABLE.columns[:2]
    assert found.seeds == TABLE.seeds and found.looks == TABLE.looks and found.length == TABLE.length
    assert found.sound == TABLE.sound and found.seen == ()
    assert found.code == code_of(EVAL["metrics"], "points")  # and not those of a row that is not shown
    assert as_registered(TABLE, found) == TABLE and not changes(TABLE, found, [{"code": found.code}])
    saved = json.loads((tmp_path / "table.json").read_text())["registered"]
    assert saved["date"] > "2026" and len(saved["digest"]) == 64 and read_table(tmp_path)["registered"] == saved
    assert saved["columns"][2]["word"]["name"] == "kind" and len(saved["columns"][2]["word"]["code"]) == 16


def test_it_is_renewed_until_a_cell_has_its_last_score_and_never_afterwards(tmp_path):
    first, one = start(tmp_path), Claim("modes", "GAN", above=6)
    assert start(tmp_path) == first  # also its date
    score(tmp_path, step=2, done=False)  # on the way
    assert start(tmp_path, with_claims(one)).claims == (one,)
    Workdir(tmp_path / "cells" / "GAN_1").finish(4)  # not scored
    assert start(tmp_path, with_claims(one, *TABLE.claims)).claims == (one, *TABLE.claims)
    score(tmp_path)
    assert start(tmp_path).claims == (one, *TABLE.claims)
    Workdir(tmp_path / "cells" / "GAN_0").reopen()  # it goes on to more steps
    assert start(tmp_path).claims == (one, *TABLE.claims)


@pytest.mark.parametrize("result", ["diverged", "damaged", "another row's"])
def test_what_else_is_a_result(tmp_path, result):
    start(tmp_path)
    if result == "diverged":
        Workdir(tmp_path / "cells" / "GAN_0").fail("diverged", "why")
    else:
        score(tmp_path, "gone_7" if result == "another row's" else "GAN_0")
    if result == "damaged":
        (tmp_path / "cells" / "GAN_0" / "evaluation.json").write_text("{")
    assert start(tmp_path, with_claims(TABLE.claims[0])).claims == TABLE.claims


def test_a_crash_is_no_result(tmp_path):
    start(tmp_path)
    Workdir(tmp_path / "cells" / "GAN_0").fail("crashed", "why")
    assert start(tmp_path, with_claims(TABLE.claims[0])).claims == TABLE.claims[:1]


def test_a_table_that_was_scored_before_there_were_registrations_has_none(tmp_path):
    Clock(tmp_path, "configs/ablations/ring.py", [], (), 1)
    assert "registered" not in read_table(tmp_path) and read_registered(tmp_path) is None
    score(tmp_path)
    assert start(tmp_path) is None and read_table(tmp_path)["scored"] is True
    Clock(tmp_path, "configs/ablations/ring.py", [], (), 1).tick(at_once=True)  # a start that registers nothing
    assert read_table(tmp_path)["scored"] is True


def test_the_report_has_it_when_the_table_has_not(tmp_path):
    start(tmp_path)
    block = registered_of(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"rows": {}, "registered": block}))
    (tmp_path / "table.json").unlink()
    assert registered_of(tmp_path) == block
    score(tmp_path)
    assert start(tmp_path, with_claims(TABLE.claims[0])).claims == TABLE.claims  # and so it is kept
    (tmp_path / "table.json").unlink()
    for text in ('{"rows": {}}', '{"registered": null}', "{"):
        (tmp_path / "report.json").write_text(text)
        assert registered_of(tmp_path) is None


@pytest.mark.parametrize("name", ["table.json", "report.json"])
def test_an_edited_registration_is_told_of(tmp_path, name):
    start(tmp_path)
    saved = read_table(tmp_path)
    saved["registered"]["claims"][1]["above"] = 6
    (tmp_path / "table.json").unlink()
    (tmp_path / name).write_text(json.dumps(saved))
    for read in (read_registered, registered_of, lambda folder: register(folder, TABLE, [])):
        with pytest.raises(UserError, match=f"{name}: its registered claims were edited, as their digest does not fit"):
            read(tmp_path)
    saved["registered"] = {"claims": []}
    (tmp_path / "table.json").write_text(json.dumps(saved))
    with pytest.raises(UserError, match=r"table.json is damaged \(registered .*\); restore it, or remove its 'registered'"):
        read_registered(tmp_path)


def test_rows_of_another_report_were_known(tmp_path):
    found = start(tmp_path, joined=["GAN"])
    assert found.seen == ("GAN",) and start(tmp_path).seen == ("GAN",)  # and are not forgotten
    assert changes(TABLE, found, []) == ["registered when the scores of these rows were known, from another report: GAN"]


def test_cells_of_job_arrays_register_as_well(tmp_path, monkeypatch):
    def begin(table, **options):
        folder = tmp_path / "runs"
        note_start(table, "configs/ablations/ring.py", folder, options.get("overrides", []), (), cells(folder, table))
        return read_registered(tmp_path / "runs").claims

    assert begin(TABLE, overrides=[("steps", "9")]) == TABLE.claims
    assert begin(with_claims(TABLE.claims[0])) == TABLE.claims[:1]
    assert read_table(tmp_path / "runs")["overrides"] == ["steps=9"]  # of the first one
    monkeypatch.setenv(PARENT, "1")
    assert begin(TABLE) == TABLE.claims[:1]  # the table's own start has registered them
    monkeypatch.delenv(PARENT)
    score(tmp_path / "runs")
    assert begin(TABLE) == TABLE.claims[:1] and read_table(tmp_path / "runs")["scored"] is True


def test_everything_comes_back_from_json():
    for claim in (*TABLE.claims, Claim("a", "inf", below=-math.inf), Claim("a", "b", above=1e-300, text="nan")):
        assert table_json.claim_of(json.loads(json.dumps(table_json.claim_as_json(claim)))) == claim
    for column in TABLE.columns:
        saved = json.loads(json.dumps(table_json.column_as_json(column), allow_nan=False))
        assert table_json.column_of(saved, column.word) == column
    assert table_json.length_of(table_json.length_as_json(TABLE.length)) == TABLE.length
    assert table_json.length_of(table_json.length_as_json(None)) is None
    assert table_json.claim_of({"column": "a", "row": "b"}) == Claim("a", "b")  # of before there were other fields
    with pytest.raises(UserError, match="a claim has a field 'odds', which this revision does not know"):
        table_json.claim_of({"column": "a", "row": "b", "odds": 3})


@pytest.mark.parametrize("cls, shape", [(Claim, "CLAIM"), (Column, "COLUMN"), (Length, "LENGTH")])
def test_every_field_has_a_shape(cls, shape):
    assert {key.removesuffix("?") for key in getattr(table_json, shape)} == {x.name for x in dataclasses.fields(cls)}


CHANGED = [
    (with_claims(*TABLE.claims, Claim("modes", "GAN", below=9)), ["claim added: GAN: modes below 9"]),
    (with_claims(*TABLE.claims[1:]), ["claim dropped: PacGAN2: modes higher than GAN"]),
    (
        with_claims(TABLE.claims[0], dataclasses.replace(TABLE.claims[1], above=6), *TABLE.claims[2:]),
        ["claim changed: GAN: modes above 6 (above 7 -> 6)"],
    ),
    (
        with_claims(TABLE.claims[0], Claim("modes", "GAN", below=7.5), *TABLE.claims[2:]),
        ["claim changed: GAN: modes below 7.5 (above 7 -> none; below none -> 7.5)"],
    ),
    (
        with_claims(dataclasses.replace(TABLE.claims[0], margin=None, paired=False), *TABLE.claims[1:]),
        ["claim changed: PacGAN2: modes higher than GAN (margin 1 -> none; paired none -> no)"],
    ),
    (
        with_claims(*TABLE.claims[:2], dataclasses.replace(TABLE.claims[2], words=("yes",)), TABLE.claims[3]),
        ["claim changed: It does something (words yes, no -> yes)"],
    ),
    (with_claims(*reversed(TABLE.claims)), []),
    (with_claims(seeds=(*range(10), 20)), ["seeds: 0-4 -> 0-9, 20"]),
    (with_claims(looks=()), ["looks: 3, 5 -> none"]),
    (with_claims(length=None), ["length: 100 kimg -> none"]),
    (with_claims(length=dataclasses.replace(TABLE.length, least=0.1)), ["length: least 0.5 -> 0.1"]),
    (with_claims(sound={}), ["sound values of 'modes': 0, inf -> none"]),
    (
        with_claims(columns=(TABLE.columns[0], dataclasses.replace(TABLE.columns[1], better="higher"), TABLE.columns[2])),
        ["column 'FD': lower -> higher"],
    ),
    (
        with_claims(columns=(dataclasses.replace(TABLE.columns[0], within=(0, 8), scale=100), *TABLE.columns[1:])),
        ["column 'modes': scale 1 -> 100", "column 'modes': within 0, inf -> 0, 8"],
    ),
    (with_claims(columns=(*TABLE.columns, Column("kid"))), ["column 'kid' added"]),
    (
        with_claims(columns=(*TABLE.columns[:2], Column(title="kind", word=other_kind))),
        ["claim no longer tested as registered: It does something", "column 'kind': its words come from other code"],
    ),
    (
        with_claims(*TABLE.claims[1:2], columns=TABLE.columns[:1]),
        [
            "claim dropped: PacGAN2: modes higher than GAN",
            "claim dropped: It does something",
            "claim dropped: PacGAN2 gains more in FD over GAN than GAN over PacGAN2",
            "claim no longer tested as registered: It does something",
            "column 'FD' dropped",
            "column 'kind' dropped",
        ],
    ),
    (
        with_claims(TABLE.claims[1], TABLE.claims[2], rows={"GAN": Row(), "PacGAN2": Row(hidden=True)}),
        [
            "claim dropped: PacGAN2: modes higher than GAN",
            "claim dropped: PacGAN2 gains more in FD over GAN than GAN over PacGAN2",
            "claim no longer tested as registered: PacGAN2: modes higher than GAN",
            "claim no longer tested as registered: PacGAN2 gains more in FD over GAN than GAN over PacGAN2",
        ],
    ),
]


@pytest.mark.parametrize("table, lines", CHANGED, ids=lambda x: x[0] if x and isinstance(x, list) else "")
def test_what_has_changed_is_told_in_plain_lines_and_taken_back(tmp_path, table, lines):
    found = start(tmp_path)
    assert changes(table, found, []) == lines
    again, lost = as_registered(table, found), [line for line in lines if "no longer" in line]
    assert len(again.claims) == len(TABLE.claims) - len(lost)
    assert lost or again == dataclasses.replace(TABLE, rows=table.rows)
    names = {column.name for column in again.columns}
    assert all(claim.column in names and claim.row in table.rows for claim in again.claims)


def test_scores_by_other_code_are_told_of(tmp_path):
    found = start(tmp_path)
    revision = found.git_revision.partition("+")
    was = revision[0][:10] + revision[1] + revision[2]
    same, other = {"code": found.code}, {"code": {**found.code, "kid": "0" * 16}, "git_revision": "a" * 40 + "+changes"}
    beside = {"code": {**found.code, "fd": "f" * 16}}  # a metric that was not registered
    assert changes(TABLE, found, [same, same, beside]) == []
    assert changes(TABLE, found, [same, other, {}]) == [
        f"scores of 'kid' were measured by other code than registered (revision {was} -> aaaaaaaaaa+changes)",
        "1 of 3 scored runs do not say which code measured them",
    ]
