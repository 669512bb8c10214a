"""A table's report in one HTML file, which loads nothing."""

import html

from jaxgan.ablation.claims import ANSWERS
from jaxgan.ablation.formats import ARROWS, cells_of, head_of, marked, rows
from jaxgan.ablation.notices import LEGEND, claims, notices
from jaxgan.ablation.results import Summary

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; white-space: nowrap; font-variant-numeric: tabular-nums; }
table { font-size: .92rem; }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid #ddd; } th { border-bottom: 2px solid #888; }
th { white-space: normal; vertical-align: bottom; max-width: 7rem; }
th:first-child, td:first-child { text-align: left; white-space: normal; position: sticky; left: 0; background: #fff; min-width: 8rem; }
.control td { color: #5a5a5a; font-style: italic; } tr:not(.control) + .control td { border-top: 2px solid #888; }
.published { color: #5a5a5a; } .claims { list-style: none; padding: 0; } small { color: #5a5a5a; }
.holds, .equivalent { color: #00693e; } .contradicted { color: #a8321e; } .undecided, .not-tested { color: #5a5a5a; }
svg, .drawing { width: 100%; height: auto; } .strips { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } img { height: 170px; max-width: 100%; object-fit: contain; } figcaption { font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: #5a5a5a; } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) { dl { display: block; } dd { margin-bottom: .5rem; } th, td { padding: .3rem .4rem; }
  td:first-child { max-width: 8rem; } }
"""  # noqa: E501


def page(summary: Summary, about: dict[str, str], drawings: dict[str, str], pictures: dict[str, str]) -> str:
    """drawings: title to the HTML of a figure. pictures: of samples, a row's name to a data: URL."""
    e, table = html.escape, summary.table
    body = [f"<h1>{e(table.title)}</h1>", '<div class="wide"><table><tr><th></th>']
    body += [f"<th{_published_class(name)}>{e(name)}</th>" for name in head_of(table, ARROWS)] + ["</tr>"]
    for name, row in rows(summary):
        columns = zip(head_of(table, ARROWS), cells_of(summary, name, row, "\0{}\0"))
        inner = "".join(
            f"<td{_published_class(head)}>{marked(e(text), '<strong>{}</strong>')}</td>" for head, text in columns
        )
        kind = ' class="control"' if name in summary.controls else ""
        body.append(f"<tr{kind}><td>{e(name)}</td>{inner}</tr>")
    body.append(f"</table></div><p>{e(LEGEND)}</p>")
    if summary.verdicts:
        body.append('<h2>Claims</h2><ul class="claims">')
        for line in claims(summary):
            answer, _, rest = line.removeprefix("- ").partition(": ")
            kind = answer.replace(" ", "-") if answer in ANSWERS else "not-tested"
            body.append(f'<li><b class="{kind}">{e(answer)}</b> {e(rest)}</li>')
        body.append("</ul>")
    for title, lines in notices(summary):
        if lines:
            body.append(f"<h2>{title}</h2><ul>")
            body += [f"<li>{e(line.removeprefix('- '))}</li>" for line in lines] + ["</ul>"]
    for name, drawing in drawings.items():
        body.append(f"<h2>{e(name.capitalize())}</h2>{drawing}")
    if pictures:
        body.append('<h2>Samples</h2><p>Of the first seed that has any, from averaged weights.</p><div class="strips">')
        body += [f'<figure><img src="{src}" alt="samples of {e(row)}"><figcaption>{e(row)}</figcaption></figure>'
                 for row, src in pictures.items()]  # fmt: skip
        body.append("</div>")
    if table.notes:
        body.append(f"<h2>Notes</h2><p>{e(table.notes)}</p>")
    body.append("<h2>Where it comes from</h2><dl>")
    body += [f"<dt>{e(key)}</dt><dd>{e(value)}</dd>" for key, value in about.items()] + ["</dl>"]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>{e(table.title)}</title><style>{STYLE}</style></head><body>\n'
        + ("\n".join(body) + "\n</body></html>\n")
    )


def _published_class(head: str) -> str:
    return ' class="published"' if head in ("published", "paper's order") else ""
