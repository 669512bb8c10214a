"""A table's report in one HTML file, which loads nothing."""

import html

from jaxgan.ablation.claims import ANSWERS
from jaxgan.ablation.formats import ARROWS, cells_of, head_of, marked, rows
from jaxgan.ablation.look import claim_list, document, facts, figure
from jaxgan.ablation.notices import LEGEND, claims, notices
from jaxgan.ablation.results import Summary


def page(summary: Summary, about: dict[str, str], drawings: dict[str, str], pictures: dict[str, str]) -> str:
    """drawings: title to an <svg> or <img> element. pictures: of samples, a row's name to a data: URL."""
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
        body += ["<h2>Claims</h2>", claim_list(map(claim, claims(summary)))]
    for title, lines in notices(summary):
        if lines:
            body.append(f"<h2>{title}</h2><ul>")
            body += [f"<li>{e(line.removeprefix('- '))}</li>" for line in lines] + ["</ul>"]
    for name, drawing in drawings.items():
        body.append(f'<h2>{e(name[:1].upper() + name[1:])}</h2><figure class="wide">{drawing}</figure>')
    if pictures:
        body.append('<h2>Samples</h2><p>Of the first seed that has any, from averaged weights.</p><div class="pictures">')
        body += [figure(src, f"samples of {row}") for row, src in pictures.items()] + ["</div>"]
    if table.notes:
        body.append(f"<h2>Notes</h2><p>{e(table.notes)}</p>")
    body += ["<h2>Where it comes from</h2>", facts((key, e(value)) for key, value in about.items())]
    return document(table.title, body)


def claim(line: str) -> tuple[str, str, str]:
    """(CSS class, verdict, text) of a line of `notices.claims`."""
    answer, _, rest = line.removeprefix("- ").partition(": ")
    return (answer.replace(" ", "-") if answer in ANSWERS else "not-tested"), answer, rest


def _published_class(head: str) -> str:
    return ' class="published"' if head in ("published", "paper's order") else ""
