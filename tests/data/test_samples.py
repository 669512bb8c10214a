"""Generated pictures as a data set: files, records and folders as --mode=sample writes them."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.sample_records import write_samples
from jaxgan.data.samples import Samples
from jaxgan.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 2, 0, 0], np.int32)
ATTRIBUTES = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 0], [1, 1]], np.int32)


def npz(path, **arrays) -> str:
    np.savez(path, **arrays)
    return str(path)


def folder(path, labels=LABELS, names=None) -> str:
    path.mkdir()
    rows = ["file,seed,label" if labels is not None else "file,seed"]
    for i, image in enumerate(IMAGES):
        name = f"seed{9 - i:08d}.png"  # not in the order of the names
        Image.fromarray(image[..., 0]).save(path / name)
        rows.append(f"{name},{9 - i}" + (f",{' '.join(map(str, np.ravel(labels[i])))}" if labels is not None else ""))
    (path / "samples.csv").write_text("\n".join(rows) + "\n")
    return str(path)


def records(path, **beside) -> str:
    write_samples(path, ({"image": image, **{name: x[i] for name, x in beside.items()}} for i, image in enumerate(IMAGES)))
    return str(path)


def test_a_file_records_and_a_folder_are_the_same_set(tmp_path):
    file = npz(tmp_path / "s.npz", images=IMAGES, labels=LABELS, seeds=np.arange(6, dtype=np.uint32), step=np.array(3))
    recorded = records(tmp_path / "s.array_record", label=LABELS, seed=np.arange(6, dtype=np.uint32))
    for source in (file, recorded, folder(tmp_path / "s")):
        images = Samples(dir=source).open()
        found = images.load()
        np.testing.assert_array_equal(found["image"], IMAGES)
        np.testing.assert_array_equal(found["label"], LABELS)
        assert images.num_classes == 3 and images.digest and images.resident
        np.testing.assert_array_equal(images.examples.all_labels(), LABELS)
        first = Samples(dir=source, num=4, classes=10).open()
        assert len(first) == 4 and first.num_classes == 10 and first.digest != images.digest


def test_samples_without_labels(tmp_path):
    file, recorded = npz(tmp_path / "s.npz", images=IMAGES), records(tmp_path / "s.array_record")
    for source in (file, recorded, folder(tmp_path / "s", labels=None)):
        images = Samples(dir=source).open()
        assert images.num_classes == 0 and set(images.load()) == {"image"}


def test_samples_with_attributes(tmp_path):
    file = npz(tmp_path / "s.npz", images=IMAGES, labels=ATTRIBUTES)
    recorded = records(tmp_path / "s.array_record", label=ATTRIBUTES)
    for source in (file, recorded, folder(tmp_path / "s", labels=ATTRIBUTES)):
        images = Samples(dir=source).open()
        np.testing.assert_array_equal(images.load()["label"], ATTRIBUTES)
        assert images.features["label"].shape == (2,) and images.num_classes == 2


@pytest.mark.parametrize(
    ("arrays", "fields", "message"),
    [
        ({"pictures": IMAGES}, {}, "has no array 'images', but pictures"),
        ({"images": IMAGES.astype(float)}, {}, "must hold uint8 images .* not float64"),
        ({"images": IMAGES, "labels": LABELS[:3]}, {}, "a whole number as the label of each image, .* not int32"),
        ({"images": IMAGES, "labels": LABELS / 2}, {}, "a whole number as the label of each image, .* not float64"),
        ({"images": IMAGES, "labels": LABELS - 1}, {}, "has labels from -1 to 1, and labels begin at 0"),
        ({"images": IMAGES, "labels": LABELS}, {"classes": 2}, "has labels from 0 to 2, and data.classes=2"),
        ({"images": IMAGES, "labels": ATTRIBUTES}, {"classes": 3}, "has 2 attributes .* and data.classes=3"),
        (
            {"images": IMAGES, "labels": 2 * ATTRIBUTES},
            {},
            "has 2 attributes .* 0 or 1, and values from 0 to 2",
        ),
        ({"images": IMAGES}, {"num": 7}, "data.num=7, but .* has 6 samples"),
        ({"images": IMAGES}, {"real": 0.5}, "data.real is of samples that a run makes: --config.data.workdir=RUN"),
        ({"images": IMAGES}, {"workdir": "runs/gan"}, "one of the two"),
    ],
)
def test_files_that_are_none(arrays, fields, message, tmp_path):
    with pytest.raises(UserError, match=message):
        Samples(dir=npz(tmp_path / "s.npz", **arrays), **fields).open()


def test_places_without_samples(tmp_path):
    npz(tmp_path / "samples.npz", images=IMAGES)
    with pytest.raises(UserError, match="did you mean '.*samples.npz'"):
        Samples(dir=str(tmp_path / "sample.npz")).open()
    with pytest.raises(UserError, match="say where the samples are"):
        Samples().open()
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match="has no samples.csv, .*image_folder"):
        Samples(dir=str(tmp_path / "bare")).open()
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes((tmp_path / "samples.npz").read_bytes()[:300])
    with pytest.raises(UserError, match="is no npz file of samples"):
        Samples(dir=str(damaged)).open()
    torn = tmp_path / "torn.array_record"
    torn.write_bytes(b"nothing")
    with pytest.raises(UserError, match="torn.array_record"):
        Samples(dir=str(torn)).open()
    known = tmp_path / "known"
    folder(known)
    (known / "seed00000009.png").unlink()
    with pytest.raises(UserError, match="seed00000009.png', which samples.csv names, cannot be read"):
        Samples(dir=str(known)).open()
    (known / "samples.csv").write_text("file,seed,label\nseed00000008.png,8,three\n")
    with pytest.raises(UserError, match="columns file, seed and label, with whole numbers"):
        Samples(dir=str(known)).open()
