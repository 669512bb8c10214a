"""What MkDocs does not do by itself: pages and pictures from outside docs/, and formulas without a script.

The pages' links are those that GitHub follows: `../results/ring/report.html`, `../configs/wgan.py`. On the site results/
lies beside the pages, README and its like are pages too, and a link to a source file becomes plain text.
"""

import html
import os
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
DOCS, RESULTS = ROOT / "docs", ROOT / "results"
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/results.md", "benchmarks/NOTES.md"]
# Where GitHub ends a table or a paragraph, and Python-Markdown wants an empty line: after a row, and before a list.
ROW_THEN_TEXT = re.compile(r"^(\|.*\n)(?=[^|\n])", re.MULTILINE)
TEXT_THEN_LIST = re.compile(r"^([^-|#\s\d<].*\n)(?=- )", re.MULTILINE)
COPIED = (".gif", ".html", ".json", ".md", ".png", ".csv", ".tex")
LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:`[^`]*`|[^\[\]`])*)\]\((?P<to>[^()\s]+)\)")
ATTRIBUTE = re.compile(r'(?P<name>\b(?:src|href)=")(?P<to>[^"]+)"')
CODE = re.compile(r"(^ *```.*?^ *```)", re.DOTALL | re.MULTILINE)


def place(path: Path) -> str | None:
    """Where a file of the repository lies on the site, as a path that MkDocs reads; None for a source file."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    if name in PAGES:
        return f"repository/{name.replace('README', 'front')}"
    if path.is_relative_to(RESULTS) and path.suffix in COPIED:
        if path.name == "report.md" and path.with_suffix(".html").exists():
            return place(path.with_suffix(".html"))  # the same, and its page would have the same address
        return "results/notes.md" if name == "results/README.md" else name  # results/index.html is the gallery
    return None


def moved(link: str, origin: Path) -> str | None:
    """A link of the file `origin` as the site has it: from where that file lies there to where its target does."""
    to, mark, anchor = link.partition("#")
    if not to or re.match(r"[a-z]+:|/", to):
        return link
    target = (origin.parent / to).resolve()
    if target.is_dir():
        target /= "index.html" if (target / "index.html").exists() or target == RESULTS else "README.md"
    where, here = place(target), place(origin)
    return os.path.relpath(where, os.path.dirname(here or "")) + mark + anchor if where else None


def on_files(files, config):
    """Adds what the site takes from outside docs/."""
    for path in [*(ROOT / name for name in PAGES), *sorted(RESULTS.rglob("*"))]:
        where = place(path)
        if path.is_file() and where and files.get_file_from_path(where) is None:
            files.append(File.generated(config, where, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links as the site has them, and blocks as GitHub parts them, outside of code."""
    origin = Path(page.file.abs_src_path or page.file.generated_by)

    def link(found):
        to = moved(found["to"], origin)
        return found["text"] if to is None else f"{found['image']}[{found['text']}]({to})"

    def attribute(found):
        to = moved(found["to"], origin) or found["to"]
        return f'{found["name"]}{re.sub(r"[.]md(?=#|$)", ".html", to)}"'

    def text(part):
        part = TEXT_THEN_LIST.sub(r"\1\n", ROW_THEN_TEXT.sub(r"\1\n", part))
        return ATTRIBUTE.sub(attribute, LINK.sub(link, part))

    return "".join(part if i % 2 else text(part) for i, part in enumerate(CODE.split(markdown)))


def on_page_content(content, page, config, files):
    """Formulas as MathML."""

    def formula(found):
        made = convert(html.unescape(found[2]), display="block" if found[1] == "div" else "inline")
        return made.replace("<mo>&#x0005E;</mo></mover>", "<mo>&#x002C6;</mo></mover>")  # a hat, which ^ is too small for

    return re.sub(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', formula, content, flags=re.DOTALL)


def on_post_build(config):
    """Links of the reports and the gallery, which MkDocs copies as they are."""
    site = Path(config["site_dir"])
    for path in RESULTS.rglob("*.html"):
        copy = site / path.relative_to(ROOT)

        def attribute(found, path=path):
            to = moved(html.unescape(found["to"]), path) if not found["to"].startswith("data:") else None
            return f'{found["name"]}{address(to)}"' if to else found[0]

        copy.write_text(ATTRIBUTE.sub(attribute, copy.read_text()))


def address(where: str) -> str:
    """The address of a page, from the path that MkDocs reads."""
    return re.sub(r"[.]md(?=#|$)", ".html", re.sub(r"README[.]md(?=#|$)", "index.html", where))
