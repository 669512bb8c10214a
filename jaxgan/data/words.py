"""Captions as rows of word numbers: how text is cut into words, and which words a data set has."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

PAD, UNKNOWN = 0, 1  # of no word; of a word that the vocabulary lacks
NOT_WORDS = ("", "<unknown>")  # their places in a vocabulary
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text in small letters. Letters and digits make a word, and apostrophes and hyphens between them."""
    return _WORD.findall(text.lower())


def vocabulary(captions: Iterable[str]) -> tuple[str, ...]:
    """`NOT_WORDS`, then every word of the captions, in the order of the alphabet."""
    return (*NOT_WORDS, *sorted({word for caption in captions for word in words_of(caption)}))


def encode(captions: Sequence[str], known: Sequence[str], length: int) -> np.ndarray:
    """Word numbers int32 [N, length] of captions; `PAD` behind the last word, and what is longer is cut off. known: a
    vocabulary."""
    numbers = {word: i for i, word in enumerate(known) if i >= len(NOT_WORDS)}
    out = np.full((len(captions), length), PAD, np.int32)
    for row, caption in zip(out, captions):
        own = [numbers.get(word, UNKNOWN) for word in words_of(caption)[:length]]
        row[: len(own)] = own
    return out


def decode(tokens: Iterable[int], known: Sequence[str]) -> str:
    """The words of one row of `encode`, with spaces between."""
    return " ".join(known[int(i)] for i in tokens if i != PAD)


def unknown(captions: Iterable[str], known: Iterable[str]) -> Counter[str]:
    """How often captions have words that a vocabulary lacks."""
    there = set(known)
    return Counter(word for caption in captions for word in words_of(caption) if word not in there)
