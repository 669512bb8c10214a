"""Which examples a batch holds: a pure function of (seed, position), the same in numpy and inside a jitted step.

Position p counts examples from the start of training. Epoch p // size goes through the data in an order of its own: a
keyed six-round Feistel network permutes the smallest square domain of powers of two above `size`, and walks the cycle
until it lands inside (Black and Rogaway 2002). Nothing is stored, nothing is drawn, and any position is O(1).
"""

import zlib
from typing import Any

import numpy as np

from jaxgan.data.features import MAIN

ROUNDS = 6


def seed_key(seed: int) -> int:
    """A 32-bit key for a run's seed; hashed, so that seeds 0 and 1 share no epoch."""
    return zlib.crc32(f"order/{seed}".encode())


def stream_key(stream: str, key: Any, xp: Any = np) -> Any:
    """The key of a stream's order, from the run's: that one itself for the main stream, others independent of it."""
    if stream == MAIN:
        return key
    own = 0x5BD1E995 if stream == "source" else zlib.crc32(f"stream/{stream}".encode())
    return _mix(xp.asarray(key, xp.uint32)[None] ^ xp.uint32(own), xp)[0]


def example_index(position: Any, size: int, key: Any, xp: Any = np) -> Any:
    """Indices of examples in [0, size), int32, for positions of any shape.

    Args:
      position: uint32 array, numpy's or JAX's; below 2^32 and so at most 4.29 billion images.
      size: number of examples.
      key: of `seed_key`, or a uint32 tracer.
      xp: `numpy`, or `jax.numpy` inside a trace; both give the same bits.
    """
    position = xp.asarray(position, xp.uint32)
    epoch, offset = position // xp.uint32(size), position % xp.uint32(size)
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    keys = [_mix(_mix(epoch ^ xp.uint32(key), xp) + xp.uint32(r), xp) for r in range(ROUNDS)]

    def permute(x):
        left, right = x >> half, x & xp.uint32((1 << half) - 1)
        for k in keys:
            left, right = right, left ^ (_mix(right ^ k, xp) & xp.uint32((1 << half) - 1))
        return (left << half) | right

    def outside(x):
        return x >= xp.uint32(size)

    def walk(x):
        return xp.where(outside(x), permute(x), x)

    index = permute(offset)
    if xp is np:
        while outside(index).any():
            index = walk(index)
    else:
        import jax

        index = jax.lax.while_loop(lambda x: outside(x).any(), walk, index)
    return index.astype(xp.int32)


def coin(position: Any, key: Any, xp: Any = np) -> Any:
    """A fair coin, bool, for each position: whether to mirror the image there. Independent of the order itself."""
    return _mix(_mix(xp.asarray(position, xp.uint32) + xp.uint32(0x9E3779B9), xp) ^ xp.uint32(key), xp) & xp.uint32(1) == 1


def turn(position: Any, key: Any, xp: Any = np) -> Any:
    """A number in [0, 4), int32, for each position: by how many quarters of a circle the image there is turned,
    counterclockwise. Independent of the order, of `coin` and of `places`."""
    bits = _mix(_mix(xp.asarray(position, xp.uint32) + xp.uint32(0x3C6EF372), xp) ^ xp.uint32(key), xp)
    return (bits & xp.uint32(3)).astype(xp.int32)


def choice(position: Any, key: Any, choices: int, xp: Any = np) -> Any:
    """A number in [0, choices), int32, for each position: which of an example's captions is taken there. Independent of the
    order and of the other draws."""
    bits = _mix(_mix(xp.asarray(position, xp.uint32) + xp.uint32(0xDAA66D2B), xp) ^ xp.uint32(key), xp)
    return ((bits >> 16) * xp.uint32(choices) >> 16).astype(xp.int32)


def places(position: Any, key: Any, choices: int, xp: Any = np) -> tuple[Any, Any]:
    """Two numbers in [0, choices), int32, for each position: where to cut a part out of the picture there. Independent of
    the order and of `coin`."""
    bits = _mix(_mix(xp.asarray(position, xp.uint32) + xp.uint32(0x7F4A7C15), xp) ^ xp.uint32(key), xp)
    half = xp.uint32(0xFFFF)
    return tuple(((x & half) * xp.uint32(choices) >> 16).astype(xp.int32) for x in (bits, bits >> 16))  # pyright: ignore


def _mix(x: Any, xp: Any) -> Any:
    """A bijection of uint32 that spreads every bit (the finaliser of MurmurHash3)."""
    x = (x ^ (x >> 16)) * xp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * xp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def positions(step: Any, rounds: int, batch_size: int, rows: Any, xp: Any = np) -> Any:
    """Positions, uint32 [rounds, rows], of the given rows of one step's batches."""
    round = xp.arange(rounds, dtype=xp.uint32)[:, None]
    start = (xp.asarray(step, xp.uint32) * xp.uint32(rounds) + round) * xp.uint32(batch_size)
    return start + xp.asarray(rows, xp.uint32)[None]
