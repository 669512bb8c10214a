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
    unseen: words that follow each other, "red circle,blue cross"; no example with one of these in any caption is trained on.
      Splits that scores read keep them.
    """

    captions: str = ""
    words: int = bounded(18, least=1, below=1025)
    vocabulary_split: str = "train"
    unseen: tuple[str, ...] = ()

    def __post_init__(self):
        post = getattr(super(), "__post_init__", None)  # of what it is mixed with
        if post:
            post()
        if self.unseen and not self.captions:
            raise UserError("data.unseen is of captions, and data.captions names none")

    @property
    def told_unseen(self) -> str:
        """What the name of a data set says of the examples that are left out."""
        return f", without {' and '.join(map(repr, self.unseen))}" if self.unseen else ""


def has_words(texts: Texts, phrases: Sequence[str]) -> np.ndarray:
    """Which examples have one of these phrases, words that follow each other, in any of their captions: bool [N]."""
    wanted = [f" {' '.join(words_of(phrase))} " for phrase in phrases]
    every = ([f" {' '.join(words_of(caption))} " for caption in own] for own in texts)
    return np.array([any(phrase in caption for caption in own for phrase in wanted) for own in every], bool)


class WithTokens:
    """Examples number `index` of others, with "tokens" int32 [K, T], the numbers of the words of K captions."""

    def __init__(self, examples: Any, tokens: np.ndarray, index: np.ndarray):
        self.examples, self.tokens, self.index = examples, tokens, index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {**self.examples[int(self.index[i])], "tokens": self.tokens[i]}

    def all_labels(self) -> np.ndarray:
        return self.examples.all_labels()[self.index]

    def all_groups(self) -> np.ndarray | None:
        groups = groups_of(self.examples)
        return None if groups is None else groups[self.index]


def with_tokens(
    examples: Any,
    texts: Texts,
    words_from: Texts,
    length: int,
    name: str,
    flip: bool = False,
    unseen: Sequence[str] = (),
) -> tuple[WithTokens, Feature]:
    """Examples with their captions as tokens, and the feature. texts: of the examples, in their order; words_from: of the
    examples whose words are the vocabulary. unseen: phrases whose examples are left out. Fewer captions than another example
    has come again from the first.

    Says how many captions are cut off, and how many words are unknown. Raises UserError for an example without a caption,
    for captions that mirroring would make untrue, and where `unseen` leaves nothing or everything.
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
    index = np.arange(len(texts))
    if unseen:
        index = np.flatnonzero(~has_words(texts, unseen))
        say(f"{name}: {len(texts) - len(index):,} of {len(texts):,} examples have words of data.unseen and are left out")
        if len(index) in (0, len(texts)):
            what = "every example has" if not len(index) else "no example has"
            raise UserError(f"{name}: {what} one of {', '.join(unseen)}, the words of data.unseen, in a caption")
    texts = [tuple(caption for caption in texts[i] if words_of(caption)) for i in index]
    choices = max(map(len, texts), default=1)
    rows = [caption for own in texts for caption in (own * choices)[:choices]]
    _say_what_is_lost(texts, known, length, name)
    tokens = encode(rows, known, length).reshape(len(texts), choices, length)
    return WithTokens(examples, tokens, index), Feature(
        "tokens", (length,), np.int32, len(known), names=known, choices=choices
    )


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
