"""Files that are written whole or not at all."""

import json

import pytest

from jaxgan.files import replacing, write_json, write_text


def test_a_failed_write_leaves_what_was_there_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "before")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.txt") as file:
        file.write(b"half of wh")
        raise ZeroDivisionError
    assert (tmp_path / "a.txt").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_folders_are_made_and_odd_names_are_written(tmp_path):
    write_text(tmp_path / "new" / "folder" / "a.txt", "é \udcff")
    assert (tmp_path / "new" / "folder" / "a.txt").read_text() == "é \\udcff"
    write_json(tmp_path / "a.json", {"b": 1, "a": [2.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [2.5], "b": 1}
