"""TFDS's builders by name, TFDS's own and ours: finding one, and preparing its data without waiting in vain.

TFDS takes a second to import, so that only what needs a builder does it.
"""

import importlib.util
import io
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from jaxgan.errors import UserError, as_path, is_reference, lookup, nearest
from jaxgan.records import damage

BUILDERS = {
    "digits": "jaxgan.data.digits:Digits",
    "emoji": "jaxgan.data.emoji:Emoji",
    "shapes": "jaxgan.data.shapes:Shapes",
    "digit_styles": "jaxgan.data.digit_styles:DigitStyles",
}  # our own; importing a builder's class is what makes TFDS know its name
PREPARED = "remove it, and the data are prepared again"  # what to do about a damaged folder of a data set


def find(name: str, folder: str) -> Any:
    """The builder of a data set, its files in TFDS's data folder `folder`, "" for the default. Raises UserError, with the
    nearest that there is."""
    arguments = {"file_format": "array_record", "data_dir": str(as_path(folder)) if folder else None}
    if is_reference(name):
        return lookup({}, name, "data set")(**arguments)
    import tensorflow_datasets as tfds

    own = BUILDERS.get(base(name))
    if own:
        lookup({}, own, "data set")
    try:
        return tfds.builder(name, **arguments)
    except tfds.core.DatasetNotFoundError:
        check_name(name)
        raise
    except Exception as error:
        builder = tfds.builder_cls(base(name))
        known = [*builder.builder_configs, str(builder.VERSION)]
        wanted = name.removeprefix(builder.name)[1:]
        home = data_folder(folder) / builder.name
        if isinstance(error, ValueError | AssertionError) and (wanted or not home.exists()):  # a version or configuration
            raise UserError(f"data set {builder.name} has no '{wanted}'; {nearest(wanted, known)}") from error
        if isinstance(error, ImportError) or not home.exists():
            raise
        raise damage(home, error, PREPARED) from error


def data_folder(folder: str) -> Path:
    """TFDS's data folder `folder`, or its default."""
    from tensorflow_datasets.core import constants

    return as_path(folder or constants.DATA_DIR)


def refuse_hopeless(builder: Any, name: str, folder: str) -> None:
    """Before TFDS downloads for hours what it cannot prepare, or retries for minutes what it cannot reach. Raises
    UserError."""
    root = data_folder(folder)
    if f"{type(builder).__module__}:{type(builder).__name__}" == BUILDERS["emoji"]:  # TFDS would make folders first
        builder.find(root / "downloads" / "manual")
    if not type(builder).__module__.startswith("tensorflow_datasets."):
        return
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(f'preparing TFDS\'s {name} needs TensorFlow, once: pip install -e ".[tfds]"')
    if (root / "downloads").is_dir():  # perhaps all is here
        return
    for url in list(builder.url_infos or ())[:1]:
        if not _reachable(url):
            host = urllib.parse.urlsplit(url).hostname
            raise UserError(
                f"data set {name} must be downloaded, and {host} cannot be reached; prepare it where it can "
                f"and copy it to {builder.data_path}, or take what needs no download: --config.data.name=digits"
            )


def prepare(builder: Any, name: str) -> None:
    """Downloads and prepares it where it is not there. Raises UserError."""
    ours = base(name) in BUILDERS  # and too small for a progress bar
    try:
        with redirect_stdout(io.StringIO()) if ours else nullcontext(), _no_bars() if ours else nullcontext():
            builder.download_and_prepare(file_format="array_record")
    except UserError:
        raise
    except Exception as error:
        if not builder.data_path.exists():  # else another process was faster
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError(f"data set {name} cannot be prepared in {builder.data_path}: {reason[0]}") from error


def stamped(builder: Any) -> tuple[str, list[tuple[str, int, int]]]:
    """A prepared data set's folder, and what changes with its files."""
    home = Path(builder.data_path)
    files = sorted(home.iterdir()) if home.is_dir() else []
    return str(home.resolve()), [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def check_name(name: str, others: Iterable[str] = ()) -> None:
    """Refuses a name that neither TFDS nor this package knows. others: more names to suggest. Raises UserError."""
    if base(name) in BUILDERS:
        return
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    if base(name) not in known:
        raise UserError(f"unknown data set '{name}'; {nearest(name, {*known, *BUILDERS, *others})}")


def is_builder(found: Any) -> bool:
    """Whether an object is a TFDS builder's class."""
    import tensorflow_datasets as tfds

    return isinstance(found, type) and issubclass(found, tfds.core.DatasetBuilder)


def base(name: str) -> str:
    """A data set's name without configuration and version: "lsun" of "lsun/bedroom:3.0.0"."""
    return name.partition("/")[0].partition(":")[0]


def _reachable(url: str) -> bool:
    """Whether a connection to the host, or to the proxy that leads there, opens within five seconds."""
    address = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(address.scheme)
    if proxy and not urllib.request.proxy_bypass(address.hostname or ""):
        address = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    try:
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname or "", port), timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def _no_bars() -> Iterator[None]:
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    try:
        yield
    finally:
        tfds.enable_progress_bar()
