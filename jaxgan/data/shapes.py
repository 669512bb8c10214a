"""`shapes`: rendered scenes of one to three coloured objects, everything about them known exactly; a TFDS data set of ours.

For tasks from an outline or a map of classes to a picture, and from a caption to one. Example i of a split is a function of
(split, i), and is the same scene at every side: all that is drawn lies on a grid of 32 by 32 cells or is relative to it.
Nothing is antialiased and no texture leaves its colour, so that `decode` reads the classes of a picture back exactly. A map
of classes does not say which of its two shades a class has, nor its texture: a picture is one of many that fit.

The objects of a scene have different colours: the pixels of a class are one object's. Each shows at least half of itself.
"""

from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from jaxgan.data.digits import png
from jaxgan.data.scene_captions import captions
from jaxgan.data.scenes import CLASSES, COLOURS, COUNTS, KINDS, SPLITS, decode, decode_labels, render, scene

SIDES = (64, 32, 128, 256)


def present(boxes: dict[str, np.ndarray]) -> np.ndarray:
    """Which kinds and colours a scene's objects have, int32 [4 + 6] of 0 and 1, from its feature "boxes"."""
    kinds, colours = (np.isin(np.arange(len(names)), boxes[key]) for key, names in (("kind", KINDS), ("colour", COLOURS)))
    return np.concatenate([kinds, colours]).astype(np.int32)


class Shapes(tfds.core.GeneratorBasedBuilder):
    """Features of a picture of the side S that the configuration names:

    image uint8 [S, S, 3], outline uint8 [S, S, 1], labels uint8 [S, S, 3] and boxes.bbox, as `render` says; boxes.kind and
    boxes.colour, in the order of the objects; label, the number of objects less 1; caption; factors float32 [3, 6], those of
    `Scene`, -1 in the rows of objects that are not there.
    """

    VERSION = tfds.core.Version("1.0.0")
    decoders = {"image": (decode, len(CLASSES)), "labels": (decode_labels, len(CLASSES))}  # see `source.Images.decode`
    texts = {"captions": ("factors", captions)}  # captions of varied wording: the feature, and what makes them of it
    attributes = {"attributes": ("boxes", (*KINDS, *COLOURS), present)}  # label vectors: the feature, names, what makes them
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=str(side), description=f"{side} px a side") for side in SIDES]

    def _info(self):
        side = self._side()
        return tfds.core.DatasetInfo(
            builder=self,
            description="Rendered scenes of one to three coloured objects with outlines, maps of classes and captions.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(side, side, 3)),
                    "outline": tfds.features.Image(shape=(side, side, 1)),
                    "labels": tfds.features.Image(shape=(side, side, 3)),
                    "label": tfds.features.ClassLabel(names=COUNTS),
                    "caption": tfds.features.Text(),
                    "boxes": tfds.features.Sequence(
                        {
                            "bbox": tfds.features.BBoxFeature(),
                            "kind": tfds.features.ClassLabel(names=KINDS),
                            "colour": tfds.features.ClassLabel(names=COLOURS),
                        }
                    ),
                    "factors": tfds.features.Tensor(shape=(len(COUNTS), 6), dtype=np.float32),
                }
            ),
            supervised_keys=("image", "label"),
            disable_shuffling=True,  # example i is scene i
        )

    def _split_generators(self, dl_manager):
        return {split: self._examples(split) for split in SPLITS}

    def _examples(self, split: str) -> Iterator[tuple[int, dict]]:
        for i in range(SPLITS[split]):
            drawn = scene(split, i)
            rendered = render(drawn, self._side())
            factors = np.full((len(COUNTS), 6), -1, np.float32)
            factors[: len(drawn)] = drawn.factors
            objects = [
                {"bbox": box, "kind": int(kind), "colour": int(colour)}
                for box, (kind, colour) in zip(rendered["boxes"], drawn.factors[:, :2])
            ]
            pictures = {name: png(rendered[name]) for name in ("image", "outline", "labels")}
            yield i, pictures | {"label": len(drawn) - 1, "caption": drawn.caption, "boxes": objects, "factors": factors}

    def _generate_examples(self):
        raise NotImplementedError  # `_split_generators` hands out the generators themselves

    def _side(self) -> int:
        assert self.builder_config is not None
        return int(self.builder_config.name)
