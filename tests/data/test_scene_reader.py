"""Scenes are read back from their pictures, and captions from their words."""

import numpy as np
import pytest

from jaxgan.data.scene_captions import captions
from jaxgan.data.scene_claims import CLAIMS, KIND, agrees, bindings, said
from jaxgan.data.scene_reader import read
from jaxgan.data.scenes import COLOURS, INKS, KINDS, SIZES, relation, render, scene

SCENES = [scene("test", i) for i in range(60)]


def rows(one):
    """A scene's factors by colour."""
    return one.factors[np.argsort(one.factors[:, 1])]


@pytest.mark.parametrize("side", [32, 64])
def test_a_picture_is_read_exactly(side):
    some = SCENES[: 1920 // side]
    for one, found in zip(some, read(np.stack([render(one, side)["image"] for one in some]))):
        np.testing.assert_allclose(found, rows(one), atol=1e-6)


def test_what_is_no_object_and_no_form():
    picture = render(SCENES[0], 32)["image"]
    picture[:] = INKS[0][0]
    picture[3:5, 3:6] = INKS[1][0]  # six red pixels
    picture[20, ::2] = INKS[2][0]  # a dotted line
    picture[8:10, 8:26] = INKS[5][1]  # a blue bar
    (found,) = read(picture[None])
    assert found.shape == (1, 6) and found[0, 0] == -1 and found[0, 1] == COLOURS.index("blue") and found[0, 2] == 1


@pytest.mark.parametrize("form", range(5))
def test_captions_say_what_is_in_the_scene(form):
    for one in SCENES:
        known = said(captions(one.factors)[form])
        true = {tuple(row[:2]): row for row in one.factors}
        assert len(known.objects) == len(one)
        for row in known.objects:
            match = true[tuple(row[:2])][:4] if row[KIND] >= 0 else None
            assert match is not None and all(want in (-1, got) for want, got in zip(row, match))
        by = [true[tuple(row[:2])] for row in known.objects]
        assert all(relation(by[i], by[j]) == where for i, where, j in known.relations)
        told = 0 if form == 2 and len(one) == 3 else len(one) - 1
        assert len(known.relations) == told, (captions(one.factors)[form], known)
        answers = agrees(known, rows(one))
        assert all(all(answers[claim]) for claim in CLAIMS) and not any(answers["swapped"])
    first = said(captions(SCENES[0].factors)[0]).objects
    assert (first >= 0).all(), "the first caption says all"


def test_words_of_a_person():
    known = said("Two things: a BIG red circle, to the left of one dark blue square and an old green cross!")
    assert [[COLOURS[c], KINDS[k]] for k, c, *_ in known.objects] == [
        ["red", "circle"],
        ["blue", "square"],
        ["green", "cross"],
    ]
    assert SIZES[known.objects[0][3]] == "large" and known.relations == ((0, "to the left of", 1),)
    assert said("a horse above it").objects.shape == (0, 4) and said("it is left of it").relations == ()


def test_claims_fail_one_by_one():
    two = next(one for one in SCENES if len(one) == 2)
    known, true = said(captions(two.factors)[0]), rows(two)
    for name, change in {
        "kind": lambda x: x.__setitem__((0, 0), (x[0, 0] + 1) % 4),
        "shade": lambda x: x.__setitem__((0, 2), 1 - x[0, 2]),
        "size": lambda x: x.__setitem__((0, 3), 1 - x[0, 3]),
    }.items():
        other = true.copy()
        change(other)
        wrong = [claim for claim in CLAIMS if not all(agrees(known, other)[claim])]
        assert wrong == [name]
    swapped = true.copy()
    swapped[:, 4:] = true[::-1, 4:]
    assert [claim for claim in CLAIMS if not all(agrees(known, swapped)[claim])] == ["relation"]
    other = true.copy()
    other[:, 0] = true[::-1, 0]
    assert true[0, 0] != true[1, 0] and agrees(known, other)["swapped"] == [True]
    lost = agrees(known, true[:1])
    assert lost["swapped"] == []
    names = [f"{COLOURS[int(one[1])]} {KINDS[int(one[0])]}" for one in true]
    assert sorted(bindings(known, true)) == sorted((name, name.split()[1]) for name in names)
    assert {got for _, got in bindings(known, true[:1])} == {names[0].split()[1], "absent"}
    assert lost["colour"].count(False) == 1 and lost["kind"].count(False) == 1 and lost["relation"] == [False]
    assert lost["count"] == [False]
