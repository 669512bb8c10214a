"""The gallery: all results on one page, whose pictures and reports lie in the folders beside it."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jaxgan.ablation.gallery.reading import Result, size_of
from jaxgan.ablation.look import claim_list, document, facts, figure
from jaxgan.ablation.page import claim

TITLE = "jaxgan: results"
SHOWN = ("paper", "data", "protocol", "seeds", "hours", "devices", "trained", "revision", "versions")
OPENING = """Every result of this repository, with its data, seeds, hours, revision and command. Numbers are the mean ± the
standard deviation over seeds. Controls (real images, noise, untrained generators) stand below the methods.
<a href="README.md">README.md</a> says how to read the tables. A click on a picture enlarges it; a click on the head of a
column sorts by it."""
FILTER = 'placeholder="filter by data or method" aria-label="filter by data or method"'
MANY = 6  # claims; more of them are folded

STYLE = """
nav ul { list-style: none; padding: 0; display: grid; gap: .4rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); } nav small { display: block; }
section { border-top: 1px solid var(--rule); margin-top: 2.5rem; } section[hidden], nav li[hidden] { display: none; }
h2 { margin-top: 2rem; } section h3 { font-size: 1.15rem; margin-bottom: .3rem; } .shows { margin-top: 0; }
input { font: inherit; padding: .4rem .6rem; width: min(24rem, 100%); color: inherit; background: var(--paper);
  border: 1px solid var(--rule); border-radius: 4px; }
.command { position: relative; } pre { background: var(--box); padding: .7rem 4rem .7rem .8rem; overflow-x: auto;
  margin: .8rem 0; font-size: .85rem; border-radius: 4px; } code { font-size: .9em; }
.command button { position: absolute; right: .4rem; top: .4rem; font: inherit; font-size: .8rem; padding: .1rem .5rem;
  color: var(--ink); background: var(--paper); border: 1px solid var(--rule); border-radius: 4px; cursor: pointer; }
.pictures { margin: 1rem 0; } .pictures img { max-height: 260px; width: auto; } dl { font-size: .92rem; }
details { margin: .8rem 0; } summary { cursor: pointer; } .files a { margin-right: 1rem; }
@media (max-width: 600px) { .command button { position: static; } pre { padding-right: .8rem; margin-bottom: .3rem; } }
"""

SCRIPT = """
document.querySelectorAll(".command").forEach((box) => {
  const button = document.createElement("button"), text = box.querySelector("pre");
  button.textContent = "copy";
  button.addEventListener("click", () => {
    const select = () => getSelection().selectAllChildren(text);
    const done = () => { button.textContent = "copied"; };
    navigator.clipboard ? navigator.clipboard.writeText(text.textContent).then(done, select) : select();
  });
  box.append(button);
});
const filter = document.querySelector("input");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\\s+/);
  document.querySelectorAll("section").forEach((section) => {
    section.hidden = !words.every((word) => section.dataset.words.includes(word));
    document.querySelector(`nav a[href="#${section.id}"]`).parentNode.hidden = section.hidden;
  });
});
"""


def page(groups: Mapping[str, Sequence[Result]]) -> str:
    """The whole page. groups: results under the title of each group."""
    body = [f"<h1>{TITLE}</h1><p>{OPENING}</p>", f'<p><input type="search" {FILTER}></p><nav>']
    for title, results in groups.items():
        body += [f"<h2>{html.escape(title)}</h2><ul>"]
        body += [
            f'<li><a href="#{one.line.name}">{html.escape(one.title)}</a><small>{marked(one.line.data)}</small></li>'
            for one in results
        ] + ["</ul>"]
    body.append("</nav><main>")
    body += [line for results in groups.values() for one in results for line in _section(one)]
    return document(TITLE, [*body, "</main>"], STYLE, SCRIPT)


def _section(result: Result) -> Iterator[str]:
    line, e = result.line, html.escape
    words = f"{result.title} {line.name} {line.data} {result.about.get('data', '')} {' '.join(result.rows)}".lower()
    yield f'<section id="{line.name}" data-words="{e(words)}"><h3>{e(result.title)}</h3>'
    yield f'<p class="shows">{marked(line.shows)}</p>'
    about = {"data": line.data, "seeds": line.seeds} | result.about | {"hours": line.hours}
    yield facts((key, marked(_short(key, about[key]))) for key in SHOWN if key in about)
    for one in result.commands:
        yield f'<div class="command"><pre>{e(one)}</pre></div>'
    if result.table:
        yield f'<div class="wide">{result.table}</div>'
    if result.claims:
        lines = [claim(one) for one in result.claims]
        counts = Counter(answer for kind, answer, _ in lines if answer != "no claim is tested")
        told = ", ".join(f"{n} {answer}" for answer, n in counts.items())
        yield f"<details{' open' * (len(lines) <= MANY)}><summary>Claims: {told}</summary>{claim_list(lines)}</details>"
    yield '<div class="pictures">'
    for path, alt in result.pictures:
        width, height = size_of(path)
        yield figure(_beside(path), alt, f' width="{width}" height="{height}" loading="lazy"')
    yield "</div>"
    yield '<p class="files">' + " ".join(f'<a href="{line.name}/{e(file)}">{e(file)}</a>' for file in result.files) + "</p>"
    yield "</section>"


def _beside(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _short(key: str, value: str) -> str:
    """Revisions by their first ten digits."""
    return re.sub(r"\b([0-9a-f]{10})[0-9a-f]{30}\b", r"\1", value) if key == "revision" else value


def marked(text: str) -> str:
    """A line of Markdown with code and links as HTML."""
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', html.escape(text))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
