"""What a task may be able to do, protocols by which the rest of the program asks: `plan.can(Generates)`."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax

from jaxgan.tasks.task import Batch


@runtime_checkable
class Generates(Protocol):
    """Makes images. given: the features of the data that it needs besides its random draws: (), ("source",), ("image",)."""

    given: tuple[str, ...]

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """Random inputs, one example for each key of [N]."""
        ...

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1], or points, from {player: flax variables} as after training.

        inputs: what `draw` returns, and the features of `given`: pictures in [-1, 1].
        """
        ...


@runtime_checkable
class HasLatent(Generates, Protocol):
    """Goes from one set of inputs to another."""

    def blend(self, a: dict[str, jax.Array], b: dict[str, jax.Array], t: jax.Array) -> dict[str, jax.Array]:
        """Inputs the share t [N] of the way from a to b."""
        ...


@runtime_checkable
class Truncates(HasLatent, Protocol):
    """Trades variety for likelier latents. truncations: the kinds of `jaxgan.truncation` that it knows."""

    truncations: tuple[str, ...]

    def truncate(self, inputs: dict[str, jax.Array], kind: str, t: Any) -> dict[str, jax.Array]:
        """What `draw` returns, truncated. t: a number or [N]."""
        ...


@runtime_checkable
class Settles(Generates, Protocol):
    """Has networks with BatchNorm, whose statistics can be taken anew."""

    def settle(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> dict[str, Any]:
        """{player: variables} of the players that make images, after a pass over the inputs in training mode."""
        ...


@runtime_checkable
class HasStyles(HasLatent, Protocol):
    """Paints with styles w, one for each layer."""

    num_styles: int

    def styles(self, variables: dict[str, Any], inputs: dict[str, Any], psi: Any = 1.0) -> dict[str, Any]:
        """The inputs with "w" [N, num_styles, w_dim] in the place of z; psi: truncation, a number or [N]."""
        ...

    def paint(self, variables: dict[str, Any], w: jax.Array) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1] of styles w [N, num_styles, w_dim], without noise."""
        ...


@runtime_checkable
class Translates(Generates, Protocol):
    """Makes a picture of one domain from one of another. ways: "ab", from "source" to "image", and perhaps "ba", back;
    `generate` then takes `way`."""

    ways: tuple[str, ...]


@runtime_checkable
class Upscales(Protocol):
    """Enlarges pictures. scale: how many times a side."""

    scale: int

    def upscale(self, variables: dict[str, Any], source: jax.Array) -> jax.Array:
        """Images [N, scale h, scale w, C], about [-1, 1], of sources [N, h, w, C'] of any size in [-1, 1], from {player:
        flax variables} as after training."""
        ...


@runtime_checkable
class Judges(Protocol):
    """Scores images."""

    def judge(self, variables: dict[str, Any], image: jax.Array) -> Any:
        """Logits of images [N, H, W, C] in [-1, 1], or points, from {player: flax variables} as after training."""
        ...


@runtime_checkable
class Predicts(Protocol):
    """Says which class an image is of."""

    def predict(self, variables: dict[str, Any], image: jax.Array) -> jax.Array:
        """Logits [N, K] of images [N, H, W, C] in [-1, 1], from {player: flax variables} as after training."""
        ...


@runtime_checkable
class Detects(Protocol):
    """Says where objects are, and of which class. Boxes: (top, left, bottom, right), the side as unit."""

    def detect(self, variables: dict[str, Any], image: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Boxes [N, M, 4] and each one's score of each class [N, M, K], in [0, 1], of images [N, H, W, C] in [-1, 1], from
        {player: flax variables} as after training."""
        ...

    def objects(self, source: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The true boxes [N, K, 4], and which there are, bool [N, K], of maps of classes [N, H, W, C] in [-1, 1]."""
        ...


class Anomaly(NamedTuple):
    """How abnormal images are. In all of it larger is more abnormal.

    score: [N]. map: [N, H, W], where in the image, or None. reconstruction: the nearest normal images [N, H, W, C] in
    [-1, 1], or None. parts: {name: [N]}, what the score is made of, and scores that others use: "image", "features",
    "latent".
    """

    score: jax.Array
    map: jax.Array | None
    reconstruction: jax.Array | None
    parts: dict[str, jax.Array]


@runtime_checkable
class FindsAnomalies(Protocol):
    """Says how abnormal an image is, having learned from normal ones."""

    def anomalies(self, variables: dict[str, Any], image: jax.Array) -> Anomaly:
        """Of images [N, H, W, C] in [-1, 1], from {player: flax variables} as after training. What it says of one image does
        not depend on the others."""
        ...


class TextCodes(NamedTuple):
    """Of M captions: words [M, T, D], sentence [M, D], and mask bool [M, T], which words are there."""

    words: jax.Array
    sentence: jax.Array
    mask: jax.Array


class ImageCodes(NamedTuple):
    """Of N images: regions [N, R, D], row by row, and whole [N, D], in the space of `TextCodes`."""

    regions: jax.Array
    whole: jax.Array


@runtime_checkable
class Matches(Protocol):
    """Says how well captions fit images."""

    def text_codes(self, variables: dict[str, Any], tokens: jax.Array) -> TextCodes:
        """Of captions int32 [M, T], from {player: flax variables} as after training."""
        ...

    def image_codes(self, variables: dict[str, Any], image: jax.Array) -> ImageCodes:
        """Of images [N, H, W, C] in [-1, 1], from {player: flax variables} as after training."""
        ...


@runtime_checkable
class Attends(Generates, Protocol):
    """Draws captions, and may look at their words."""

    def attention(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array | None]:
        """`generate`'s images, and how much places of the picture looked at words, [N, h, w, T], 1 in total at each place;
        None of a network that looks at no words."""
        ...


@runtime_checkable
class Describes(Protocol):
    """Has features of images."""

    def features(self, variables: Any, image: jax.Array) -> jax.Array:
        """Features [N, D] of images [N, H, W, C] in [-1, 1], differentiable."""
        ...


@runtime_checkable
class Shows(Protocol):
    """Has a sample picture of its own."""

    def show(self, variables: dict[str, Any], examples: Batch) -> dict[str, jax.Array]:
        """Columns of the sample picture, {title: images [N, H, W, C] in [-1, 1]}, for some examples of the data."""
        ...


def methods_of(protocol: Any) -> list[str]:
    """What a protocol asks for, by name."""
    named = {name for cls in protocol.__mro__ for name in (*vars(cls), *getattr(cls, "__annotations__", {}))}
    return sorted(name for name in named if not name.startswith("_"))


PROTOCOLS: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        Generates,
        HasLatent,
        Truncates,
        Settles,
        HasStyles,
        Translates,
        Upscales,
        Judges,
        Predicts,
        Detects,
        FindsAnomalies,
        Matches,
        Attends,
        Describes,
        Shows,
    )
}
