"""DAMSM: two encoders that learn which caption belongs to which picture (Xu et al. 2018, section 3.2).

It generates nothing. AttnGAN and DF-GAN take its text encoder, AttnGAN's generator is taught by its losses, and another one,
trained from another seed, judges the pictures.
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.config.schema import bounded
from jaxgan.data.features import Feature
from jaxgan.data.words import PAD
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.layers import wide
from jaxgan.nets.matching import IMAGE_ENCODERS, TEXT_ENCODERS
from jaxgan.objectives import matching
from jaxgan.objectives.context import Facts
from jaxgan.objectives.matching import Gammas
from jaxgan.state import Aux, GanState
from jaxgan.tasks import networks
from jaxgan.tasks.protocols import ImageCodes, TextCodes
from jaxgan.tasks.task import BaseTask, Batch

NETWORKS = ("text", "image")


@dataclass(frozen=True, kw_only=True)
class Damsm(BaseTask):
    """dims: entries of a code; even.
    gamma1: how sharply a word looks at regions. gamma2: how much the words that fit best count. gamma3: by what scores are
      multiplied in the loss. The defaults are the authors'.
    mask_equal: whether pictures of equal captions in a batch are left out of each other's mistakes.
    """

    text: nn.Module
    image: nn.Module
    image_shape: tuple[int, int, int]
    tokens: Feature | None
    dtype: Any
    dims: int = bounded(256, least=2)
    gamma1: float = bounded(4.0)
    gamma2: float = bounded(5.0)
    gamma3: float = bounded(10.0)
    mask_equal: bool = True

    nets = {"text": TEXT_ENCODERS, "image": IMAGE_ENCODERS}
    players = {"match": {name: name for name in NETWORKS}}
    averaged = ("match",)
    tiny = {"dims": 4}

    def check(self, facts: Facts) -> None:
        """Refuses data without captions, points, and codes that two directions cannot share. Raises UserError."""
        if len(self.image_shape) != 3:
            raise UserError("task.name=damsm is of pictures, and these data are points")
        if self.dims % 2:
            raise UserError(f"task.dims={self.dims} is odd, and each direction of the text encoder has half of it")
        if facts.opened and self.tokens is None:
            raise UserError("task.name=damsm learns captions, and the data have none; --config.data.captions=FEATURE")

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{"match": flax variables of both encoders}."""
        length = self.tokens.shape if self.tokens else (1,)
        made = {
            "text": networks.init(self.text, rng, "text", jnp.zeros((2, *length), jnp.int32), train=False),
            "image": networks.init(
                self.image, rng, "image", jnp.zeros((2, *self.image_shape), wide(self.dtype)), train=False
            ),
        }
        return {"match": networks.joined(made)}

    def loss(self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Any) -> tuple[jax.Array, Aux]:
        """The word and the sentence losses of the global batch (equation 15)."""
        variables, after, found = state.variables("match"), {}, {}
        for net in NETWORKS:
            x = batch["tokens" if net == "text" else "image"]
            roles = lambda role, net=net: keys(f"{net}/{role}")  # noqa: E731
            own = networks.part(variables, net)
            found[net], after[net] = networks.run(getattr(self, net), own, x, train=True, keys=roles)
        tokens, *codes = jax.tree.map(parallel.gather, (batch["tokens"], *found["text"], *found["image"]))
        words, sentence, regions, whole = codes
        text, image = TextCodes(words, sentence, tokens != PAD), ImageCodes(regions, whole)
        excluded = matching.no_mistakes(tokens, self.mask_equal)
        of_words, of_sentences, scores = self.losses(text, image, excluded)
        metrics = {
            "match/loss": of_words + of_sentences,
            "match/words": of_words,
            "match/sentences": of_sentences,
            "match/right": jnp.mean(jnp.argmax(jnp.where(excluded, -jnp.inf, scores), 1) == jnp.arange(len(tokens))),
        }
        return of_words + of_sentences, Aux(metrics, {"match": networks.joined(after)})

    def losses(self, text: TextCodes, image: ImageCodes, excluded: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """(The loss of words, that of sentences, the sentences' scores [N, N]) of pictures and their captions. excluded: see
        `matching.contrast`."""
        gammas = Gammas(self.gamma1, self.gamma2, self.gamma3)
        words = matching.word_scores(text.words, text.mask, image.regions, gammas)
        sentences = matching.cosine(image.whole[:, None], text.sentence[None])
        of_words, of_sentences = (matching.contrast(gammas.loss * x, excluded) for x in (words, sentences))
        return of_words, of_sentences, sentences

    def text_codes(self, variables: dict[str, Any], tokens: jax.Array) -> TextCodes:
        """Of captions int32 [M, T], from {"match": variables} as after training."""
        words, sentence = networks.run(self.text, networks.part(variables["match"], "text"), tokens, train=False)[0]
        return TextCodes(words, sentence, tokens != PAD)

    def image_codes(self, variables: dict[str, Any], image: jax.Array) -> ImageCodes:
        """Of images [N, H, W, C] in [-1, 1], from {"match": variables} as after training."""
        return ImageCodes(*networks.run(self.image, networks.part(variables["match"], "image"), image, train=False)[0])
