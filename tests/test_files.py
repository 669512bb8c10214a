"""Files that are written whole or not at all."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from jaxgan import files
from jaxgan.files import replacing, sweep, write_json, write_text


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


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {
        "ended": f"a.png.{socket.gethostname()}.{ended.pid}.tmp",
        "alive": f"a.png.{socket.gethostname()}.{os.getpid()}.tmp",
        "elsewhere": "a.png.some.other.host.1.tmp",
        "elsewhere, long ago": "b.png.some.other.host.1.tmp",
        "somebody's": "notes.tmp",
    }
    for name in names.values():
        (tmp_path / name).write_bytes(b"half")
    os.utime(tmp_path / names["elsewhere, long ago"], (time.time() - 90_000,) * 2)
    (tmp_path / f"folder.{socket.gethostname()}.{ended.pid}.tmp").mkdir()
    sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {names["alive"], names["elsewhere"], names["somebody's"]}


def test_json_has_no_nan_and_no_infinity(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            write_json(tmp_path / "a.json", {"a": [number]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1} and len(list(tmp_path.iterdir())) == 1


def test_a_user_without_a_home_has_a_cache_of_his_own(tmp_path, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", homeless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    files._temporary.cache_clear()
    mine = files.user_cache()
    assert mine.parent == tmp_path and mine.stat().st_mode & 0o077 == 0 and files.user_cache() == mine
    mine.chmod(0o777)  # anybody's, who might put programs there
    files._temporary.cache_clear()
    other = files.user_cache()
    assert other != mine and other.parent == tmp_path and other.stat().st_mode & 0o077 == 0
    files._temporary.cache_clear()
