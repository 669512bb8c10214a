"""Exported models that come with the package."""

from pathlib import Path

from jaxgan.errors import UserError, as_path, nearest

HERE = Path(__file__).parent


def find(path: str | Path) -> Path:
    """The folder of a model: `path` where there is such a folder, else the shipped model of that name. Raises UserError."""
    folder, shipped = as_path(path), {one.parent.name: one.parent for one in HERE.glob("*/archive.json")}
    if folder.exists():
        return folder
    if str(path) in shipped:
        return shipped[str(path)]
    raise UserError(f"there is no model '{path}': no such folder, and none of that name comes with jaxgan; "
                    f"{nearest(str(path), shipped)}")  # fmt: skip
