"""`--mode=translate`: folders and archives of pictures of any size through a paired and an unpaired run."""

import base64
import copy
import html
import io
import re
import zipfile

import jax
import numpy as np
import pytest
from helpers import tiny
from PIL import Image

from jaxgan import cli, generate
from jaxgan.errors import UserError
from jaxgan.images import sheet_picture, to_uint8
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.verbs.outputs import NOTE
from jaxgan.verbs.translation import translate
from jaxgan.workdir.runs import load_run

RNG = np.random.default_rng(0)
SIZES = {
    "own.png": (16, 16),
    "sub/small.jpg": (5, 7),
    "sub/deep/odd.webp": (33, 18),
    "dot.bmp": (1, 1),
    "a & b.png": (32, 48),
}


def noise(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def put(path, pixels, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)
    return path


def array(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def trained(tmp_path_factory, spec, files, **overrides):
    home = tmp_path_factory.mktemp(spec[:-3])
    for name, shape in files.items():
        put(home / "data" / name, noise(*shape, 3))
    data = {"data__name": "image_pairs", "data__dir": home / "data", "data__cache": home / "cache", "data__size": "16"}
    config = tiny(spec, batch_size=4, **data, **overrides)
    found = open_data(config)
    train(Plan(config, found.features), found, home / "run")
    return home / "run"


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    files = {f"train/{i}.png": (16, 32) for i in range(6)}
    return trained(tmp_path_factory, "pix2pix.py", files, optim__gen__lr=0.01)  # so that averages differ by whole levels


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory):
    files = {f"train{domain}/{i}.png": (16, 16) for domain, n in (("A", 6), ("B", 5)) for i in range(n)}
    return trained(tmp_path_factory, "cyclegan.py", files)


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """Checkpoints are read once, and not once a call."""
    states, load = {}, load_run

    def remembered(folder, placement):
        if folder not in states:
            states[folder] = load(folder, placement)
        return states[folder]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("jaxgan.verbs.translation.load_run", remembered)
        yield


@pytest.fixture
def album(tmp_path):
    for name, size in SIZES.items():
        put(tmp_path / "album" / name, noise(*size, 3))
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    return tmp_path / "album"


def files(folder):
    """What is in a folder, but for the note of who made it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != NOTE]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["paired", "unpaired"])
def test_names_folders_and_sizes_stay(kind, album, tmp_path, request):
    run, out = request.getfixturevalue(kind), tmp_path / "out"
    assert translate(run, album, out) == out / "index.html"
    expected = {name.rpartition(".")[0] + ".png": size for name, size in SIZES.items()}
    assert files(out).keys() == expected.keys() | {"index.html"}
    for name, size in expected.items():
        assert array(out / name).shape == (*size, 3)


def test_the_page_shows_all(paired, album, tmp_path):
    page = translate(paired, album, tmp_path / "out").read_text("utf-8")
    assert "run, step 4, ab" in page and "5 pictures: what went in" in page
    shown = re.findall(r'<figure><img alt="source" src="data:image/png;base64,([^"]+)"><img alt="translation" src="data:'
                       r'image/png;base64,([^"]+)"><figcaption>([^<]+)</figcaption></figure>', page)  # fmt: skip
    assert [html.unescape(name) for *_, name in shown] == [
        "a & b.png",
        "dot.png",
        "own.png",
        "sub/deep/odd.png",
        "sub/small.png",
    ]
    for *both, name in shown:
        for folder, content in zip((album, tmp_path / "out"), both):
            if folder != album or name in SIZES:  # those of another ending were not stored as PNG
                stored = array(io.BytesIO(base64.b64decode(content)))
                np.testing.assert_array_equal(stored, array(folder / html.unescape(name)))


def test_the_page_shows_a_number_and_thumbnails(unpaired, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxgan.verbs.translation.SHOWN", 2)
    monkeypatch.setattr("jaxgan.verbs.translation.SIDE", 8)
    for i in range(3):
        put(tmp_path / "in" / f"{i}.png", noise(16, 16, 3))
    page = translate(unpaired, tmp_path / "in", tmp_path / "out").read_text("utf-8")
    assert "the first 2 of 3 pictures" in page and len(files(tmp_path / "out")) == 4
    shown = [array(io.BytesIO(base64.b64decode(content))) for content in re.findall(r'base64,([^"]+)"', page)]
    assert [x.shape for x in shown] == [(8, 8, 3)] * 4


def generated(run, way, i, source):
    """What the network makes of a source, uint8 [H, W, C], as picture i."""
    placement = Placement()
    plan, _, state = load_run(run, placement)
    nets = placement.local(generate.trained(plan, state, ema=True))
    made = jax.jit(generate.make_generate(plan, way))(nets, np.array([i], np.uint32), source=source[None])
    return to_uint8(made)[0]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ab", "ba"])
def test_sizes_that_the_network_takes_are_not_padded(way, unpaired, tmp_path):
    sources = [noise(16, 16, 3), noise(32, 48, 3)]
    for i, source in enumerate(sources):
        put(tmp_path / "in" / f"{i}.png", source)
    translate(unpaired, tmp_path / "in", tmp_path / "out", way)
    for i, source in enumerate(sources):
        np.testing.assert_array_equal(array(tmp_path / "out" / f"{i}.png"), generated(unpaired, way, i, source))


@pytest.mark.slow
def test_others_are_mirrored_to_the_right_and_below(unpaired, tmp_path):
    source = noise(17, 18, 3)
    put(tmp_path / "in" / "x.png", source)
    translate(unpaired, tmp_path / "in", tmp_path / "out")
    padded = np.concatenate([source, source[-2:-5:-1]])
    padded = np.concatenate([padded, padded[:, -2:-4:-1]], 1)
    assert padded.shape == (20, 20, 3)
    np.testing.assert_array_equal(array(tmp_path / "out" / "x.png"), generated(unpaired, "ab", 0, padded)[:17, :18])


def test_a_network_of_one_size_sees_that_size(paired, tmp_path):
    """A U-Net whose middle is one pixel: what is outside of that in its innermost kernels never learned."""
    own, other = noise(16, 16, 3), noise(40, 24, 3)
    for name, source in (("a", own), ("b", other)):
        put(tmp_path / "in" / f"{name}.png", source)
    translate(paired, tmp_path / "in", tmp_path / "out")
    np.testing.assert_array_equal(array(tmp_path / "out" / "a.png"), generated(paired, "ab", 0, own))
    small = np.asarray(Image.fromarray(other).resize((16, 16), Image.Resampling.LANCZOS))
    made = Image.fromarray(generated(paired, "ab", 1, small)).resize((24, 40), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(array(tmp_path / "out" / "b.png"), np.asarray(made))


def test_every_mode_is_translated_as_what_it_looks_like(unpaired, tmp_path):
    """Grey in three channels, transparency over white, a photograph as its camera was held."""
    grey, clear, photo = noise(16, 16), noise(16, 16, 4), noise(16, 20, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    put(tmp_path / "in" / "grey.png", grey)
    put(tmp_path / "in" / "clear.png", clear)
    put(tmp_path / "in" / "photo.png", photo, exif=exif)
    put(tmp_path / "plain" / "grey.png", np.stack([grey] * 3, -1))
    over = Image.alpha_composite(Image.new("RGBA", (16, 16), (255,) * 4), Image.fromarray(clear)).convert("RGB")
    put(tmp_path / "plain" / "clear.png", np.asarray(over))
    put(tmp_path / "plain" / "photo.png", np.rot90(photo, -1))
    made = [files(translate(unpaired, tmp_path / name, tmp_path / f"{name}_out").parent) for name in ("in", "plain")]
    assert made[0].keys() == {"grey.png", "clear.png", "photo.png", "index.html"}
    assert made[0] == made[1]


def test_transparency_shows_the_background_of_the_runs_own_data(unpaired, tmp_path, monkeypatch):
    put(tmp_path / "in" / "x.png", np.zeros((16, 16, 4), np.uint8))
    white = files(translate(unpaired, tmp_path / "in", tmp_path / "out").parent)
    load = load_run

    def over_black(*arguments):
        plan, step, state = load(*arguments)
        plan = copy.copy(plan)
        plan.config = copy.deepcopy(plan.config).unlock()
        plan.config.data.background = (0,)
        return plan, step, state

    monkeypatch.setattr("jaxgan.verbs.translation.load_run", over_black)
    assert files(translate(unpaired, tmp_path / "in", tmp_path / "out").parent)["x.png"] != white["x.png"]


def test_pictures_of_one_name_all_survive(unpaired, tmp_path):
    """Also where the name that one is given is another's own."""
    for name in ("a.png", "a.jpg", "a.png.webp", "b.jpg"):
        put(tmp_path / "in" / name, noise(16, 16, 3))
    made = files(translate(unpaired, tmp_path / "in", tmp_path / "out").parent)
    assert made.keys() == {"a.png.png", "a.jpg.png", "a.png.webp.png", "b.png", "index.html"}
    assert len(set(made.values())) == 5


def test_an_archive_is_the_same_folder(unpaired, album, tmp_path):
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as out:
        for path in sorted(album.rglob("*.*")):
            out.write(path, path.relative_to(tmp_path))
    made = [files(translate(unpaired, x, tmp_path / f"{x.name}_out").parent) for x in (album, tmp_path / "album.zip")]
    assert made[0] == made[1]


def test_only_the_same_command_replaces_what_it_made(unpaired, album, tmp_path):
    out = tmp_path / "out"
    first = files(translate(unpaired, album, out).parent)
    (out / "notes.txt").write_text("mine")
    (album / "own.png").unlink()
    put(album / "new.png", noise(16, 16, 3))
    again = files(translate(unpaired, album, out).parent)
    assert again.keys() == first.keys() - {"own.png"} | {"new.png", "notes.txt"}  # what is stale is gone, what is mine stays
    put(tmp_path / "two" / "new.png", noise(16, 16, 3))
    for other in ({"source": tmp_path / "two"}, {"way": "ba"}, {"ema": False}):
        with pytest.raises(UserError, match="holds files of another command .*; choose another --out, or replace them with"):
            translate(unpaired, **{"source": album, "out": out, **other})
    put(tmp_path / "two" / "mine.png", noise(16, 16, 3))
    (out / "mine.png").write_bytes(b"a picture of somebody's")
    with pytest.raises(UserError, match="holds 'mine.png', which this command has not made"):
        translate(unpaired, tmp_path / "two", out, overwrite=True)
    assert files(out) == again | {"mine.png": b"a picture of somebody's"}
    (out / "mine.png").unlink()
    made = files(translate(unpaired, tmp_path / "two", out, overwrite=True).parent)
    assert made.keys() == {"new.png", "mine.png", "index.html", "notes.txt"} and made["notes.txt"] == b"mine"


def test_names_that_are_no_utf8(unpaired, tmp_path):
    put(tmp_path / "in" / "b.png", noise(16, 16, 3)).rename(tmp_path / "in" / "caf\udce9.png")
    page = translate(unpaired, tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out" / "caf\udce9.png").is_file() and r"caf\udce9.png" in page.read_text("utf-8")


def test_the_same_call_gives_the_same_bytes(paired, album, tmp_path):
    made = [files(translate(paired, album, tmp_path / name).parent) for name in ("one", "two")]
    assert made[0] == made[1]
    raw = files(translate(paired, album, tmp_path / "raw", ema=False).parent)
    assert raw["own.png"] != made[0]["own.png"]


def test_both_directions(unpaired, album):
    """By default each has a folder of the run's."""
    ab, ba = (translate(unpaired, album, None, way) for way in ("ab", "ba"))
    assert (ab.parent, ba.parent) == (unpaired / "translated" / "ab", unpaired / "translated" / "ba")
    assert (array(ab.parent / "own.png") != array(ba.parent / "own.png")).any()
    assert "step 4, ba" in ba.read_text("utf-8")
    before = files(ab.parent)
    with pytest.raises(UserError, match="is among what is read, .*; choose another --out"):
        translate(unpaired, ab.parent, None)
    assert files(ab.parent) == before


@pytest.mark.parametrize(
    ("where", "reason"), [("folder", "'sub/bad.png' .* is no picture that Pillow"), ("zip", "bad.png' in ")]
)
def test_a_corrupt_picture_is_named_and_nothing_written(where, reason, unpaired, tmp_path):
    put(tmp_path / "in" / "a.png", noise(16, 16, 3))
    (tmp_path / "in" / "sub").mkdir()
    (tmp_path / "in" / "sub" / "bad.png").write_bytes(
        b"no picture" if where == "folder" else (tmp_path / "in" / "a.png").read_bytes()[:200]
    )
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as out:
        for name in ("a.png", "sub/bad.png"):
            out.write(tmp_path / "in" / name, name)
    with pytest.raises(UserError, match=reason):
        translate(unpaired, tmp_path / ("in" if where == "folder" else "z.zip"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_writes_nothing_outside_of_its_folder(unpaired, tmp_path):
    for i, name in enumerate(("../x.png", "/x.png")):
        with zipfile.ZipFile(tmp_path / f"{i}.zip", "w") as out:
            for member in (name, "deep/y.png"):
                out.write(put(tmp_path / "x" / "x.png", noise(4, 4, 3)), member)
            out.filelist[0].filename = name  # which `write` made harmless
        with pytest.raises(UserError, match=f"'{name}' in .* would be written outside of --out"):
            translate(unpaired, tmp_path / f"{i}.zip", tmp_path / "out")


def say(capsys, *arguments):
    """The exit code and what `launch.py` prints of mistakes, in this process."""
    code = cli.main(["launch.py", "--mode=translate", *map(str, arguments)])
    return code, capsys.readouterr().err.strip()


def test_the_command(unpaired, album, tmp_path, capsys):
    code, _ = say(
        capsys, f"--workdir={unpaired}", f"--input={album}", f"--out={tmp_path / 'out'}", "--direction=ba", "--noema"
    )
    assert code == 0
    assert files(tmp_path / "out") == files(translate(unpaired, album, tmp_path / "two", "ba", ema=False).parent)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("paired", ["--input={}/album", "--direction=ba"], "this run translates one way alone; leave --direction=ba out"),
        ("unpaired", [], "--mode=translate needs --input"),
        ("unpaired", ["--input={}/albun"], "there is no '{}/albun'; did you mean '{}/album'?"),
        ("unpaired", ["--input={}/album/own.png"], "'{}/album/own.png' is neither a folder nor an archive"),
        ("unpaired", ["--input={}/empty"], "'{}/empty' holds no pictures"),
        ("unpaired", ["--input={}/broken.zip"], "'{}/broken.zip' cannot be read: File is not a zip file"),
        ("unpaired", ["--input={}/album", "--out={}/notes.txt"], "--out={}/notes.txt must be a folder, and not a file"),
        ("unpaired", ["--input={}/album", "--out={}/album"], "{}/album is among what is read, {}/album; choose"),
        (
            "unpaired",
            ["--input={}/album/sub", "--out={}/album"],
            "{}/album holds what is read, {}/album/sub; choose another",
        ),
        (
            "unpaired",
            ["--input={}/album/sub", "--out={}/empty/../link"],
            "{}/empty/../link holds what is read, {}/album/sub",
        ),
        ("unpaired", ["--input={}/album", "--out={}/other"], "{}/other holds 'mine.txt', which this command has not made; "),
        ("unpaired", ["--input={}/album", "--out={}/notes.txt/x"], "{}/notes.txt/x cannot be written: Not a directory"),
        ("unpaired", ["--input={}/album", "--direction=bc"], "flag --direction=bc: value should be one of <ab|ba>"),
        ("unpaired", ["--input={}/album", "--num=3"], "--num has no effect in --mode=translate"),
    ],
)
def test_mistakes(kind, arguments, message, album, tmp_path, capsys, request):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "album")
    (tmp_path / "broken.zip").write_bytes(b"PK and no more")
    before = files(tmp_path)
    arguments = [x.replace("{}", str(tmp_path)) for x in arguments]
    code, shown = say(capsys, f"--workdir={request.getfixturevalue(kind)}", *arguments)
    assert code == 2 and shown.startswith("error: ") and len(shown.splitlines()) == 1
    assert message.replace("{}", str(tmp_path)) in shown
    assert files(tmp_path) == before


def test_a_sheet_has_a_row_for_each_example():
    grey, colour = noise(9, 2, 3, 1), noise(9, 2, 3, 3)
    picture = sheet_picture(grey[:3], colour[:3])
    assert picture.shape == (3 * 2, 2 * 3, 3)
    np.testing.assert_array_equal(picture[2:4, 3:], colour[1])
    np.testing.assert_array_equal(picture[4:6, :3], np.repeat(grey[2], 3, -1))
    two = sheet_picture(colour, colour[::-1])  # two in a line
    assert two.shape == (5 * 2, 4 * 3, 3)
    np.testing.assert_array_equal(two[2:4, 6:], np.concatenate([colour[3], colour[5]], 1))
    assert not two[8:, 6:].any()
    assert sheet_picture(colour, colour, most=4).shape == (4 * 2, 2 * 3, 3)
    assert sheet_picture(grey, grey, most=1).shape == (2, 6, 1)
