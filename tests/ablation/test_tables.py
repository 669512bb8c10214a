"""Every table of `configs/ablations`: its rows resolve, and a cell of it trains, is scored and gets into its report."""

import csv
import importlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import ROOT, tiny_fields

from jaxgan import records
from jaxgan.ablation import report, saved_report
from jaxgan.ablation.cells import groups, load_table, make_cells, train_cells
from jaxgan.ablation.protocol import filled_in, untested
from jaxgan.ablation.results import read_result
from jaxgan.ablation.table import CONTROLS, Table
from jaxgan.config.resolve import resolve_config
from jaxgan.sections import sections

FILES = sorted(path.stem for path in (ROOT / "configs" / "ablations").glob("*.py"))
TINY = {
    "steps": 2, "batch_size": 16, "log.every": 1, "sample.every": 0, "sample.num": 4, "checkpoint.every": 0, "eval.every": 0,
    "eval.num_samples": 150, "eval.num_real": 200, "eval.batch_size": 50, "eval.allow_few": True, "eval.repeats": 1,
}  # fmt: skip
SHORT = {  # beside their papers, so that they test none of their claims
    "pix2pix.py",
    *("cifar10.py:digits", "cyclegan.py", "grid.py:short", "normalisation.py:digits", "r3gan.py:digits", "r3gan.py:emoji"),
    *("ring.py:short", "robustness.py", "stacked_digits.py:short", "stylegan.py:digits", "stylegan.py:emoji"),
    *(f"limited_data.py:{variant}" for variant in ("dcgan", "mlp", "stylegan")),
}


def specs():
    for file in FILES:
        module = importlib.import_module(f"configs.ablations.{file}")
        for variant in getattr(module, "VARIANTS", ("",)):
            yield f"{ROOT}/configs/ablations/{file}.py" + (f":{variant}" if variant else "")


@pytest.mark.parametrize("spec", list(specs()))
def test_all_rows_resolve(spec, tmp_path):
    table = load_table(spec)
    every = make_cells(table, spec, tmp_path, [])
    assert len(every) == len(table.rows) * len(table.seeds)
    assert sum(map(len, groups(every))) == len(every)
    shown = [cell.config for cell in every if cell.seed == table.seeds[0] and not cell.hidden]
    assert not re.search("[{}]", filled_in(f"{table.protocol} {table.data}", shown))
    name = Path(spec).name
    assert re.match(r"[\d,]+ of the paper's", untested(table, shown)) if name in SHORT else not untested(table, shown)
    assert table.comparable == (name in ("ring.py:full", "grid.py:full", "cifar10.py:cifar10"))
    if any(row.published for row in table.rows.values()):
        assert table.length and table.published
    assert f"`{name.partition(':')[0]}`" in (ROOT / "docs/ablations.md").read_text()


RESULTS = sorted(path.parent for path in (ROOT / "results").glob("*/table.csv"))


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_every_result_has_a_report_that_can_be_joined(folder):
    """Its runs are those of its csv."""
    report = records.read_json(folder / saved_report.FILE, saved_report.SHAPE, saved_report.ADVICE)
    assert report
    with (folder / "table.csv").open() as file:
        rows = {line["row"]: line["runs"] for line in csv.DictReader(file) if line["row"] not in CONTROLS}
    rows = {row: runs for row, runs in rows.items() if not re.fullmatch(r"0(, \d+ open)?", runs)}  # without any run
    assert report["rows"].keys() == report["configs"].keys() == rows.keys()
    for row, runs in rows.items():
        counted = [run for run in report["rows"][row] if run["state"] == "done" and not run.get("failed")]
        assert len(counted) == int(runs.partition(",")[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "cifar10",
        "critic_steps",
        "cyclegan",
        "limited_data",
        "normalisation",
        "pix2pix",
        "r3gan",
        "robustness",
        "stacked_digits",
        "stylegan",
        "two_time_scales",
    ],
)
def test_a_cell_trains_and_the_report_has_it(file, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxgan.scores.reading.EPOCHS", 1)
    spec = f"{ROOT}/configs/ablations/{file}.py"
    spec += ":digits" if f"{spec}:digits" in set(specs()) else ""
    table: Table = load_table(spec)
    own = {
        "stacked_digits": {"data.images": 500},
        **dict.fromkeys(("pix2pix", "cyclegan"), {"eval.features.name": "random"}),
    }
    tiny = {**TINY, **own.get(file, {})}
    tiny = [(key, str(value)) for key, value in tiny.items()]
    every = make_cells(table, spec, tmp_path, tiny)
    last = [cell for cell in every if cell.seed == 0][-1]  # the row with most changes
    small = list(tiny_fields(last.config).items())
    last = replace(last, config=resolve_config(last.config.copy_and_resolve_references().unlock(), small, sections))
    every[last.number] = last
    train_cells([last])
    assert json.loads((last.folder / "DONE").read_text()) == {"step": 2}
    assert read_result(last).state == "done"
    page = report.write(table, every, tmp_path).read_text()
    assert f"<td>{last.row}</td>" in page and page.count("<svg") == bool(table.curves) + len(table.figures)
    for title in table.figures:
        assert (tmp_path / f"{title.replace(' ', '_')}.png").stat().st_size > 1000
