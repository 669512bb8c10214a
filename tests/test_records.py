"""Files that are read back: their shape is checked, and what is wrong is told with the file's name."""

import json
import os

import pytest

from jaxgan import records
from jaxgan.errors import UserError
from jaxgan.records import DamagedFile


@pytest.mark.parametrize(
    "value, shape, wrong",
    [
        (3, int, ""),
        (True, int, "it is true, not a whole number"),
        (3, float, ""),
        ("3", float, 'it is "3", not a number'),
        (None, (int, None), ""),
        ("x", (int, None), 'it is "x", not a whole number or null'),
        (9, range(10), ""),
        (10, range(10), "it is 10, not a whole number that it can be"),
        ("a", {"a", "b"}, ""),
        ("c", {"a", "b"}, 'it is "c", not a or b'),
        ([], {"a", "b"}, "it is [], not a or b"),
        ([1, 2], [int], ""),
        ([1, "x"], [int], 'it[1] is "x", not a whole number'),
        ([], [int], ""),
        ([], [int, ...], "it is [], not a list with entries"),
        ({"a": 1, "more": []}, {"a": int, "b?": str}, ""),
        ({}, {"a": int}, "it has no 'a'"),
        ({"a": 1, "b": 2}, {"a": int, "b?": str}, "b is 2, not text"),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": str}]}}, "a.b[0].c is 1, not text"),
        ({"step": 1, "x": "y"}, {"step": int, str: float}, 'x is "y", not a number'),
        ([], {str: int}, "it is [], not an object"),
    ],
)
def test_shapes(value, shape, wrong):
    if not wrong:
        assert records.parse(json.dumps(value), shape) == value
    else:
        with pytest.raises(ValueError) as told:
            records.parse(json.dumps(value), shape)
        assert str(told.value) == wrong


def test_numbers_that_json_does_not_have_are_null():
    assert records.parse("[NaN, Infinity, -Infinity, 1e999, 1.5]", [(float, None)]) == [None, None, None, None, 1.5]
    for huge in ("9" * 30, "9" * 5000):
        with pytest.raises(ValueError):
            records.parse(huge, int)


def test_what_is_no_such_file(tmp_path):
    path = tmp_path / "a.json"
    assert records.read_json(path, {}, "") is None and records.read_lines(path, {}, "") == []
    assert records.read_json(path / "b.json", {}, "") is None  # nor is there such a folder
    path.mkdir()
    with pytest.raises(DamagedFile, match="a.json is a folder, and no record; do this"):
        records.read_json(path, {}, "do this")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DamagedFile, match="pipe is a special file, and no record; do this"):
        records.read_json(tmp_path / "pipe", {}, "do this")


def test_mistakes_and_damage_are_told_with_the_file_s_name(tmp_path):
    with pytest.raises(UserError, match="^f: no such loss$"), records.reading("f", "do this"):
        raise UserError("no such loss")
    with (
        pytest.raises(DamagedFile, match=r"^f is damaged \(KeyError: 'a'\); do this$"),
        records.reading("f", "do this"),
    ):
        {}["a"]
    with pytest.raises(DamagedFile, match=r"^f cannot be read \(No such file or directory\); do this$"):
        with records.reading("f", "do this"):
            open(tmp_path / "nothing")


def test_a_log_s_lines(tmp_path):
    path, shape = tmp_path / "log", {"step": int}
    path.write_text('{"step": 1}\n\n  \n{"step": 2}\n{"step": 3, "cut by a ki')
    assert [line["step"] for line in records.read_lines(path, shape, "")] == [1, 2]
    path.write_text('{"step": 1}\n{"step": 2}')  # whole, though it has no end
    assert [line["step"] for line in records.read_lines(path, shape, "")] == [1, 2]
    for text, number in (('{"stop": 1}\n{"step": 2}\n', 1), ('{"step": 1}\n{"st\n', 2), ('{"step": 1}\n\0\0', 2)):
        path.write_text(text)
        with pytest.raises(DamagedFile, match=f"log is damaged in line {number} .*; do this"):
            records.read_lines(path, shape, "do this")
    for text, step in (("", None), ("{}\n", None), ('{"step": 8}\n{"step": 9', 8), ("x" * 9000 + '\n{"step": 7}\n', 7)):
        path.write_text(text)
        assert (records.last_line(path, shape) or {}).get("step") == step
