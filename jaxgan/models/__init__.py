"""Exported models that come with the package."""

from pathlib import Path

from jaxgan.errors import UserError, as_path, nearest

HERE = Path(__file__).parent


def shipped() -> dict[str, Path]:
    """{name: folder} of the models that come with the package."""
    return {one.parent.name: one.parent for one in sorted(HERE.glob("*/archive.json"))}


def find(path: str | Path) -> Path:
    """The folder of a model: `path` where there is such a folder, else the shipped model of that name. Raises UserError."""
    folder = as_path(path)
    if not folder.exists() and str(path) not in shipped():
        raise UserError(
            f"there is no model '{path}': no such folder, and none of that name comes with jaxgan; "
            f"{nearest(str(path), shipped())}"
        )
    return folder if folder.exists() else shipped()[str(path)]
