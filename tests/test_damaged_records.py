"""Files that the project reads back, each damaged in a hundred ways: a right result, or one line that names the file.

A tiny table is made once, with every such file. Damage is drawn with a fixed seed. Whatever reads a damaged file must
return, or raise UserError or Failure with the file's name; any other exception fails the test.
"""

import copy
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from jaxgan import records
from jaxgan.ablation import controls, figures, report, saved_report
from jaxgan.ablation.cells import load_table, make_cells, train_cells
from jaxgan.ablation.changes import changes
from jaxgan.ablation.progress import Clock, read_table, remembered
from jaxgan.ablation.registered import as_registered, read_registered, register
from jaxgan.ablation.results import series, summarise
from jaxgan.config.run import FrozenRun
from jaxgan.data.by_name import open_by_name
from jaxgan.errors import Failure, UserError
from jaxgan.files import write_json
from jaxgan.sections import open_data
from jaxgan.workdir.calibration import Calibration, Calibrations
from jaxgan.workdir.experiment import check_config, check_data
from jaxgan.workdir.frozen import ARRAYS, RECORD, save_frozen, saved_donor
from jaxgan.workdir.runs import lent, saved_plan

TABLE = """
from configs import toy
from jaxgan.table import Claim, Column, Row, Table

def get_config():
    config = toy.get_config("ring")
    config.data.points, config.batch_size, config.steps = 100, 8, 4
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.log = {"every": 2, "tensorboard": False}
    config.checkpoint, config.sample = {"every": 2, "keep": 2}, {"every": 0, "num": 20}
    config.eval.update(num_samples=50, num_real=50, batch_size=50, every=4)
    return config

def table():
    return Table(
        title="Nothing much", paper="none", data="a ring", protocol="the shortest",
        columns=(Column("modes", "modes", "higher", ".1f"), Column("gen/loss")), rows={"plain": Row()},
        seeds=(0,), claims=(Claim("modes", "plain", above=-1),), curves=("modes", "gen/loss"),
    )
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a table: its files, a trained cell, a frozen copy of it, pictures with their index."""
    home = tmp_path_factory.mktemp("records")
    cache = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    (home / "table.py").write_text(TABLE)
    spec, folder = str(home / "table.py"), home / "table"
    table = load_table(spec)
    cells = make_cells(table, spec, folder, [("log.params", "true")])
    noted = register(folder, table, cells)
    train_cells(cells)
    cell = cells[0]
    Clock(folder, spec, [("log.params", "true")], (), 1, "elsewhere", noted).tick(at_once=True)
    [scored] = cell.workdir.evaluations()
    write_json(home / "old" / "real.json", scored)
    write_json(folder / "controls.json", {"noise": scored | {"about": "Some.", "request": {"draws": 5}}})
    cell.workdir.fail("crashed", "why", "log")
    report.write(table, cells, folder)
    save_frozen(SimpleNamespace(frozen={"it": lent("frozen.it", FrozenRun(workdir=str(cell.folder)))}), cell.folder)
    rng = np.random.default_rng(0)
    for i in range(3):
        (home / "pictures").mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(home / "pictures" / f"{i}.png")
    open_by_name(str(home / "pictures"))
    Calibrations(home / "calibrated").add(ABOUT, Calibration(np.arange(9.0) / 7, ("image",), True, True, 0.5, 2.25))
    data = open_data(cell.config)
    yield SimpleNamespace(home=home, folder=folder, table=table, cells=cells, cell=cell, data=data)
    os.environ.pop("XDG_CACHE_HOME")
    os.environ.update({"XDG_CACHE_HOME": cache} if cache else {})


class Case(NamedTuple):
    """path: below the home of `made`. read: what reads it back. is_text: JSON. spared: it is made anew without a word."""

    path: str
    read: Callable[[Any], Any]
    is_text: bool = True
    spared: bool = False


def summary(made, **more):
    found = summarise(made.table, made.cells, **more)
    report.provenance(found, made.folder)
    report.markdown(found, {}, [])
    for key in ("gen/loss", "modes"):
        series(found.results["plain"], key)
    return found


def read_config(made):
    check_config(made.cell.folder, made.cell.config)
    check_data(made.cell.folder, made.data)
    return saved_plan(made.cell.folder), summary(made)


def read_registration(made):
    found = read_registered(made.folder)
    return read_table(made.folder), found and changes(as_registered(made.table, found), found, [])


CELL = "table/cells/plain_0"
ABOUT = {"detector": {"name": "search"}, "checkpoint": "a digest", "ema": True}
CASES = {
    "config": Case(f"{CELL}/config.json", read_config),
    "log": Case(f"{CELL}/metrics.jsonl", lambda made: (made.cell.workdir.logged_step(), summary(made))),
    "done": Case(f"{CELL}/DONE", summary),
    "failure": Case(f"{CELL}/failure.json", lambda made: (made.cell.workdir.failure, summary(made))),
    "evaluations": Case(f"{CELL}/evaluation.json", summary),
    "table": Case("table/table.json", lambda made: (remembered(made.folder), read_registration(made), summary(made))),
    "controls": Case("table/controls.json", lambda made: summary(made, controls=controls.read_controls(made.folder))),
    "real": Case("old/real.json", lambda made: summary(made, controls=controls.read_controls(made.home / "old"))),
    "report": Case("table/report.json", lambda made: summary_of_joined(made)),
    "frozen": Case(f"{CELL}/frozen/it/{RECORD}", lambda made: saved_donor(made.cell.folder / "frozen" / "it")),
    "arrays": Case(
        f"{CELL}/frozen/it/{ARRAYS}", lambda made: saved_donor(made.cell.folder / "frozen" / "it"), is_text=False
    ),
    "calibration": Case("calibrated/calibration.json", lambda made: calibrated(made), spared=True),
    "picture": Case(f"{CELL}/samples/step_00000004.png", lambda made: pictures(made), is_text=False),
    "index": Case("cache/jaxgan/images/*/index.json", lambda made: read_pictures(made), spared=True),
}


def summary_of_joined(made):
    rows = saved_report.load(made.folder, made.cells)
    found = summarise(made.table, [], kept=rows)
    report.provenance(found, made.folder)
    return saved_report.dump(found)


def calibrated(made):
    """What is damaged is as good as not there."""
    found = Calibrations(made.home / "calibrated").find(ABOUT)
    return found and (found.scores.sum(), found.high - found.low, sorted(found.parts))


def pictures(made):
    strips = figures.strips(summary(made))
    return strips and (figures.sheet(strips), [figures.in_page(path) for path in strips.values()])


def read_pictures(made):
    """Pictures whose index is damaged are decoded again."""
    assert open_by_name(str(made.home / "pictures")).gather(np.arange(3))["image"].shape == (3, 6, 6, 3)


VALUES = (
    None,
    True,
    7,
    -1,
    1 << 40,
    10**30,
    2.5,
    "x",
    "",
    "\ud800",
    "0",
    [],
    [[1]],
    ["x"],
    {},
    {"a": 1},
    {"a": {"b": [None]}},
)


def places(tree: Any, at: tuple = ()) -> Iterator[tuple]:
    """The paths of all parts of a tree of JSON."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in inside:
        yield (*at, key)
        yield from places(part, (*at, key))


def changed(tree: Any, at: tuple, value: Any) -> Any:
    """The tree with another value at a path; ... removes it."""
    out = copy.deepcopy(tree)
    inside = out
    for key in at[:-1]:
        inside = inside[key]
    if value is ...:
        del inside[at[-1]]
    else:
        inside[at[-1]] = value
    return out


def damages(content: bytes, is_text: bool, rng: random.Random, wanted: int) -> Iterator[tuple[str, bytes]]:
    """(what was done, what is left), `wanted` of each kind that is drawn."""
    yield from {"emptied": b"", "blank": b" \n\n", "zeros": bytes(len(content)), "noise": rng.randbytes(200)}.items()
    yield from {"null": b"null\n", "list": b"[]\n", "object": b"{}\n", "number": b"3\n", "text": b'"x"\n'}.items()
    yield from {"deep": b"[" * 100_000 + b"\n", "twice": content * 2, "mark": b"\xef\xbb\xbf" + content}.items()
    yield from {"no text": b'{"a": "\xff"}\n', "wide": content.decode(errors="replace").encode("utf-16")}.items()
    for _ in range(wanted):
        yield (at := f"cut at {rng.randrange(len(content))}"), content[: int(at.split()[-1])]
    for _ in range(wanted):
        bad, at = bytearray(content), rng.randrange(len(content))
        bad[at] ^= 1 << rng.randrange(8)
        yield f"bit flipped in byte {at}", bytes(bad)
    if is_text:
        lines = content.splitlines() if content.count(b"\n{") else [content]
        for _ in range(6 * wanted):
            at = rng.randrange(len(lines))
            tree = json.loads(lines[at])
            path, value = rng.choice(list(places(tree))), rng.choice((*VALUES, ...))
            line = json.dumps(changed(tree, path, value)).encode()
            yield f"{'.'.join(map(str, path))} of {at} is {value!r}", b"\n".join([*lines[:at], line, *lines[at + 1 :], b""])
        numbers = list(re.finditer(rb"(?<=: )[\d.]+", content))
        for word in (b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-0") if numbers else ():
            number = rng.choice(numbers)
            yield f"{word[:9]!r} at {number.start()}", content[: number.start()] + word + content[number.end() :]


def attempt(case: Case, made: Any, path: Path, what: str) -> bool:
    """Reads; whether it was told that the file is damaged."""
    try:
        case.read(made)
    except (UserError, Failure) as error:
        assert path.name in str(error) or str(path.parent) in str(error), f"{what}: {error}"
        assert len(str(error).splitlines()) == 1, f"{what}: {error}"
        return True
    except Exception as error:
        raise AssertionError(f"{path.name}, {what}: {type(error).__name__}: {error}") from error
    return False


SURE = ("blank", "zeros", "noise", "null", "list", "number", "text", "deep", "no text", "folder", "pipe", "huge")


@pytest.mark.parametrize("name", CASES)
def test_damage_is_told_of_in_one_line(name, made):
    case = CASES[name]
    [path] = made.home.glob(case.path)
    content, rng, told, tries = path.read_bytes(), random.Random(name), {}, 0
    assert not attempt(case, made, path, "nothing"), "it is whole"

    def put(bad: bytes | None = None) -> None:
        """The file, damaged; the folder of a cache may have been made anew by then."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if bad is not None:
            path.write_bytes(bad)

    try:
        for what, bad in damages(content, case.is_text, rng, 12):
            put(bad)
            told[what], tries = attempt(case, made, path, what), tries + 1
        kinds = {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to("nowhere")}
        kinds |= {"loop": lambda: path.symlink_to(path.name), "missing": lambda: None}
        kinds |= {"huge": lambda: (path.touch(), os.truncate(path, records.LARGEST + 1))}
        for what, make in kinds.items():
            put()
            make()
            told[what] = attempt(case, made, path, what)
    finally:
        put(content)
    assert tries > (100 if case.is_text else 35)
    if not case.spared:
        silent = [what for what in SURE if not told[what] and not (name == "log" and what == "blank")]
        assert not silent, f"nothing was said of {silent}"
    assert not attempt(case, made, path, "nothing"), "it is whole again"
