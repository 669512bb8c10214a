"""python -m jaxgan.ablation.gallery results/: writes results/index.html, one page of all results below a folder."""

import argparse
import sys
from pathlib import Path

from jaxgan.ablation.gallery.page import page
from jaxgan.ablation.gallery.reading import groups_of
from jaxgan.errors import UserError
from jaxgan.files import write_text


def main(words: list[str] | None = None) -> int:
    """The command. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jaxgan.ablation.gallery",
        description="Writes index.html into a folder of results: its tables, claims, pictures and commands on one page.",
    )
    parser.add_argument("path", type=Path, help="a folder with a README.md, and a folder for each result, as results/ is")
    path = parser.parse_args(words).path
    try:
        write_text(path / "index.html", page(groups_of(path)))
    except UserError as error:
        print(f"gallery: {error}", file=sys.stderr)
        return 2
    print(path / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
