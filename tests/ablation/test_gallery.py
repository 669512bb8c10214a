"""The page of all results, made from their reports and READMEs."""

import html
import json
import re

import pytest
from helpers import ROOT
from PIL import Image

from jaxgan.ablation.gallery.__main__ import main
from jaxgan.ablation.gallery.page import page
from jaxgan.ablation.gallery.reading import groups_of
from jaxgan.errors import UserError

RESULTS = ROOT / "results"
README = """# Results

## Tables

| table | data | seeds | hours | what it shows |
|---|---|---|---|---|
| [ring](ring/report.md) | a ring of `points` | 2 | 0.1 | that it works |

## Single runs

| folder | data | seeds | hours | what it shows |
|---|---|---|---|---|
| [flags](flags/README.md) | flags | 1 | 0.2 | stripes |
"""
FLAGS = """# Flags <small>

```
python launch.py --config=configs/own.py
```

<img src="flags.png" width="384" alt="64 generated flags">

## Where it comes from

- revision: 753fe1c
- versions: jax 0.10.2,
  flax 0.12.8
"""


@pytest.fixture
def results(tmp_path):
    """A folder of a table and of a single run."""
    (tmp_path / "README.md").write_text(README)
    for name in ("ring", "flags"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 6)).save(tmp_path / name / f"{name}.png")
    claim = {"text": "a: x higher than b", "answer": "holds", "reason": "p = 0.01", "estimate": "difference +1"}
    about = {"command": "python launch.py --mode=ablate", "revision": "0123456789" * 4, "data": "a <ring>"}
    report = {"title": "Modes", "about": about, "rows": {"a": [], "b": []}, "claims": [claim], "untested": ""}
    (tmp_path / "ring" / "report.json").write_text(json.dumps(report))
    (tmp_path / "ring" / "report.html").write_text("<table><tr><th></th></tr><tr><td>a</td></tr></table>")
    (tmp_path / "flags" / "README.md").write_text(FLAGS)
    return tmp_path


def test_the_committed_page_is_that_of_its_results():
    assert (RESULTS / "index.html").read_text() == page(groups_of(RESULTS)), "python -m jaxgan.ablation.gallery results/"


def test_every_result_has_its_facts_command_and_pictures():
    for some in groups_of(RESULTS).values():
        for result in some:
            assert result.commands and result.pictures, result.line.name
            assert {"revision", "versions", "devices", "trained"} <= result.about.keys(), result.line.name
            asked = re.match(r"\d+", result.line.seeds)
            if result.table:
                assert asked and int(asked[0]) == len(result.about["seeds"].split(",")), result.line.name


def test_links_lead_to_files():
    text = (RESULTS / "index.html").read_text()
    targets = [html.unescape(x) for x in re.findall(r'(?:src|href)="([^"#][^"]*)"', text) if not x.startswith("data:")]
    assert len(targets) > 100 and not [x for x in targets if not (RESULTS / x).is_file()]
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_a_page(results):
    assert main([str(results)]) == 0
    shown = (results / "index.html").read_text()
    assert shown.index("Tables") < shown.index("Modes") < shown.index('<section id="ring"') < shown.index('id="flags"')
    assert "a ring of <code>points</code>" in shown and "<dd>a &lt;ring&gt;</dd>" in shown
    assert "<dt>revision</dt><dd>0123456789</dd>" in shown and "<dt>hours</dt><dd>0.1</dd>" in shown
    assert '<b class="holds">holds</b> a: x higher than b (difference +1; p = 0.01)' in shown and "Claims: 1 holds" in shown
    assert '<img src="flags/flags.png" alt="64 generated flags" width="8" height="6" loading="lazy">' in shown
    assert "Flags &lt;small&gt;" in shown and "<dd>jax 0.10.2, flax 0.12.8</dd>" in shown
    assert shown.count("<pre>") == 2 and '<a href="ring/report.html">' in shown and "table.csv" not in shown


def broken(path, text):
    path.write_text(path.read_text().replace(*text) if isinstance(text, tuple) else text)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("ring/report.json", "{", "ring/report.json is damaged"),
        ("ring/report.json", ('"title"', '"titel"'), "ring/report.json is damaged (it has no 'title')"),
        ("ring/report.html", "<p>", "ring/report.html is damaged (it has no table)"),
        ("flags/README.md", ("flags.png", "flag.png"), "flags/README.md: the picture flag.png is not there"),
        ("flags/README.md", ("64 generated flags", ""), "the picture flags.png has no text that says what it shows"),
        ("flags/flags.png", "GIF", "flags/flags.png cannot be read"),
        ("README.md", ("[flags]", "[flag]"), "flag is not there"),
        ("README.md", ("| [flags]", "[flags]"), "has no line of"),
        ("README.md", "# Results", "has no line of"),
    ],
)
def test_what_is_damaged_or_missing_is_told_in_one_line_and_nothing_is_written(results, capsys, file, text, told):
    broken(results / file, text)
    (results / "index.html").write_text("the old page")
    assert main([str(results)]) == 2
    assert told in (said := capsys.readouterr().err) and said.count("\n") == 1
    assert (results / "index.html").read_text() == "the old page"


def test_a_folder_without_a_readme(tmp_path):
    with pytest.raises(UserError, match="README.md is not there"):
        groups_of(tmp_path)
