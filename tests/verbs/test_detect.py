"""`--mode=detect`: folders through a detector whose scores are known, killed and resumed, and mistakes in one line."""

import csv
import html
import json
import re
import shutil
import tarfile
import zipfile
from urllib.parse import unquote

import numpy as np
import pytest
from helpers import tiny
from PIL import Image

import jaxgan
from jaxgan import cli, models
from jaxgan.errors import Failure, UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores import anomaly
from jaxgan.sections import open_data
from jaxgan.tasks.protocols import Anomaly
from jaxgan.training.train import train
from jaxgan.verbs import detection, finder
from jaxgan.verbs.detection import detect
from jaxgan.verbs.heat import ORANGE, RED, heated
from jaxgan.verbs.outputs import NOTE
from jaxgan.workdir.runs import load_run

HELD_OUT = range(1, 20)  # levels of the pictures that the run holds out: a picture of level L has p = (1 + #{>= L}) / 20
OF_RUN = [("eval.detector.name", "search"), ("eval.detector.calibrate", "test"), ("eval.detector.rate", "0.1")]
FLAGS = [f"--config.{path}={x}" for path, x in OF_RUN]


def flat(path, level, size=(16, 16), corner=None):
    """A grey picture of one level; corner: the level of its upper left quarter."""
    pixels = np.full(size, level, np.uint8)
    if corner is not None:
        pixels[: size[0] // 2, : size[1] // 2] = corner
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


class Known:
    """A detector whose score is the mean level: its normal picture is black."""

    title = "the mean level"

    def __init__(self):
        self.seen, self.dies_at = [], None

    def __call__(self, image):
        assert image.dtype == np.uint8
        if self.dies_at is not None and len(self.seen) >= self.dies_at:
            raise KeyboardInterrupt
        self.seen.append(len(image))
        levels = image.astype(np.float32).mean(-1)
        black = np.full(image.shape, -1, np.float32)
        return Anomaly(levels.mean((1, 2)), levels, black, {"image": levels.max((1, 2))})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    home = tmp_path_factory.mktemp("detect")
    for i in range(6):
        flat(home / "data" / "train" / f"{i}.png", 3 * i)
    for i in HELD_OUT:
        flat(home / "data" / "test" / f"{i:02}.png", i)
    own = {"data__name": "image_folder", "data__dir": home / "data", "data__cache": home / "cache", "data__size": "16"}
    config = tiny("vanilla.py", batch_size=4, data__channels=1, **own)
    found = open_data(config)
    train(Plan(config, found.features), found, home / "run")
    return home / "run"


@pytest.fixture
def known(monkeypatch, run):
    """The detector; every load of the run reads its checkpoint once."""
    made, states = Known(), {}

    def remembered(folder, placement, step=None, overrides=()):
        key = str(folder), tuple(overrides)
        if key not in states:
            states[key] = load_run(folder, placement, step, overrides)
        return states[key]

    monkeypatch.setattr(finder, "make_detector", lambda plan, nets, normal, placement=None: made)
    monkeypatch.setattr(finder, "check_finds", lambda *_: None)
    monkeypatch.setattr(detection, "load_run", remembered)
    yield made
    (run / "calibration.json").unlink(missing_ok=True)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(finder, "BATCH", 4)
    monkeypatch.setattr(detection, "BATCH", 4)


@pytest.fixture
def album(tmp_path):
    """Nine pictures, two of them damaged."""
    folder = tmp_path / "album"
    for name, level in {"a & b.png": 30, "b.png": 18, "c.png": 19, "d.bmp": 5, "sub/d.png": 40, "sub/e,f.png": 5}.items():
        flat(folder / name, level)
    flat(folder / "e.png", 7, (30, 50))
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "c2.png").write_bytes((folder / "c.png").read_bytes()[:45])
    (folder / "notes.txt").write_text("no picture")
    return folder


def files(folder):
    """What is in a folder, but for the note of who made it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != NOTE]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def table(folder):
    with (folder / "scores.csv").open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def array(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_scores_p_values_verdicts_and_pictures(run, known, album, tmp_path, capsys):
    out = tmp_path / "out"
    assert detect(run, album, out, OF_RUN) == out / "index.html"
    found = table(out)
    assert list(found) == ["a & b.png", "b.png", "bad.png", "c.png", "c2.png", "d.bmp", "e.png", "sub/d.png", "sub/e,f.png"]
    asked = {"a & b.png": (30, 0.05), "b.png": (18, 0.15), "c.png": (19, 0.1), "d.bmp": (5, 0.8), "e.png": (7, 0.7),
             "sub/d.png": (40, 0.05), "sub/e,f.png": (5, 0.8)}  # fmt: skip
    for name, (score, p) in asked.items():
        row = found[name]
        assert (float(row["score"]), float(row["p_value"]), float(row["image"])) == (score, p, score)
        assert row["verdict"] == ("abnormal" if p <= 0.1 else "normal") and not row["trouble"]
    for name in ("bad.png", "c2.png"):
        assert found[name]["verdict"] == "damaged" and found[name]["trouble"] and not found[name]["score"]
    pngs = ["a & b.png", "b.png", "c.png", "d.png", "e.png", "sub/d.png", "sub/e,f.png"]
    assert files(out).keys() == {
        "index.html", "scores.csv", *(f"{kind}/{x}" for kind in ("pictures", "reconstructions", "heat") for x in pngs)
    }  # fmt: skip
    assert (array(out / "pictures" / "e.png") == np.full((16, 16), 7)).all()
    assert not array(out / "reconstructions" / "e.png").any() and array(out / "heat" / "e.png").shape == (16, 16, 3)
    said = capsys.readouterr().out
    assert "without a score, since they cannot be read: bad.png, c2.png" in said
    assert "9 pictures at a rate of 0.1: 3 abnormal, 4 normal, 2 that cannot be read" in said


def test_the_page(run, known, album, tmp_path):
    page = detect(run, album, tmp_path / "out", OF_RUN).read_text("utf-8")
    order = re.findall(r'<figcaption>([^<]+)<br>|id="(threshold|damaged)"', page)
    assert [html.unescape(a or b) for a, b in order] == [
        "sub/d.png", "a & b.png", "c.png", "threshold", "b.png", "e.png", "d.bmp", "sub/e,f.png", "damaged"
    ]  # fmt: skip
    sources = re.findall(r'<img loading="lazy"[^>]* src="([^"]+)">', page)
    assert len(sources) == page.count("<img") == 3 * 7
    assert all((tmp_path / "out" / unquote(html.unescape(x))).is_file() for x in sources)
    assert "<script" not in page and "http" not in page and "<li>bad.png: no picture" in page
    for words in (
        "19 normal pictures",
        "score above 18",
        "p at most 0.1",
        "step 4",
        "the mean level",
        str(album),
        "3 abnormal",
    ):
        assert words in page


def test_the_page_shows_the_highest_scores_alone(run, known, album, tmp_path):
    page = detect(run, album, tmp_path / "out", OF_RUN, num=2).read_text("utf-8")
    assert re.findall(r"<figcaption>([^<]+)<br>", page) == ["sub/d.png", "a &amp; b.png"] and 'id="threshold"' not in page
    assert "The 2 highest scores of 7 pictures; scores.csv has all" in page
    before = files(tmp_path / "out")
    seen = len(known.seen)
    page = detect(run, album, tmp_path / "out", OF_RUN, num=5).read_text("utf-8")  # the page is no matter of the scores
    assert page.count("<figure") == 5 and len(known.seen) == seen
    after = files(tmp_path / "out")
    assert after.keys() == before.keys() and [x for x in after if after[x] != before[x]] == ["index.html"]


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("cut", ["", "part of a line", "a whole line", "zeros", "a picture is gone"])
def test_a_killed_command_goes_on(after, cut, run, known, small_batches, album, tmp_path):
    """As one that was never stopped, and no picture with a line is scored again."""
    whole = files(detect(run, album, tmp_path / "whole", OF_RUN).parent)
    known.seen, known.dies_at = [], after
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        detect(run, album, out, OF_RUN)
    batches = [3, 3, 1]  # of four pictures each, but for the damaged
    assert known.seen == batches[:after] and len(table(out)) == 4 * after and not (out / "index.html").exists()
    rows, again = out / "scores.csv", after
    if cut == "a picture is gone":
        (out / "heat" / "a & b.png").unlink(missing_ok=True)
        again = 0
    elif cut:
        with rows.open("ab") as file:
            line = b"sub/d.png,40,0.05,abnormal,40,1,\n"
            file.write({"part of a line": line[:14], "a whole line": line, "zeros": bytes(30)}[cut])
    known.dies_at = None
    detect(run, album, out, OF_RUN)
    assert known.seen == batches[:after] + batches[again:]
    assert files(out) == whole


def test_in_memory_is_a_batch(run, known, small_batches, tmp_path):
    for i in range(30):
        flat(tmp_path / "in" / f"{i:02}.png", i)
    detect(run, tmp_path / "in", tmp_path / "out", OF_RUN)
    assert max(known.seen) == 4 and sum(known.seen) == len(HELD_OUT) + 30


def test_another_command_s_folder_is_refused(run, known, small_batches, album, tmp_path):
    out, known.dies_at = tmp_path / "out", 7  # five batches are the calibration's
    with pytest.raises(KeyboardInterrupt):
        detect(run, album, out, OF_RUN)
    known.dies_at, before = None, files(out)
    other = tmp_path / "other"
    shutil.copytree(album, other)
    refused = {
        r"detector.rate: 0.1, now 0.2": (run, album, [*OF_RUN, ("eval.detector.rate", "0.2")]),
        r"ema: True, now False": (run, album, [*OF_RUN, ("eval.ema", "false")]),
        r"input: ": (run, other, OF_RUN),
    }
    for told, (folder, source, overrides) in refused.items():
        with pytest.raises(
            UserError, match=rf"out holds files of another command \({told}.*; choose another --out, or repl"
        ):
            detect(folder, source, out, overrides)
        assert files(out) == before
    flat(album / "new.png", 3)
    with pytest.raises(UserError, match=r"another command \(pictures: 9, .*, now 10, "):
        detect(run, album, out, OF_RUN)
    page = detect(run, album, out, OF_RUN, overwrite=True)
    assert files(page.parent) == files(detect(run, album, tmp_path / "anew", OF_RUN).parent)
    (out / "mine.txt").write_text("mine")
    detect(run, other, out, OF_RUN, overwrite=True)
    assert (out / "mine.txt").read_text() == "mine" and not (out / "pictures" / "new.png").exists()


def test_an_archive_and_a_picture(run, known, album, tmp_path):
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as out:
        for path in sorted(album.rglob("*.*")):
            out.write(path, path.relative_to(tmp_path))
    made = [files(detect(run, x, tmp_path / f"{x.name}_out", OF_RUN).parent) for x in (album, tmp_path / "album.zip")]
    rows = [sorted(one["scores.csv"].decode().splitlines()) for one in made]
    assert rows[0] == rows[1] and made[0].keys() == made[1].keys()
    detect(run, album / "c.png", tmp_path / "one", OF_RUN)
    assert list(table(tmp_path / "one")) == ["c.png"] and table(tmp_path / "one")["c.png"]["p_value"] == "0.1"


def test_a_killed_command_on_a_compressed_archive_goes_on(run, known, small_batches, album, tmp_path):
    with tarfile.open(tmp_path / "album.tar.gz", "w:gz") as out:
        out.add(album, "album")
    whole = files(detect(run, tmp_path / "album.tar.gz", tmp_path / "whole", OF_RUN).parent)
    known.seen, known.dies_at = [], 1
    with pytest.raises(KeyboardInterrupt):
        detect(run, tmp_path / "album.tar.gz", tmp_path / "out", OF_RUN)
    known.dies_at = None
    assert files(detect(run, tmp_path / "album.tar.gz", tmp_path / "out", OF_RUN).parent) == whole


def test_odd_names(run, known, tmp_path):
    names = ["caf\udce9.png", 'a"b,\nc.png', "x<y>.png", "50%#.png", "é ü.png"]
    for i, name in enumerate(names):
        flat(tmp_path / "in" / "x.png", i)
        (tmp_path / "in" / "x.png").rename(tmp_path / "in" / name)
    page = detect(run, tmp_path / "in", tmp_path / "out", OF_RUN).read_text("utf-8")
    for x in re.findall(r' src="([^"]+)">', page):
        assert (tmp_path / "out" / unquote(html.unescape(x), errors="surrogateescape")).is_file()
    assert table(tmp_path / "out").keys() == {*names[1:], r"caf\udce9.png"}
    seen = len(known.seen)
    detect(run, tmp_path / "in", tmp_path / "out", OF_RUN)
    assert len(known.seen) == seen


def test_no_picture_that_can_be_read(run, known, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_bytes(b"no picture")
    with pytest.raises(Failure, match="none of the 2 pictures can be read, the first 'a.png': no picture"):
        detect(run, tmp_path / "in", tmp_path / "out", OF_RUN)


def test_the_calibration_is_kept_until_the_checkpoint_changes(run, known, album, tmp_path, monkeypatch):
    detect(run, album, tmp_path / "0", OF_RUN)
    assert known.seen == [19, 7]
    [kept] = json.loads((run / "calibration.json").read_text())["calibrations"]
    assert kept["scores"] == list(HELD_OUT)
    detect(run, album, tmp_path / "1", [*OF_RUN, ("eval.detector.rate", "0.5")])
    assert known.seen == [19, 7, 7]
    (run / "calibration.json").write_text('{"calibrations": [')
    detect(run, album, tmp_path / "2", OF_RUN)
    assert known.seen == [19, 7, 7, 19, 7]
    monkeypatch.setattr(finder, "weights_digest", lambda folder, step: "another")
    detect(run, album, tmp_path / "3", OF_RUN)
    assert known.seen == [19, 7, 7, 19, 7, 19, 7]
    [kept] = json.loads((run / "calibration.json").read_text())["calibrations"]
    assert kept["about"]["checkpoint"] == "another"
    assert files(tmp_path / "0")["scores.csv"] == files(tmp_path / "3")["scores.csv"]


def test_a_detector_without_maps(run, known, album, tmp_path, monkeypatch):
    class Bare(Known):
        def __call__(self, image):
            return super().__call__(image)._replace(map=None, reconstruction=None, parts={})

    class Residual(Known):
        def __call__(self, image):
            return super().__call__(image)._replace(map=None)

    for made, kinds in ((Bare(), {"pictures"}), (Residual(), {"pictures", "reconstructions", "heat"})):
        monkeypatch.setattr(finder, "make_detector", lambda *_, made=made: made)
        out = tmp_path / type(made).__name__
        page = detect(run, album, out, OF_RUN)
        assert {x.name for x in out.iterdir() if x.is_dir()} == kinds and page.read_text().count("<img") == 7 * len(kinds)
        (run / "calibration.json").unlink()


def test_heat():
    picture = np.full((1, 1, 4, 1), 200, np.uint8)
    clear, orange, red, beyond = heated(picture, np.array([[[1, 3, 5, 9]]]), 1, 5)[0, 0].astype(int)
    assert np.ptp(clear) == 0 and clear[0] > 200 and (red == beyond).all()
    for got, want in ((orange, ORANGE), (red, RED)):
        assert np.abs(got - (0.85 * np.array(want) + 0.15 * clear)).max() <= 0.5
    assert heated(np.zeros((2, 3, 5, 4), np.uint8), np.full((2, 3, 5), np.nan), 0, 0).shape == (2, 3, 5, 3)


def test_from_python(run, known, album, tmp_path):
    """Arrays and paths give what the command line gives."""
    detect(run, album, tmp_path / "out", OF_RUN)
    model, rows = jaxgan.load(run), table(tmp_path / "out")
    model._plan, *_ = detection.load_run(run, None, overrides=OF_RUN)
    good = [name for name in rows if rows[name]["verdict"] != "damaged"]
    found = model.detect([album / name for name in good])
    for key in ("score", "p_value"):
        assert [float(rows[name][key]) for name in good] == pytest.approx(list(getattr(found, key)), rel=1e-8)
    assert [rows[name]["verdict"] == "abnormal" for name in good] == list(found.abnormal)
    assert found.map.shape == (7, 16, 16) and found.reconstruction.shape == (7, 16, 16, 1)
    images = np.stack([array(tmp_path / "out" / "pictures" / "e.png")])[..., None]
    one = model.detect(images, rate=0.7)
    assert one.abnormal == [True] and one.score == found.score[good.index("e.png")]
    assert list(model.detect(str(album / "sub")).score) == [40, 5]
    for bad, told in (
        (images[:, 1:], r"images must be uint8 \[N, 16, 16, 1\], or paths, not uint8 \[1, 15, 16, 1\]"),
        (images / 255, "not float64"),
        (images[:0], r"\[0, 16, 16, 1\]"),
        (album, "'bad.png' cannot be read: no picture"),
        ([], "give at least one picture"),
        ([tmp_path / "gone.png"], "gone.png. cannot be read: No such file"),
    ):
        with pytest.raises(UserError, match=told):
            model.detect(bad)
    with pytest.raises(UserError, match="a rate of at least 0.05"):
        model.detect(images, rate=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--mode=detect needs --input"),
        (["--input={}/albun"], "there is no '{}/albun'; did you mean '{}/album'?"),
        (["--input={}/empty"], "'{}/empty' holds no pictures"),
        (["--input={}/notes.txt"], "'{}/notes.txt' is no picture, no folder and no archive"),
        (["--input={}/album", "--out={}/album/out"], "{}/album/out is among what is read, {}/album; choose another --out"),
        (["--input={}/album", "--out={}"], "{} holds what is read"),
        (["--input={}/album", "--out={}/other"], "{}/other holds 'mine.txt', which this command has not made"),
        (["--input={}/album", "--out={}/notes.txt"], "--out={}/notes.txt must be a folder, and not a file"),
        (["--input={}/album", "--num=0"], "--num must be at least 1, not 0"),
        (["--input={}/album", "--config.steps=3"], "--config.steps has no effect in --mode=detect"),
        (["--input={}/album", "--out={}/new", "--config.eval.detector.rate=0.01"], "a rate of at least 0.05"),
        (
            ["--input={}/album", "--out={}/new", "--config.eval.detector.calibrate=train"],
            "the run trains on these; --config.data.name=anomaly_folder",
        ),
        (
            ["--input={}/album", "--out={}/new", "--config.eval.detector.calibrate=tset"],
            "data.split cannot be 'tset'; did you mean",
        ),
        (["--input={}/album", "--out={}/new", "--config.data.dir={}/empty"], "'{}/empty' holds no pictures"),
    ],
)
def test_mistakes(arguments, message, run, known, album, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    before = files(tmp_path)
    words = [x.replace("{}", str(tmp_path)) for x in arguments]
    code = cli.main(["launch.py", "--mode=detect", f"--workdir={run}", *FLAGS, *words])
    shown = capsys.readouterr().err.strip()
    assert code == 2 and shown.startswith("error: ") and len(shown.splitlines()) == 1
    assert message.replace("{}", str(tmp_path)) in shown
    assert files(tmp_path) == before and not known.seen


def test_a_split_that_holds_nothing_out(run, known, album, tmp_path, monkeypatch):
    empty = open_data(load_run(run, Placement(), overrides=OF_RUN)[0].config)
    empty.examples.index = empty.examples.index[:0]
    monkeypatch.setattr(anomaly, "open_split", lambda *_: empty)
    with pytest.raises(
        UserError,
        match="calibrate=test, held-out normal pictures: data, split train .* has none; .*=anomaly_folder holds",
    ):
        detect(run, album, tmp_path / "out", OF_RUN)
    assert not (tmp_path / "out").exists()


def test_held_out_pictures_that_the_run_trains_on(run, known, album, tmp_path, monkeypatch):
    """Under another name: their scores would be too low, and the threshold with them."""
    monkeypatch.setattr(anomaly, "open_split", lambda config, split: open_data(config))
    with pytest.raises(UserError, match="calibrate=test: 6 of its 6 normal pictures are training images; --config.data.sp"):
        detect(run, album, tmp_path / "out", [*OF_RUN, ("eval.detector.rate", "0.5")])
    assert not (tmp_path / "out").exists()


def test_a_run_that_finds_no_anomalies(run, album, tmp_path):
    with pytest.raises(UserError, match="eval.detector.batch_norm=batch: a score would depend on the pictures beside"):
        detect(run, album, tmp_path / "out", [*OF_RUN, ("eval.detector.batch_norm", "batch")])
    with pytest.raises(UserError, match="eval.detector.name=pca|task.name=latent"):
        detect(models.find("digits"), album, tmp_path / "out", [("eval.detector.calibrate", "test")])
    with pytest.raises(
        UserError, match="task.name=latent has no score of abnormality of its own.*eval.detector.name=search"
    ):
        detect(run, album, tmp_path / "out", [*OF_RUN, ("eval.detector.name", "task")])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_real_detector_and_a_real_command(run, tmp_path):
    """PCA of the training pictures: flat ones are all alike, and those of a bright corner are not."""
    for i in range(12):
        flat(tmp_path / "in" / f"{i:02}.png", i, corner=90 if i in (4, 9) else None)
    words = [f"--workdir={run}", *FLAGS, "--config.eval.detector.name=pca", f"--input={tmp_path / 'in'}"]
    for out in ("one", "two"):
        assert cli.main(["launch.py", "--mode=detect", *words, f"--out={tmp_path / out}"]) == 0
    rows = table(tmp_path / "one")
    assert {name for name, row in rows.items() if row["verdict"] == "abnormal"} == {"04.png", "09.png"}
    heat = array(tmp_path / "one" / "heat" / "04.png").astype(int)
    assert (heat[2, 2] != heat[12, 12]).any() and np.ptp(heat[12, 12]) <= np.ptp(heat[2, 2])
    assert files(tmp_path / "one") == files(tmp_path / "two")
    (run / "calibration.json").unlink()
