"""The networks of a player: making their variables, running them, and taking a player's variables apart.

A player of one network holds flax variables, {"params": ..., "batch_stats": ...}. A player of several holds each network's
part in every collection, {"params": {"enc": ..., "dec": ...}, ...}.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from jaxgan.keys import role_id
from jaxgan.nets.layers import wide

Variables = dict[str, Any]
FIXED = ("params", "spectral")  # collections that a network's call leaves alone: the step moves both
INDICES = {"disc": 0, "gen": 1, "a": 0, "b": 1, "ab": 2, "ba": 3}  # of keys that networks had before they had names


def init(net: nn.Module, rng: jax.Array, name: str, *inputs: Any, **named: Any) -> Variables:
    """New variables of a network, float32 or, in a float64 run, float64.

    rng: the key that `Task.init` is given. name: of the network; each name has a key of its own. inputs, named: of its call.
    """
    key = jax.random.fold_in(rng, INDICES.get(name, role_id(name)))
    dtype = wide(getattr(net, "dtype", None) or "float32")
    made = {"params": {}, **net.init(key, *inputs, **named)}  # flax leaves out what a network has none of
    return jax.tree.map(lambda x: x.astype(dtype), made)  # flax has statistics in float32 alone


def run(net: nn.Module, variables: Variables, *inputs: Any, train: bool, **named: Any) -> tuple[Any, Variables]:
    """(what a network returns, its collections afterwards); all but params. train: running statistics move."""
    mutable = [name for name in variables if name not in FIXED] if train else []
    out, changed = net.apply(variables, *inputs, train=train, mutable=mutable, **named)
    return out, {name: changed.get(name, x) for name, x in variables.items() if name != "params"}  # pyright: ignore


def part(variables: Variables, network: str) -> Variables:
    """One network's variables of a player that has several."""
    return {collection: tree[network] for collection, tree in variables.items() if network in tree}


def joined(parts: Mapping[str, Variables]) -> Variables:
    """A player's variables from its networks'; the inverse of `part`."""
    collections = dict.fromkeys(name for own in parts.values() for name in own)
    return {name: {network: own[name] for network, own in parts.items() if name in own} for name in collections}


def scale_of(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many times as large as a source an image is, a side, rounded down; 1 where nothing is translated. shapes:
    "image_shape" and perhaps "source_shape", [H, W, C]."""
    (image, *_), (source, *_) = shapes["image_shape"], shapes.get("source_shape", shapes["image_shape"])
    return max(1, image // source)
