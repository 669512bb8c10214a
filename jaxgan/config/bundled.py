"""The configs that come with the package, wherever it is installed."""

import sys
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).resolve().parents[1]
# In a wheel they lie inside of the package, in a checkout beside it.
CONFIGS = next((path for path in (_PACKAGE / "configs", _PACKAGE.parent / "configs") if path.is_dir()), _PACKAGE / "configs")


def find(name: str) -> Path | None:
    """The file behind "configs/wgan.py": from the current folder, or else the bundled one; None if there is neither."""
    path = Path(name)
    if path.is_file():
        return path
    bundled = CONFIGS.joinpath(*path.parts[1:]) if path.parts[:1] == ("configs",) else path
    return bundled if bundled.is_file() else None


def make_importable() -> None:
    """Lets config files say `from configs import default`, from any folder.

    Files of a folder `configs` in the current folder come before the bundled ones of the same name.
    """
    if "configs" not in sys.modules:
        package = ModuleType("configs", "Experiments, one file each.")
        own = Path.cwd() / "configs"
        package.__path__ = list(dict.fromkeys(str(path.resolve()) for path in (own, CONFIGS) if path.is_dir()))
        sys.modules["configs"] = package
