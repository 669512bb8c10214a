"""--out never replaces, and never mixes with, what the command has not made."""

import json
import os

import pytest

from jaxgan import command_line
from jaxgan.errors import UserError
from jaxgan.verbs.outputs import NOTE, check_apart, check_files, check_folder, claim_folder, clear_folder

REQUEST = {"mode": "sample", "step": 4}


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("made")


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {NOTE}


@pytest.mark.parametrize("mode", command_line.VERBS)
def test_every_verb_that_writes_where_it_is_told_knows_overwrite(mode):
    flags = command_line.flags_of(mode)
    assert ("out" in flags) == ("overwrite" in flags)
    assert "out" in flags or mode in ("train", "ablate", "tune", "verify")  # which have a workdir of their own


def test_a_file_that_is_there_is_refused(tmp_path):
    fill(tmp_path, "a.png", "folder/b")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")
    check_files([tmp_path / "new.png"], overwrite=False)
    for name in ("a.png", "dangling.png"):
        with pytest.raises(UserError, match=f"{name} exists already; choose another --out, or replace it with --overwrite"):
            check_files([tmp_path / "new.png", tmp_path / name], overwrite=False)
        check_files([tmp_path / name], overwrite=True)
    with pytest.raises(UserError, match="folder exists already; name a file in it"):
        check_files([tmp_path / "folder"], overwrite=True)


@pytest.mark.parametrize(
    ("out", "read", "told"),
    [
        ("in", "in", "is among what is read"),
        ("in/out", "in", "is among what is read"),
        ("link/out", "in", "is among what is read"),
        ("in/../in/out.png", "in", "is among what is read"),
        (".", "in", "holds what is read"),
        ("above", "in", "holds what is read"),
        ("in", "in/pictures.zip", "holds what is read"),
    ],
)
def test_an_output_lies_neither_in_nor_around_what_is_read(out, read, told, tmp_path, monkeypatch):
    fill(tmp_path, "in/pictures.zip")
    (tmp_path / "link").symlink_to("in")
    (tmp_path / "above").symlink_to(".")
    monkeypatch.chdir(tmp_path)
    check_apart(tmp_path / "other", [tmp_path / read])
    check_apart(tmp_path / "input", [tmp_path / "in"])
    with pytest.raises(UserError, match=told):
        check_apart(tmp_path / out, [tmp_path / read])


def test_a_folder_of_others_is_refused_always(tmp_path):
    fill(tmp_path, "out/notes.txt")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="out holds 'notes.txt', which this command has not made; choose another --out"):
            claim_folder(tmp_path / "out", REQUEST, ["a.png"], overwrite)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new"):
        assert claim_folder(tmp_path / name, REQUEST, ["a.png"]) == set()


def test_the_same_request_goes_on(tmp_path):
    claim_folder(tmp_path, REQUEST, ["a.png", "sub/b.png", "c.png"])
    fill(tmp_path, "a.png", "sub/b.png", "sub/b.png.some.host.12.tmp", "notes.png.host.12.tmp")
    (tmp_path / "c.png").touch()  # cut when the machine went down
    assert claim_folder(tmp_path, dict(REQUEST), ["a.png", "sub/b.png", "c.png"]) == {"a.png", "sub/b.png"}
    assert names(tmp_path) == {"a.png", "sub/b.png", "notes.png.host.12.tmp"}


def test_another_request_takes_its_place_if_it_may(tmp_path):
    claim_folder(tmp_path, REQUEST, ["a.png", "b.png"])
    fill(tmp_path, "a.png", "b.png", "notes.txt")
    with pytest.raises(UserError, match=r"another command \(step: 4, now 6\); choose another --out, or replace them"):
        claim_folder(tmp_path, {**REQUEST, "step": 6}, ["a.png"])
    assert names(tmp_path) == {"a.png", "b.png", "notes.txt"}
    with pytest.raises(UserError, match="holds 'notes.txt', which this command has not made"):
        claim_folder(tmp_path, {**REQUEST, "step": 6}, ["notes.txt"], overwrite=True)
    assert names(tmp_path) == {"a.png", "b.png", "notes.txt"}
    assert claim_folder(tmp_path, {**REQUEST, "step": 6}, ["a.png"], overwrite=True) == set()
    assert names(tmp_path) == {"notes.txt"}
    clear_folder(tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_a_folder_goes_when_all_in_it_was_the_request_s(tmp_path):
    claim_folder(tmp_path / "parts", REQUEST, ["a.npy"])
    fill(tmp_path / "parts", "a.npy")
    clear_folder(tmp_path / "parts")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"request": 3, "files": []}', '{"request": {}, "files": 4}', "\x00"])
def test_a_damaged_note_is_told(text, tmp_path):
    (tmp_path / NOTE).write_text(text)
    with pytest.raises(UserError, match=rf"{NOTE} is damaged \(.+\); choose another --out$"):
        check_folder(tmp_path)


def test_a_note_reaches_no_files_elsewhere(tmp_path):
    fill(tmp_path, "out/a.png", "elsewhere/b.png")
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    files = ["../elsewhere/b.png", str(tmp_path / "elsewhere" / "b.png"), "link/b.png", "a.png"]
    (tmp_path / "out" / NOTE).write_text(json.dumps({"request": REQUEST, "files": files}))
    claim_folder(tmp_path / "out", {**REQUEST, "step": 6}, ["c.png"], overwrite=True)
    assert names(tmp_path / "elsewhere") == {"b.png"} and not (tmp_path / "out" / "a.png").exists()
