"""The pages of docs/methods: their commands, overrides, links and scores hold."""

import re
import shlex
from pathlib import Path

import pytest
from helpers import ROOT, TOKENS, plan_after_stages

from jaxgan.command_line import split
from jaxgan.config.load import load_config
from jaxgan.config.resolve import flat, resolve_config
from jaxgan.data.features import features_of
from jaxgan.sections import sections

FOLDER = ROOT / "docs" / "methods"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem != "index")
NO_METHOD = {
    "created_equal",
    "default",
    "damsm",
    "own",
    "stacked_digits",
    "celeba",
    "cifar10",
    "classifier",
    "detector",
}  # the index has a table of them
AWAITED = {"dfgan", "attngan"}  # methods whose results are still to come
HEADINGS = [
    "The idea",
    "The maths",
    "The command",
    "What to expect",
    "What differs from the paper",
    "Fields that matter",
    "Where the code is",
]
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def config_of(page: Path) -> str:
    """The config whose page it is: the one that the head names."""
    return re.findall(r"`(configs/\S+)`", page.read_text().partition("\n## ")[0])[0]


def part(page: Path, heading: str) -> str:
    return page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a Markdown table's lines, without heads and rules."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not set("".join(line)) <= set("-: ")]


def resolved(spec: str, overrides: list[tuple[str, str]]):
    return resolve_config(load_config(f"{ROOT}/{spec}"), overrides, sections)


def features(config):
    """Of colour pictures of 32 px with labels, of 28 px where attention wants a map of 14, or of points."""
    side = 28 if 14 in [net.get("attention") for net in config.nets.values()] else 32
    translates, shape = config.task.name in ("paired", "unpaired"), (side, side, 3)
    if config.eval.features.name == "points":
        return features_of((2,))
    captions = {"tokens": TOKENS} if config.data.get("captions") else {}
    return features_of(shape, 10, shape if translates else (), apart=config.task.name == "unpaired") | captions


def same_numbers(text: str) -> str:
    """A text whose numbers all have their leading zero."""
    return re.sub(r"(?<![\d.])\.(?=\d)", "0.", text)


def missing(scores: str, sources: list[str]) -> list[str]:
    """The numbers with a point, and their deviations, that stand in none of the sources."""
    told = [same_numbers(source) for source in sources]
    numbers = re.findall(r"\d+\.\d+(?: ± \d+\.\d+)?", scores)
    return [x for x in numbers if not any(re.search(rf"(?<![\d.]){re.escape(x)}(?!\d)", text) for text in told)]


def test_every_method_has_one_page_and_every_config_a_line():
    configs = {path.stem for path in (ROOT / "configs").glob("*.py")} - {"__init__"}
    specs = [config_of(page) for page in PAGES]
    assert len(set(specs)) == len(specs)
    assert {Path(spec.partition(":")[0]).stem for spec in specs} == configs - NO_METHOD
    index = (FOLDER / "index.md").read_text()
    for page, spec in zip(PAGES, specs):
        [line] = [line for line in index.splitlines() if f"]({page.name})" in line]
        assert f"`{spec.removeprefix('configs/')}`" in line
    assert all(f"| `{name}.py` |" in index for name in NO_METHOD)


@by_page
def test_a_page_has_its_parts_in_order_and_its_length(page):
    text = page.read_text()
    assert re.findall(r"^## (.*)", text, re.MULTILINE) == HEADINGS
    assert len(text.splitlines()) <= 95
    assert config_of(page) in part(page, "The command")


@by_page
def test_its_overrides_are_fields_and_change_something(page):
    table = [row[0] for row in rows(part(page, "Fields that matter")) if row[0].startswith("`--config.")]
    plain = resolved(config_of(page), [])
    assert 4 <= len(table) <= 8
    for cell in table:
        words, overrides = split(shlex.split(cell.strip("`")))
        config = resolved(config_of(page), overrides)
        assert not words and overrides
        assert flat(config.to_dict()) != flat(plain.to_dict()), f"{cell} is what the config has anyway"
        plan_after_stages(config, features(config))


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "index.md"], ids=lambda page: page.stem)
def test_its_links_and_pictures_are_there(page):
    links = re.findall(r"(?:\]\(|src=\")([^)\"]+)", page.read_text())
    assert links
    for link in links:
        assert (page.parent / link.partition("#")[0]).exists(), link


@by_page
def test_its_scores_stand_in_the_results_that_it_links(page):
    if page.stem in AWAITED and not (ROOT / "results" / page.stem).exists():
        pytest.skip("its results are still to come")
    text = part(page, "What to expect")
    linked = [(page.parent / link).resolve() for link in re.findall(r"\]\(([^)]*results[^)]*\.md)\)", text)]
    assert linked and re.search(r"\bseeds?\b", text) and "<img " in text
    table = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert re.search(r"\d\.\d", table)
    assert not missing(table, [path.read_text() for path in linked])


def test_a_score_that_stands_nowhere_is_found():
    assert missing("| 9.1 ± 1.1 | 0.91 | 9.2 |", ["fd 9.1 ± 1.1", ".910 and .91", "19.25"]) == ["9.2"]


@by_page
def test_its_names_of_code_are_there(page):
    """`name` in [file](link): the file has such a function, class or field."""
    for line in part(page, "Where the code is").split("\n- "):
        links = [page.parent / link for link in re.findall(r"\]\(([^)]+\.py)\)", line)]
        names = [name.split(".")[-1] for name in re.findall(r"`([\w.]+)`", re.sub(r"\[[^\]]*\]", "", line))]
        for name in names:
            assert any(re.search(rf"\b{name}\b", link.read_text()) for link in links), name
