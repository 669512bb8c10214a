"""A run's network that enlarges pictures, on pictures of any size, kind and depth, within a bound of memory."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from jaxgan.data import bicubic
from jaxgan.data.deep import read
from jaxgan.data.picture import opened, reason
from jaxgan.errors import UserError
from jaxgan.memory import free, resident
from jaxgan.objectives.objective import CRITIC
from jaxgan.plan import Plan
from jaxgan.receptive import radius
from jaxgan.tasks.protocols import Upscales
from jaxgan.tiles import Tiled

BOUND = 10**9  # bytes that may be taken where nobody says
ROOM = 64 * 10**6  # bytes of them for programs, compilation and the file that is written
COPIES = 3  # of a picture that are in memory while it is read
REACH = 2  # pixels that bicubic enlargement looks at, each way


class Upscaler:
    """Enlarges pictures uint8 or uint16 [H, W, C]; C: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.

    The network sees grey as three equal channels, whose results are averaged, and colours one by one where it has one
    channel. Alpha is enlarged bicubically. All is cut into tiles that the bound has room for; no seams come of it, see
    `jaxgan.tiles`.

    Args:
      plan: of a run that `Upscales`. players: its networks, on this host.
      memory: bytes that may be taken, or None: `BOUND`, more where the network looks so far that tiles would be mostly
        overlap, at most what the machine has free.
      whole: whether all that the process has taken already counts among them, on a CPU.

    Raises UserError for a run that does not enlarge.
    """

    def __init__(self, plan: Plan, players: dict[str, Any], memory: int | None = None, whole: bool = False):
        check_upscales(plan)
        self.scale: int = plan.task().scale
        self.channels, made = plan.source_shape[2], plan.image_shape[2]
        if self.channels != made or made not in (1, 3):
            raise UserError(f"pictures of {self.channels} channels become ones of {made} here; grey or RGB can be enlarged")
        upscale = lambda variables, images: plan.task().upscale(variables, images)  # noqa: E731
        self.radius = radius(upscale, players, self.scale, self.channels)
        device = jax.local_devices()[0]
        self._tiled = Tiled(self._levels(upscale), jax.device_put(players, device), self.scale, self.radius)
        self._tiled.need(1, (1, 1, self.channels), np.uint8)  # measured now, so that it counts among what is taken
        self._memory, self._device = memory, device
        self._base = ROOM + (resident() if whole else 0)

    def move(self, players: dict[str, Any]) -> None:
        """Goes on with other weights of the same networks."""
        self._tiled.move(jax.device_put(players, self._device))

    def side(self, pixels: np.ndarray) -> int:
        """The side of a picture's tiles. Raises UserError where the bound has no room for the least."""
        colour = _parted(pixels)[0]
        return self._tiled.side(colour.shape, colour.dtype, self._limit(colour.shape, colour.dtype, COPIES * pixels.nbytes))

    def check(self, height: int, width: int) -> None:
        """Refuses a picture that the bound has no room for, however it is cut. Raises UserError."""
        shape = height, width, 3
        limit = self._limit(shape, np.uint8, COPIES * height * width * 3)
        self._tiled.check(shape, np.uint8, limit)

    def count(self, pixels: np.ndarray, side: int) -> int:
        """How many tiles of this side a picture has."""
        return self._tiled.count(pixels.shape, side)

    def bands(self, pixels: np.ndarray, side: int) -> Iterator[np.ndarray]:
        """The enlarged picture, of the dtype and the channels that it came with, some rows at a time, from the top down.
        side: of its tiles."""
        colour, alpha = _parted(pixels)
        top = 0
        for band in self._tiled.bands(colour, side):
            bottom = top + len(band) // self.scale
            if alpha is not None:
                band = np.concatenate([band, enlarged(alpha, self.scale, top, bottom)], -1)
            yield band
            top = bottom

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """The whole enlarged picture. Raises UserError as `side` does."""
        return np.concatenate([*self.bands(pixels, self.side(pixels))])

    def _limit(self, shape: tuple[int, int, int], dtype: Any, picture: int) -> float:
        """Bytes that tiles of a picture [H, W, C] may take. picture: bytes that the picture takes."""
        stats = self._device.memory_stats() or {}
        on_device = "bytes_limit" in stats
        used = 0 if on_device else self._base + picture
        if self._memory is not None:
            return self._memory - used
        have = stats["bytes_limit"] - stats["bytes_in_use"] if on_device else 0.8 * (free() - picture)
        return min(max(BOUND - used, self._tiled.roomy(shape, dtype)), have)

    def _levels(self, upscale: Callable) -> Callable[[Any, jax.Array], jax.Array]:
        """`upscale` of levels uint8 or uint16 [1, h, w, 1 or 3], to levels of the same dtype."""

        def fn(variables: Any, levels: jax.Array) -> jax.Array:
            half = np.iinfo(levels.dtype).max / 2
            images, given = levels.astype(jnp.float32) / half - 1, levels.shape[-1]
            if given < self.channels:
                images = jnp.repeat(images, self.channels, -1)
            elif given > self.channels:
                images = jnp.moveaxis(images, -1, 0)[..., 0, :, :, None]
            made = upscale(variables, images).astype(jnp.float32)
            if given < self.channels:
                made = made.mean(-1, keepdims=True)
            elif given > self.channels:
                made = jnp.moveaxis(made, 0, -1)[None, ..., 0, :]
            return jnp.clip(jnp.rint((made + 1) * half), 0, 2 * half).astype(levels.dtype)

        return fn


def check_upscales(plan: Plan) -> None:
    """Refuses a run that does not enlarge pictures. Raises UserError."""
    if not plan.can(Upscales) or plan.task().scale < 2:
        raise UserError("--mode=upscale is of runs that enlarge pictures (configs/srgan.py); this one does not")


def makers(plan: Plan, players: dict[str, Any]) -> dict[str, Any]:
    """The players that make pictures."""
    return {player: x for player, x in players.items() if plan.sides.get(player) != CRITIC}


def blended(run: tuple[Plan, dict[str, Any]], base: tuple[Plan, dict[str, Any]], strength: float, where: Path) -> Any:
    """Variables between those of two runs' makers: (1 - strength) base + strength run, as ESRGAN's authors interpolate
    between networks (Wang et al. 2018, section 3.4). where: the base's folder. Raises UserError where networks differ."""
    (plan, own), (other, theirs) = run, base
    check_upscales(other)
    for player in own:
        here, there = ({"scale": p.task().scale, **_fields(p, player)} for p in (plan, other))
        for name in sorted({*here, *there}):
            mine, its = (one.get(name, "none") for one in (here, there))
            if mine != its:
                raise UserError(f"the networks of {where} are not those of this run ({name}: {its}, here {mine})")
    theirs = {player: theirs[player] for player in own}
    if jax.tree.map(jnp.shape, own) != jax.tree.map(jnp.shape, theirs):
        raise UserError(f"the networks of {where} are not those of this run (other arrays)")
    return jax.tree.map(lambda a, b: ((1 - strength) * b + strength * a).astype(a.dtype), own, theirs)


def enlarged(pixels: np.ndarray, k: int, top: int = 0, bottom: int | None = None) -> np.ndarray:
    """Bicubic enlargement, as `data.bicubic` has it, of rows [top, bottom) of pixels uint8 or uint16 [H, W, C]: [k (bottom -
    top), k W, C]."""
    bottom = len(pixels) if bottom is None else bottom
    first = max(top - REACH, 0)
    some = pixels[first : bottom + REACH]
    large = bicubic.resize(some, len(some) * k, some.shape[1] * k)[(top - first) * k : (bottom - first) * k]
    return np.floor(np.clip(large, 0, np.iinfo(pixels.dtype).max) + (0.5 + bicubic.TIE)).astype(pixels.dtype)


def enlarge_any(upscaler: Upscaler, image: Any) -> Any:
    """What `Model.upscale` returns: an array for an array, else a PIL image; for a file with 16 bits a colour, which PIL has
    not, uint16 [H, W, C]. Raises UserError."""
    if isinstance(image, np.ndarray):
        pixels = image[..., None] if image.ndim == 2 else image
        if image.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4 or not image.size:
            raise UserError(f"a picture must be uint8 or uint16 [H, W] or [H, W, 1 to 4], not {image.dtype} {image.shape}")
        made = upscaler(pixels)
        return made[..., 0] if image.ndim == 2 else made
    try:
        if isinstance(image, Image.Image):
            copy = image.copy()  # reading clears what it says of orientation
            pixels = read(lambda: nullcontext(copy)).pixels
        else:
            pixels = read(lambda: opened(Path(image).expanduser())).pixels
    except MemoryError:
        raise
    except Exception as error:  # whatever a decoder raises on damaged bytes
        what = f"'{image}'" if isinstance(image, str | Path) else "the picture"
        raise UserError(f"{what} cannot be read: {reason(error)}") from error
    made = upscaler(pixels)
    made = made[..., 0] if made.shape[2] == 1 else made
    return Image.fromarray(made) if made.dtype == np.uint8 or made.ndim == 2 else made


def _parted(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(colours or grey, alpha or None) of [H, W, C]."""
    return (pixels, None) if pixels.shape[2] % 2 else (pixels[..., :-1], pixels[..., -1:])


def _fields(plan: Plan, player: str) -> dict[str, str]:
    """The fields of a player's networks, {"net.width": "64"}; none of a player that is not trained."""
    networks = plan.nets_of(player) if player in plan.players else {}
    return {f"{net}.{key}": str(x) for net, section in networks.items() for key, x in section.items()}
