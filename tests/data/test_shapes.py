"""The scenes of `shapes`: the same at every side, decoded exactly, and what is said of them true of their pixels."""

import re
import sys

import numpy as np
import pytest

from jaxgan.data import scenes as drawn
from jaxgan.data import shapes
from jaxgan.data.scene_captions import captions
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError

SIDES = (32, 64, 128, 256)


@pytest.fixture(scope="module")
def scenes():
    return [drawn.scene(split, i) for split in drawn.SPLITS for i in range(60)]


@pytest.fixture(scope="module")
def rendered(scenes):
    """Every scene at every side but 256, some at 256."""
    return {side: [drawn.render(scene, side) for scene in scenes[:: 6 if side == 256 else 1]] for side in SIDES}


def test_a_scene_is_a_function_of_split_and_index():
    for split, i in (("train", 0), ("train", 3999), ("test", 7)):
        one, two = drawn.render(drawn.scene(split, i), 32), drawn.render(drawn.scene(split, i), 32)
        assert all(np.array_equal(one[name], two[name]) for name in one)
    pictures = {drawn.render(drawn.scene(split, i), 32)["image"].tobytes() for split in drawn.SPLITS for i in range(100)}
    assert len(pictures) == 300


def test_every_value_of_every_factor_appears(scenes):
    factors = np.concatenate([scene.factors for scene in scenes])
    for column, names in enumerate((drawn.KINDS, drawn.COLOURS, drawn.SHADES, drawn.SIZES)):
        share = np.bincount(factors[:, column].astype(int), minlength=len(names)) / len(factors)
        assert len(share) == len(names) and np.all(share > 0.6 / len(names))
    assert {len(scene) for scene in scenes} == {1, 2, 3} and {scene.background for scene in scenes} == {0, 1}
    textures = {tuple(texture) for scene in scenes for texture in scene.textures.tolist()}
    assert textures == {(kind, direction) for kind in range(2) for direction in range(4)}


@pytest.mark.slow
def test_classes_are_decoded_exactly(rendered):
    for side in SIDES:
        images = np.stack([x["image"] for x in rendered[side]])
        labels = np.stack([x["labels"] for x in rendered[side]])
        classes = drawn.decode_labels(labels)
        np.testing.assert_array_equal(drawn.PALETTE[classes], labels)
        assert classes.shape == (len(images), side, side) and set(np.unique(classes)) == set(range(7))
        np.testing.assert_array_equal(drawn.decode(images), classes)


def test_what_lies_between_two_shades_is_of_their_class():
    """So that an average over what a map leaves open counts as the class that it is."""
    share = np.linspace(0, 1, 11)[:, None, None]
    between = (1 - share) * drawn.INKS[:, 0] + share * drawn.INKS[:, 1]
    np.testing.assert_array_equal(drawn.decode(np.rint(between)), np.broadcast_to(np.arange(7), (11, 7)))


def test_decoding_bears_noise():
    """Half the distance between shades of different classes is over what a texture and some noise add."""
    inks = drawn.INKS.reshape(-1, 3).astype(int)
    apart = np.linalg.norm(inks[:, None] - inks, axis=-1)
    nearest = apart[np.arange(14)[:, None] // 2 != np.arange(14) // 2].min()
    assert nearest / 2 > np.sqrt(3) * (drawn.TEXTURE + 8)
    assert inks.min() >= drawn.TEXTURE and inks.max() <= 255 - drawn.TEXTURE
    palette = drawn.PALETTE.astype(int)
    assert np.linalg.norm(palette[:, None] - palette, axis=-1)[~np.eye(7, dtype=bool)].min() == 255
    noisy = np.clip(palette + np.random.default_rng(0).integers(-70, 71, palette.shape), 0, 255)
    np.testing.assert_array_equal(drawn.decode_labels(noisy), range(7))


def test_pixels_have_the_colour_and_shade_of_their_factors(scenes, rendered):
    """An object is the only one of its class, and within TEXTURE of its own shade."""
    for scene, x in zip(scenes, rendered[64]):
        classes = drawn.decode(x["image"])
        for k, (colour, shade) in enumerate(scene.factors[:, 1:3].astype(int)):
            np.testing.assert_array_equal(classes == 1 + colour, x["objects"] == k + 1)
            off = x["image"][x["objects"] == k + 1].astype(int) - drawn.INKS[1 + colour, shade]
            assert abs(off).max() <= drawn.TEXTURE and np.all(off == off[:, :1])
        off = x["image"][x["objects"] == 0].astype(int) - drawn.INKS[0, scene.background]
        assert abs(off).max() <= drawn.TEXTURE
        assert len(np.unique(x["image"][x["objects"] == 0], axis=0)) > 1  # textured


def test_one_map_of_classes_has_many_pictures(scenes):
    scene = next(scene for scene in scenes if len(scene) == 2)
    factors = scene.factors.copy()
    factors[:, 2] = 1 - factors[:, 2]
    for other in (
        drawn.Scene(factors, scene.background, scene.textures),
        drawn.Scene(scene.factors, 1 - scene.background, scene.textures),
        drawn.Scene(scene.factors, scene.background, 1 - scene.textures % 2),
    ):
        one, two = drawn.render(scene, 64), drawn.render(other, 64)
        assert np.array_equal(one["labels"], two["labels"]) and np.array_equal(one["outline"], two["outline"])
        assert np.mean(one["image"] != two["image"]) > 0.02


def test_a_scene_is_the_same_at_every_side(scenes, rendered):
    """Each pixel at 32 px is what most of its part of the larger picture is, up to edges; boxes agree within a pixel."""
    for side in (64, 128):
        scale = side // 32
        for small, large in zip(rendered[32], rendered[side]):
            blocks = large["objects"].reshape(32, scale, 32, scale)
            whole = (blocks == blocks[:, :1, :, :1]).all((1, 3))
            np.testing.assert_array_equal(small["objects"][whole], blocks[:, 0, :, 0][whole])
            assert whole.mean() > 0.7
            np.testing.assert_allclose(small["boxes"], large["boxes"], atol=1.01 / 32)
            means = large["image"].reshape(32, scale, 32, scale, 3).mean((1, 3))
            assert abs(means - small["image"])[whole].max() <= 2 * drawn.TEXTURE  # the same shades
            off = (means - small["image"])[whole & (small["objects"] > 0)]
            assert abs(off).mean() < drawn.TEXTURE / 2  # and nearly the same texture


def test_an_object_has_the_same_pixels_wherever_it_is(scenes):
    """So eight shapes are all that there are, at any side."""
    for side in (32, 64):
        seen = {}
        for scene in scenes:
            if len(scene) == 1:
                kind, _, _, size, x, y = scene.factors[0]
                radius, cx, cy = int(drawn.RADII[int(size)] * side / 32), int(x * side), int(y * side)
                objects = drawn.render(scene, side)["objects"]
                cut = objects[cy - radius : cy + radius, cx - radius : cx + radius]
                assert cut.sum() == objects.sum()
                seen.setdefault((int(kind), int(size)), set()).add(cut.tobytes())
        assert len(seen) == 8 and all(len(cuts) == 1 for cuts in seen.values())


def test_at_least_half_of_an_object_is_visible(scenes, rendered):
    covered = 0
    for side in (32, 64, 128):
        for scene, x in zip(scenes, rendered[side]):
            for k in range(len(scene)):
                alone = drawn.Scene(scene.factors[k : k + 1], 0, scene.textures[[0, k + 1]])
                whole = (drawn.render(alone, side)["objects"] == 1).sum()
                visible = (x["objects"] == k + 1).sum()
                assert visible >= whole / 2
                covered += visible < whole
    assert covered > 10  # some do overlap


def test_boxes_are_tight(rendered):
    for side in SIDES:
        for x in rendered[side]:
            assert x["boxes"].dtype == np.float32 and len(x["boxes"]) == x["objects"].max()
            for k, box in enumerate(x["boxes"]):
                edges = box * side
                assert np.array_equal(edges, edges.round())
                top, left, bottom, right = edges.astype(int)
                seen = x["objects"] == k + 1
                assert seen[top:bottom, left:right].sum() == seen.sum()
                for strip in (seen[top, :], seen[bottom - 1, :], seen[:, left], seen[:, right - 1]):
                    assert strip.any()
                assert 0 < top and 0 < left and bottom < side and right < side


def test_outlines_part_the_objects(rendered):
    """Lines are dark on white and inside objects; without them no object touches another or the background."""
    for side in SIDES:
        for x in rendered[side]:
            outline, objects = x["outline"][..., 0], x["objects"]
            assert x["outline"].shape == (side, side, 1) and set(np.unique(outline)) == {0, 255}
            line = outline == 0
            assert np.all(objects[line] > 0) and line.mean() < 0.25
            for a, b, fa, fb in (
                (objects[1:], objects[:-1], line[1:], line[:-1]),
                (objects[:, 1:], objects[:, :-1], line[:, 1:], line[:, :-1]),
            ):
                assert np.all((a == b) | fa | fb)  # a line at every change
                np.testing.assert_array_equal((a > b) & ~fa, np.zeros_like(fa))  # which is the upper's
            inner = objects[1:-1, 1:-1]
            around = (objects[:-2, 1:-1], objects[2:, 1:-1], objects[1:-1, :-2], objects[1:-1, 2:])
            assert not np.any(line[1:-1, 1:-1] & np.all([o == inner for o in around], axis=0))  # one pixel, no more


OBJECT = r"a (small|large) (light|dark) (red|yellow|green|cyan|blue|purple) (circle|square|triangle|cross)"
RELATION = r"(above|below|to the left of|to the right of)"
CAPTION = re.compile(rf"{OBJECT}(?: {RELATION} {OBJECT}(?:, and {OBJECT} {RELATION} the (\w+ \w+))?)?")


def is_true(relation, centre, other):
    x, y = centre[0] - other[0], centre[1] - other[1]
    holds = {"above": y < 0, "below": y > 0, "to the left of": x < 0, "to the right of": x > 0}[relation]
    return holds and (abs(y) >= abs(x)) == (relation in ("above", "below"))


def test_captions_are_true(scenes, rendered):
    relations = set()
    for scene, x in zip(scenes, rendered[128]):
        match = CAPTION.fullmatch(scene.caption)
        assert match, scene.caption
        groups = match.groups()
        told = [words for words in (groups[:4], groups[5:9], groups[9:13]) if words[0]]
        assert len(told) == len(scene)
        classes, boxes = drawn.decode(x["image"]), x["boxes"]
        for words, factors in zip(told, scene.factors[:, :4].astype(int)):
            kind, colour, shade, size = factors
            assert words == (drawn.SIZES[size], drawn.SHADES[shade], drawn.COLOURS[colour], drawn.KINDS[kind])
            assert (classes == 1 + drawn.COLOURS.index(words[2])).any()
        for k, box in enumerate(boxes):  # the centre is where the pixels are, some of them perhaps covered
            middle = np.array([box[1] + box[3], box[0] + box[2]]) / 2
            assert abs(middle - scene.factors[k, 4:]).max() < 0.08
        if len(scene) > 1:
            assert is_true(groups[4], scene.factors[0, 4:], scene.factors[1, 4:]), scene.caption
            relations.add(groups[4])
        if len(scene) > 2:
            assert is_true(groups[13], scene.factors[2, 4:], scene.factors[1, 4:]), scene.caption
            assert groups[14] == f"{told[1][2]} {told[1][3]}"
    assert len(relations) == 4


def test_captions_of_varied_wording_are_true(scenes):
    """Every object that is named has that size, shade, colour and kind, and lies where it is said to. "It" is the first
    object of two and the second of three."""
    relations, seen = "above|below|to the left of|to the right of", set()
    colours, kinds = "|".join(drawn.COLOURS), "|".join(drawn.KINDS)
    named = re.compile(rf"(?:(?:a|the|one) )?(?:(large|small|big|little) )?(?:(light|dark) )?({colours}) ({kinds})")
    sizes = {"large": "large", "small": "small", "big": "large", "little": "small"}
    for scene in scenes:
        factors = np.full((3, 6), -1, np.float32)
        factors[: len(scene)] = scene.factors
        five = captions(factors)
        assert len(set(five)) == 5 and five[0] == scene.caption
        for text in five:
            text = re.sub(r"a (\w+) (\w+) that is (\w+) (\w+)", r"a \1 \3 \4 \2", text)
            order = []
            for size, shade, colour, kind in named.findall(text):
                k = list(scene.factors[:, 1].astype(int)).index(drawn.COLOURS.index(colour))
                own = scene.factors[k].astype(int)
                assert kind == drawn.KINDS[own[0]]
                assert not shade or shade == drawn.SHADES[own[2]]
                assert not size or sizes[size] == drawn.SIZES[own[3]]
                order.append(k)
            assert set(order) == set(range(len(scene))), text
            parts = re.split(named.pattern, text)[:: named.groups + 1]
            short = parts[0] + "".join(f"<{k}>{part}" for k, part in zip(order, parts[1:]))
            for a, relation, b in re.findall(rf"<(\d)>(?: is)? ({relations}) (<\d>|it)", short):
                other = (len(scene) == 3) if b == "it" else int(b[1])
                assert is_true(relation, scene.factors[int(a), 4:], scene.factors[int(other), 4:]), text
                seen.add(relation)
            assert len(re.findall(relations, text)) == len(re.findall(rf"<\d>(?: is)? (?:{relations}) (?:<\d>|it)", short))
    assert len(seen) == 4


def test_kinds_differ_in_their_pixels():
    """How much of its box a kind fills, and whether it is the same upside down."""
    shares = {}
    for kind in range(4):
        scene = drawn.Scene(np.array([[kind, 0, 0, 1, 0.5, 0.5]], np.float32), 0, np.zeros((2, 2), int))
        seen = drawn.render(scene, 256)["objects"] == 1
        shares[drawn.KINDS[kind]] = seen.mean() * (32 / 14) ** 2
        assert np.array_equal(seen, seen[:, ::-1]) and np.array_equal(seen, seen[::-1]) == (kind != 2)
        if kind == 2:  # on its base
            assert seen[: len(seen) // 2].sum() < seen[len(seen) // 2 :].sum()
    expected = {"circle": np.pi / 4, "square": 1, "triangle": 0.5, "cross": 0.35 * (2 - 0.35)}
    assert shares == pytest.approx(expected, abs=0.02)


def test_preparing_needs_no_tensorflow(tmp_path, monkeypatch):
    """A few scenes through TFDS and back, example i being scene i."""
    assert drawn.SPLITS == {"train": 4000, "validation": 500, "test": 1000}
    monkeypatch.setattr(shapes, "SPLITS", {"train": 30, "validation": 5, "test": 10})
    builder = shapes.Shapes(config="32", data_dir=str(tmp_path), file_format="array_record")
    builder.download_and_prepare(file_format="array_record")
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == shapes.SPLITS
    for split, size in shapes.SPLITS.items():
        source = builder.as_data_source(split)
        assert len(source) == size
        for i in range(size):
            example, scene = source[i], drawn.scene(split, i)
            n, expected = len(scene), drawn.render(scene, 32)
            for name in ("image", "outline", "labels"):
                np.testing.assert_array_equal(example[name], expected[name])
                assert example[name].dtype == np.uint8
            assert example["label"] == n - 1 and example["caption"].decode() == scene.caption
            np.testing.assert_array_equal(example["boxes"]["bbox"], expected["boxes"])
            np.testing.assert_array_equal(example["boxes"]["kind"], scene.factors[:, 0])
            np.testing.assert_array_equal(example["boxes"]["colour"], scene.factors[:, 1])
            np.testing.assert_array_equal(example["factors"][:n], scene.factors)
            assert example["factors"].shape == (3, 6) and np.all(example["factors"][n:] == -1)
    names = builder.info.features["boxes"]["colour"].names
    assert tuple(names) == drawn.COLOURS and tuple(builder.info.features["label"].names) == drawn.COUNTS
    assert "tensorflow" not in sys.modules


def test_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "SPLITS", {"train": 8, "validation": 2, "test": 2})
    images = Tfds(name="shapes", dir=str(tmp_path)).open()
    assert images.name == "shapes/64/1.0.0, split train"  # the default
    assert images.image_shape == (64, 64, 3) and images.num_classes == 3 and len(images) == 8
    labels = Tfds(name="shapes/128", image="labels", dir=str(tmp_path), split="test").open()
    assert labels.image_shape == (128, 128, 3)
    with pytest.raises(UserError, match="data set shapes has no '63'"):
        Tfds(name="shapes/63", dir=str(tmp_path)).open()


@pytest.mark.slow
def test_no_picture_is_in_two_splits():
    pictures = [
        {drawn.render(drawn.scene(split, i), 32)["image"].tobytes() for i in range(size)}
        for split, size in drawn.SPLITS.items()
    ]
    assert not (pictures[0] & pictures[1] or pictures[0] & pictures[2] or pictures[1] & pictures[2])
