"""Captions that a person types, as numbers of the words that a run knows."""

from collections.abc import Sequence

import numpy as np

from jaxgan.console import say
from jaxgan.data.words import NOT_WORDS, encode, words_of
from jaxgan.errors import UserError, nearest
from jaxgan.plan import Plan


def prompts_for(plan: Plan, prompt: str | Sequence[str], count: int) -> np.ndarray:
    """`prompt_tokens` of so many pictures, of which all have one prompt, or each its own. Raises UserError."""
    tokens = prompt_tokens(plan, [prompt] if isinstance(prompt, str) else prompt)
    if len(tokens) not in (1, count):
        raise UserError(f"prompt is a text, or one for each of the {count} pictures, not {len(tokens)}")
    return np.broadcast_to(tokens, (count, tokens.shape[1]))


def prompt_tokens(plan: Plan, prompts: Sequence[str]) -> np.ndarray:
    """int32 [N, T] of N prompts. Says which of their words are unknown. Raises UserError for a run that is told no captions,
    and for a prompt that is empty, too long, or has no known word."""
    feature = plan.features["tokens"] if "tokens" in plan.given else None
    if feature is None:
        raise UserError("a prompt is of runs that draw captions (configs/dfgan.py), and this run is told none")
    known, (length,) = feature.names[len(NOT_WORDS) :], feature.shape
    for prompt in prompts:
        words = words_of(prompt)
        lost = [word for word in words if word not in known]
        if not words:
            raise UserError(
                f"a prompt says what to draw, and '{prompt}' has no word; this run knows {known[0]}, {known[1]}, ..."
            )
        short = prompt if len(prompt) < 60 else f"{prompt[:57]}..."
        if len(words) > length:
            raise UserError(f"the prompt '{short}' has {len(words)} words, and this run reads {length}")
        if len(lost) == len(words):
            raise UserError(f"this run knows no word of the prompt '{short}'; {nearest(lost[0], known)}")
        for word in lost:
            say(f"the word '{word}' is unknown to this run; {nearest(word, known)}")
    return encode(prompts, feature.names, length)
