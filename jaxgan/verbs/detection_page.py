"""`index.html` of `--mode=detect`: pictures from the most to the least abnormal, with the threshold between them."""

import html
from collections.abc import Iterator
from typing import NamedTuple

from jaxgan.verbs.page_parts import left_out, text, url

SIDE = 128  # pixels of a picture on the page
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem}"
    "main{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;content-visibility:auto;contain-intrinsic-size:auto 160px}"
    f"img{{height:{SIDE}px;width:auto;margin-right:2px;background:#eee}}.small img{{image-rendering:pixelated}}"
    "figcaption{font-size:12px;color:#555;overflow-wrap:anywhere;max-width:400px}.abnormal figcaption b{color:#b00000}"
    ".line{flex-basis:100%;border-top:3px solid #b00000;color:#b00000;font-weight:600;padding:.3rem 0;margin:.5rem 0}"
    "table{border-collapse:collapse;font-size:13px}th{text-align:left;font-weight:600;padding:0 1rem 0 0;vertical-align:top}"
    "td{overflow-wrap:anywhere}@media(max-width:34rem){img{height:auto;width:30%}}"
)
ALTS = {"pictures": "as the detector saw it", "reconstructions": "its reconstruction", "heat": "where it is abnormal"}


class Shown(NamedTuple):
    """A picture on the page. png: its name below each of the folders."""

    file: str
    png: str
    score: float
    p_value: float
    abnormal: bool


class Page(NamedTuple):
    """What the page says. asked: lines (what, value). folders: of the PNG files, in order. shown: highest scores first.
    total: pictures with a score. threshold: a line. damaged: (file, reason). size: [H, W] of a picture."""

    title: str
    asked: list[tuple[str, str]]
    folders: tuple[str, ...]
    shown: list[Shown]
    total: int
    threshold: str
    damaged: list[tuple[str, str]]
    size: tuple[int, int]

    def html(self) -> str:
        """The whole document; it loads its pictures as they come into sight, and nothing from elsewhere."""
        title, rows = html.escape(self.title), "".join(f"<tr><th>{a}</th><td>{text(b)}</td></tr>" for a, b in self.asked)
        count = f"{self.total:,} pictures"
        if self.total > len(self.shown):
            count = f"The {len(self.shown):,} highest scores of {count}; scores.csv has all"
        what = ", ".join(ALTS[folder] for folder in self.folders)
        kind = ' class="small"' if max(self.size) <= SIDE else ""
        figures = "\n".join(self._figures())
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body><h1>{title}</h1><table>{rows}</table>"
            f"<p>{count}, the most abnormal first. Of each: the picture {what}.</p>"
            f"<main{kind}>\n{figures}\n</main>{left_out(self.damaged)}</body></html>\n"
        )

    def _figures(self) -> Iterator[str]:
        line = f'<div class="line" id="threshold">{text(self.threshold)}</div>'
        above = True
        for one in self.shown:
            if above and not one.abnormal:
                above = False
                yield line
            yield self._figure(one)
        if above and self.total == len(self.shown):
            yield line

    def _figure(self, one: Shown) -> str:
        height, width = self.size
        sides = f'width="{round(width * SIDE / height)}" height="{SIDE}"'
        pictures = "".join(
            f'<img loading="lazy" decoding="async" {sides} alt="{ALTS[folder]}" src="{url(folder, one.png)}">'
            for folder in self.folders
        )
        numbers = f"score <b>{one.score:.4g}</b>, p {one.p_value:.3g}"
        kind = ' class="abnormal"' if one.abnormal else ""
        return f"<figure{kind}>{pictures}<figcaption>{text(one.file)}<br>{numbers}</figcaption></figure>"
