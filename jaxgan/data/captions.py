"""Captions beside pictures: the feature "tokens", one row of word numbers for each caption of an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxgan.config.schema import bounded
from jaxgan.console import say
from jaxgan.data.features import Feature
from jaxgan.data.groups import groups_of
from jaxgan.data.words import encode, unknown, vocabulary, words_of
from jaxgan.errors import UserError

SIDES = {"left", "right"}  # words that a mirrored picture makes untrue
Texts = list[tuple[str, ...]]  # of each example its captions


@dataclass(frozen=True)
class Captioned:
    """Of data with captions. An example may have several, of which training takes one at random and scores the first.

    captions: the feature with the captions; empty: none are read.
    words: how many of a caption count; the rest of a longer one is cut off.
    vocabulary_split: the split whose words are the vocabulary, of any split that is read; other words count as unknown.
    """

    captions: str = ""
    words: int = bounded(18, least=1, below=1025)
    vocabulary_split: str = "train"


class WithTokens:
    """Examples with "tokens" int32 [K, T], the numbers of the words of K captions."""

    def __init__(self, examples: Any, tokens: np.ndarray):
        self.examples, self.tokens = examples, tokens

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {**self.examples[i], "tokens": self.tokens[i]}

    def all_labels(self) -> np.ndarray:
        return self.examples.all_labels()

    def all_groups(self) -> np.ndarray | None:
        return groups_of(self.examples)


def with_tokens(
    examples: Any, texts: Texts, words_from: Texts, length: int, name: str, flip: bool = False
) -> tuple[WithTokens, Feature]:
    """Examples with their captions as tokens, and the feature. texts: of the examples, in their order; words_from: of the
    examples whose words are the vocabulary. Fewer captions than another example has come again from the first.

    Says how many captions are cut off, and how many words are unknown. Raises UserError for an example without a caption,
    and for captions that mirroring would make untrue.
    """
    empty = [i for i, own in enumerate(texts) if not any(map(words_of, own))]
    if empty:
        raise UserError(
            f"{name}: {len(empty)} of {len(texts)} examples have no caption, the first of them number {empty[0]}"
        )
    known = vocabulary(caption for own in words_from for caption in own)
    if flip and SIDES & {*known}:
        side = min(SIDES & {*known})
        raise UserError(f"a mirrored picture makes captions with '{side}' untrue; --config.data.flip=false")
    texts = [tuple(caption for caption in own if words_of(caption)) for own in texts]
    choices = max(map(len, texts), default=1)
    rows = [caption for own in texts for caption in (own * choices)[:choices]]
    _say_what_is_lost(texts, known, length, name)
    tokens = encode(rows, known, length).reshape(len(texts), choices, length)
    return WithTokens(examples, tokens), Feature("tokens", (length,), np.int32, len(known), names=known, choices=choices)


def _say_what_is_lost(texts: Texts, known: Sequence[str], length: int, name: str) -> None:
    every = [caption for own in texts for caption in own]
    longest = max(map(len, map(words_of, every)), default=0)
    if longest > length:
        cut = sum(len(words_of(caption)) > length for caption in every)
        say(f"{name}: {cut:,} of {len(every):,} captions have more than {length} words, and the rest of them is cut off; "
            f"the longest has {longest} (--config.data.words={longest})")  # fmt: skip
    if lost := unknown(every, known):
        word, times = lost.most_common(1)[0]
        say(
            f"{name}: {lost.total():,} words are not in the vocabulary and count as unknown, most often '{word}' ({times:,})"
        )
