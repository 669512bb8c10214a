"""`emoji`: Google's Noto emoji in colour, 64x64 over white, from the npm package emoji-datasource-google (Apache-2.0).

1,911 pictures; as `emoji/skin_tones`, 3,786 with their variants of skin tone. Nine in ten are the split `train`, the others
`test`, chosen once by a fixed permutation; variants are where their emoji is. The archive is put into TFDS's folder for
manual downloads by hand, once, and prepared without TensorFlow.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from jaxgan.data.picture import opened
from jaxgan.errors import UserError

ARCHIVE = "emoji-datasource-google-16.0.0.tgz"
DIGEST = "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438"
CATEGORIES = (
    "Activities",
    "Animals & Nature",
    "Component",
    "Flags",
    "Food & Drink",
    "Objects",
    "People & Body",
    "Smileys & Emotion",
    "Symbols",
    "Travel & Places",
)
TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}


class Emoji(tfds.core.GeneratorBasedBuilder):
    """Features: image uint8 [64, 64, 3], label (the category), caption (the name, "grinning face"), subcategory."""

    VERSION = tfds.core.Version("16.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="base", description="one picture an emoji"),
        tfds.core.BuilderConfig(name="skin_tones", description="with the variants of skin tone"),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"npm pack emoji-datasource-google@16.0.0 writes {ARCHIVE}; put it there"

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Noto emoji of the npm package emoji-datasource-google (Apache-2.0), over white.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(64, 64, 3)),
                    "label": tfds.features.ClassLabel(names=CATEGORIES),
                    "caption": tfds.features.Text(),
                    "subcategory": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://github.com/iamcal/emoji-data",
        )

    def find(self, folder: Path) -> Path:
        """The archive in TFDS's folder for manual downloads. Raises UserError where it is not there, or is another file."""
        archive = folder / ARCHIVE
        if not archive.exists():
            raise UserError(f"the data set emoji needs {archive}: {self.MANUAL_DOWNLOAD_INSTRUCTIONS}")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != DIGEST:
            raise UserError(f"{archive} is not the file that npm serves; {self.MANUAL_DOWNLOAD_INSTRUCTIONS}")
        return archive

    def _split_generators(self, dl_manager):
        with tarfile.open(self.find(Path(dl_manager.manual_dir))) as tar:
            members = [member for member in tar if member.name.startswith(("package/img/google/64/", "package/emoji.json"))]
            files = {member.name: tar.extractfile(member).read() for member in members}  # pyright: ignore
        entries = sorted(json.loads(files["package/emoji.json"]), key=lambda entry: entry["unified"])
        is_test = np.random.default_rng(64).permutation(len(entries)) < len(entries) // 10
        return {
            split: self._examples(files, [entry for entry, test in zip(entries, is_test) if test == (split == "test")])
            for split in ("train", "test")
        }

    def _examples(self, files: dict[str, bytes], entries: list[dict]) -> Iterator[tuple[str, dict]]:
        has_tones = self.builder_config is not None and self.builder_config.name == "skin_tones"
        for entry in entries:
            variants = entry.get("skin_variations", {}) if has_tones else {}
            for tones, own in {"": entry, **variants}.items():
                named = [f"{TONES[tone]} skin tone" for tone in tones.split("-") if tone]
                yield (
                    own["unified"],
                    {
                        "image": _over_white(files[f"package/img/google/64/{own['image']}"]),
                        "label": entry["category"],
                        "caption": ", ".join([entry["name"].lower(), *named]),
                        "subcategory": entry["subcategory"],
                    },
                )

    def _generate_examples(self):
        raise NotImplementedError  # `_split_generators` hands out the generators themselves


def _over_white(png: bytes) -> io.BytesIO:
    out = io.BytesIO()
    with opened(io.BytesIO(png)) as image:
        Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB").save(out, "PNG")
    out.seek(0)
    return out
