"""Config files: finding one, running it, and calling its functions."""

import difflib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import ml_collections

from jaxgan.config import bundled
from jaxgan.config.bundled import CONFIGS
from jaxgan.errors import UserError, described, nearest

Config = Any  # an ml_collections.ConfigDict, whose attributes no type checker knows


def load_config(spec: str) -> Config:
    """`get_config` of a file, "configs/wgan.py" or "configs/wgan.py:clip". Raises UserError; see `call`."""
    config = call_file(spec, "get_config")
    if not isinstance(config, ml_collections.ConfigDict):
        raise UserError(
            f"{spec}: get_config must return a ConfigDict, such as configs/default.py's, not {type(config).__name__}"
        )
    return config


def call_file(spec: str, function: str) -> Any:
    """What a function of a config file returns, of "configs/wgan.py" or "configs/wgan.py:clip"; the part behind the colon is
    its variant, the function's argument.

    A file names its variants in `VARIANTS`, the default first. Raises UserError for an unknown file, variant or function.
    """
    name, _, variant = spec.partition(":")
    module = _module(name)
    variants = tuple(filter(None, getattr(module, "VARIANTS", ())))
    if variant and variant not in variants:
        hint = nearest(variant, variants) if variants else "it has none"
        raise UserError(f"{name} has no variant '{variant}'; {hint}")
    if not hasattr(module, function):
        raise UserError(f"{name} has no {function}()" + (", which makes an ablation's table" if function == "table" else ""))
    try:
        return getattr(module, function)(*([variant or variants[0]] if variants else []))
    except (AttributeError, KeyError) as error:  # a section misspelt; ml_collections' message names the nearest
        raise UserError(f"{name}: {error}") from error
    except Exception as error:
        raise UserError(described(error)) from error


def variants_of(name: str) -> tuple[str, ...]:
    """A config file's variants, the default first; none where it has none. Raises UserError."""
    return tuple(filter(None, getattr(_module(name), "VARIANTS", ())))


def _module(name: str) -> Any:
    path = check_file(name)
    bundled.make_importable()
    module_spec = importlib.util.spec_from_file_location(f"_config_{path.stem}", path)
    if module_spec is None or module_spec.loader is None:
        raise UserError(f"'{name}' is no Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    try:
        module_spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(described(error)) from error
    return module


def check_file(name: str) -> Path:
    """The path of a config file. Raises UserError, naming the nearest, where there is none."""
    path, found = Path(name), bundled.find(name)
    if found:
        return found
    own = path.parent.glob("*.py")
    other = "spaces" if path.parent.name == "spaces" else "ablations"  # a space is no config
    bundles = (("configs" / p.relative_to(CONFIGS)) for p in (*CONFIGS.glob("*.py"), *CONFIGS.glob(f"{other}/*.py")))
    known = [str(p) for p in (*sorted(own), *sorted(bundles)) if p.stem != "__init__"]
    # The nearest name; of several the one whose folder is the nearest, and before all the person's own.
    close = difflib.get_close_matches(path.stem, {Path(one).stem for one in known}, n=1)
    alike = [one for one in known if [Path(one).stem] == close]
    hint = f"did you mean '{max(alike, key=lambda one: _likeness(one, name))}'?" if alike else nearest(name, known)
    raise UserError(f"no config file '{name}'; {hint}")


def _likeness(known: str, name: str) -> float:
    return difflib.SequenceMatcher(None, str(Path(known).parent), str(Path(name).parent)).ratio()
