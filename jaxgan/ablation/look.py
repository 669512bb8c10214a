"""What reports and the gallery look like, and what they answer to. Neither loads a font or a script from anywhere."""

import html
from collections.abc import Iterable

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #5a5a5a; --line: #ddd; --rule: #888;
  --box: #f4f4f2; --good: #00693e; --bad: #a8321e; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e2; --paper: #17191b; --soft: #a6a6a4; --line: #363a3d;
  --rule: #777; --box: #212427; --good: #62c79a; --bad: #f0907a; --link: #82b8f2; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1rem; color: var(--ink);
  background: var(--paper); overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; } a { color: var(--link); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; white-space: nowrap; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }
th { border-bottom: 2px solid var(--rule); white-space: normal; overflow-wrap: normal; vertical-align: bottom;
  max-width: 7rem; }
th:first-child, td:first-child { text-align: left; white-space: normal; position: sticky; left: 0; background: var(--paper);
  min-width: 13rem; }
th[tabindex] { cursor: pointer; } th[tabindex]:hover { background: var(--box); }
th[aria-sort=ascending]::after { content: " \\25B4"; } th[aria-sort=descending]::after { content: " \\25BE"; }
.control td { color: var(--soft); font-style: italic; } tr:not(.control) + .control td { border-top: 2px solid var(--rule); }
.published, small, figcaption { color: var(--soft); } .claims { list-style: none; padding: 0; }
.holds, .equivalent { color: var(--good); } .contradicted { color: var(--bad); }
.undecided, .not-tested { color: var(--soft); }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end; }
figure { margin: 0; max-width: 100%; } figcaption { font-size: .85rem; max-width: 22rem; }
img, figure svg { max-width: 100%; background: #fff; } .pictures img { height: auto; max-height: 170px; }
.drawing, figure svg { width: 100%; height: auto; } img { cursor: zoom-in; }
.pixels { image-rendering: pixelated; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
dialog { border: 0; padding: 0; margin: auto; max-width: 100vw; max-height: 100vh; background: var(--paper);
  color: var(--ink); }
dialog::backdrop { background: rgba(0, 0, 0, .8); } dialog img { display: block; max-width: none; }
dialog p { margin: .3rem .6rem; font-size: .9rem; }
@media (max-width: 600px) { dl { display: block; } dd { margin-bottom: .5rem; } th, td { padding: .3rem .4rem; }
  th:first-child, td:first-child { min-width: 6rem; max-width: 8rem; } figure svg { min-width: 600px; } }
"""

SCRIPT = """
// A click on a head sorts: the better end first, then the other, then as it was. Controls stay below.
const number = (text) => { const found = text.replace(/[,(]/g, "").match(/^\\s*[-+]?[\\d.]+(e[-+]?\\d+)?/i);
  return found ? Number(found[0]) : NaN; };
document.querySelectorAll("table").forEach((table) => {
  const head = table.querySelector("tr"), rows = [...table.querySelectorAll("tr")].slice(1);
  [...head.cells].forEach((cell, i) => {
    const sort = () => {
      const before = cell.getAttribute("aria-sort"), first = cell.textContent.includes("↑") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const how = before === first ? second : before === second ? null : first;
      [...head.cells].forEach((other) => other.removeAttribute("aria-sort"));
      if (how) cell.setAttribute("aria-sort", how);
      const key = (row) => row.cells[i] ? row.cells[i].textContent : "";
      const sign = how === "descending" ? -1 : 1, controls = (row) => row.className === "control";
      const compare = (a, b) => {
        const [x, y] = [number(key(a)), number(key(b))];
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y) || sign * key(a).localeCompare(key(b));
        return sign * (x - y);
      };
      const methods = rows.filter((row) => !controls(row));
      if (how) methods.sort(compare);
      [...methods, ...rows.filter(controls)].forEach((row) => row.parentNode.append(row));
    };
    cell.tabIndex = 0;
    cell.title = "sort";
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
});
// A click on a picture shows it large; Escape (which dialogs know) or another click closes it.
const large = document.createElement("dialog"), picture = new Image(), caption = document.createElement("p");
large.append(picture, caption);
large.addEventListener("click", () => large.close());
document.body.append(large);
document.querySelectorAll("figure img").forEach((img) => {
  const show = () => {
    picture.src = img.src;
    picture.alt = caption.textContent = img.alt;
    const [w, h] = [img.naturalWidth, img.naturalHeight], fit = Math.min((innerWidth - 8) / w, (innerHeight - 50) / h);
    const wide = innerWidth >= 600 || fit >= 1;  // on a telephone a large picture scrolls
    const dots = Math.max(1, devicePixelRatio), most = Math.min(8, Math.floor(fit * dots) / dots);
    const scale = fit >= 1 ? most : wide ? fit : Math.max(fit, Math.min(1, 900 / w));
    picture.style.width = `${w * scale}px`;
    picture.className = scale > 1 ? "pixels" : "";
    large.showModal();
  };
  const link = img.closest("a") || img;
  link.tabIndex = 0;
  const soften = () => img.classList.toggle("pixels", img.naturalWidth > 0 && img.clientWidth > img.naturalWidth);
  img.complete ? soften() : img.addEventListener("load", soften);
  link.addEventListener("click", (event) => { event.preventDefault(); show(); });
  link.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); show(); } });
});
"""


def document(title: str, body: Iterable[str], style: str = "", script: str = "") -> str:
    """A whole page. body: pieces of HTML. style, script: what this page has besides."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f'<link rel="icon" href="data:,"><title>{html.escape(title)}</title><style>{STYLE}{style}</style>'
    inner = "\n".join(body)
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body>\n{inner}\n'
        f"<script>{SCRIPT}{script}</script></body></html>\n"
    )


def figure(src: str, alt: str, attributes: str = "") -> str:
    """A picture, which a click shows large, with its alternative text as the caption. One that is a file is a link too, for
    browsers without scripts."""
    told, src = html.escape(alt), html.escape(src)
    picture = f'<img src="{src}" alt="{told}"{attributes}>'
    picture = picture if src.startswith("data:") else f'<a href="{src}">{picture}</a>'
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


def facts(about: Iterable[tuple[str, str]]) -> str:
    """A list of names and what they stand for. The second of each pair is HTML."""
    return "<dl>" + "\n".join(f"<dt>{html.escape(key)}</dt><dd>{value}</dd>" for key, value in about) + "</dl>"


def claim_list(lines: Iterable[tuple[str, str, str]]) -> str:
    """Claims as (CSS class, verdict, text)."""
    items = (f'<li><b class="{kind}">{html.escape(answer)}</b> {html.escape(rest)}</li>' for kind, answer, rest in lines)
    return '<ul class="claims">\n' + "\n".join(items) + "\n</ul>"
