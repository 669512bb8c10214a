"""What a folder of results says of itself: `README.md` of the whole, and `report.json` or `README.md` of each result."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from jaxgan import records
from jaxgan.ablation.notices import claim_lines
from jaxgan.errors import UserError, nearest

README, REPORT, PAGE = "README.md", "report.json", "report.html"
ADVICE = "restore it, or write the report anew with --mode=ablate --report_only"
CLAIM = dict.fromkeys(("text", "answer", "reason", "estimate"), str)
SHAPE = {"title": str, "about": {str: str}, "rows": {str: list}, "claims": [CLAIM], "untested": str}
LINE = re.compile(r"^\| \[([^]]+)\]\(([^)]+)\) \| (.*) \|$")
WANTED = "| [NAME](LINK) | data | seeds | hours | what it shows |"
PICTURE = re.compile(r'<img src="(?P<file>[^"]+)"[^>]*? alt="(?P<alt>[^"]*)"|!\[(?P<alt2>[^]]*)\]\((?P<file2>[^)]+)\)')
KINDS = (".png", ".gif")


class Line(NamedTuple):
    """A result's line in the README of the whole, Markdown. link: where its name leads."""

    name: str
    link: str
    data: str
    seeds: str
    hours: str
    shows: str


class Result(NamedTuple):
    """A result. about: where it comes from, as a report says it. commands: blocks of lines. pictures: (file, what it shows).
    table: the <table> element of its report, "" if it has none. rows: their names. claims: lines. files: names."""

    line: Line
    title: str
    about: dict[str, str]
    commands: list[str]
    pictures: list[tuple[Path, str]]
    table: str
    rows: list[str]
    claims: list[str]
    files: list[str]


def groups_of(folder: Path) -> dict[str, list[Result]]:
    """All results below a folder, by the headings of its README.md. Raises UserError, also where a result's folder has no
    line there."""
    text = _text(folder / README)
    groups: dict[str, list[Result]] = {}
    heading = ""
    for words in text.splitlines():
        heading = words.removeprefix("## ") if words.startswith("## ") else heading
        found = LINE.match(words)
        cells = found[3].split(" | ") if found else []
        if found and len(cells) == 4:
            groups.setdefault(heading, []).append(result_of(folder, Line(found[1], found[2], *cells)))
    told = [result.line.name for some in groups.values() for result in some]
    for one in sorted(path.parent.name for name in (README, REPORT) for path in folder.glob(f"*/{name}")):
        if one not in told:
            raise UserError(f"{folder / README} has no line of {folder / one}; {nearest(one, told)}")
    if not told:
        raise UserError(
            f"{folder / README} has no line of a result: | [NAME](LINK) | data | seeds | hours | what it shows |"
        )
    return groups


def result_of(folder: Path, line: Line) -> Result:
    """What the folder of a line has. Raises UserError."""
    own = folder / line.name
    if not own.is_dir():
        raise UserError(f"{folder / README}: {own} is not there")
    pictures = sorted(path for path in own.iterdir() if path.suffix in KINDS)
    report = records.read_json(own / REPORT, SHAPE, ADVICE)
    if report is None:
        return _without_table(own, line)
    about, title = report["about"], report["title"]
    with records.reading(own / PAGE, ADVICE):
        shown = re.search(r"<table>.*?</table>", _text(own / PAGE), re.DOTALL)
        if shown is None:
            raise ValueError("it has no table")
    files = [name for name in (PAGE, "report.md", "table.csv", README) if (own / name).exists()]
    lines = claim_lines([SimpleNamespace(**one) for one in report["claims"]], report["untested"])
    named = [(path, f"{title}: {path.stem.replace('_', ' ')}") for path in pictures]
    commands = [about["command"]] if "command" in about else []
    return Result(line, title, about, commands, named, shown[0], list(report["rows"]), lines, files)


def _without_table(folder: Path, line: Line) -> Result:
    """A result of which a README alone tells."""
    text = _text(folder / README)
    found = [(m["file"] or m["file2"], m["alt"] or m["alt2"] or "") for m in PICTURE.finditer(text)]
    for file, alt in found:
        if not (folder / file).is_file() or not alt:
            wrong = "has no text that says what it shows" if (folder / file).is_file() else "is not there"
            raise UserError(f"{folder / README}: the picture {file} {wrong}")
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    facts = dict(re.findall(r"^- (\w+): (.+(?:\n  .+)*)", text.partition("## Where it comes from")[2], re.MULTILINE))
    about = {key: " ".join(value.split()) for key, value in facts.items()}
    commands = [block.strip() for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)]
    named = [(folder / file, alt) for file, alt in found]
    return Result(line, title[1] if title else folder.name, about, commands, named, "", [], [], [README])


def _text(path: Path) -> str:
    """A file's text. Raises UserError."""
    content = records.read_bytes(path, ADVICE)
    if content is None:
        raise UserError(f"{path} is not there; the gallery needs it")
    with records.reading(path, ADVICE):
        return content.decode()


def size_of(path: Path) -> tuple[Any, ...]:
    """A picture's width and height in pixels. Raises DamagedFile."""
    from PIL import Image

    with records.reading(path, "restore it"), Image.open(path) as picture:
        return picture.size
