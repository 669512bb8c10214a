"""`--mode=upscale`: pictures of every size and kind through a small run, resumed, blended, bounded; mistakes in one line."""

import json
import re
import zipfile
from functools import partial

import jax
import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

import jaxgan
from jaxgan import cli, upscaler
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.data import bicubic
from jaxgan.data.deep import read
from jaxgan.data.features import features_of
from jaxgan.data.pairs import Beside
from jaxgan.data.picture import opened
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import Failure, UserError
from jaxgan.images import to_uint8
from jaxgan.plan import Plan
from jaxgan.png import png
from jaxgan.sections import sections
from jaxgan.training.train import train
from jaxgan.upscaler import ROOM, Upscaler, enlarged
from jaxgan.verbs import upscaling, upscaling_page
from jaxgan.verbs.outputs import NOTE
from jaxgan.verbs.upscaling import Asked, upscale
from jaxgan.workdir.runs import load_run

RNG = np.random.default_rng(0)
K = 2


def noise(*shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def put(path, pixels, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        with png(path, *pixels.shape, 16) as write:
            write(pixels)
    else:
        Image.fromarray(pixels).save(path, **how)
    return path


def got(path):
    return read(partial(opened, path)).pixels


def trained(folder, channels=3, seed=0, width=4):
    """A run that has learned for four steps."""
    shapes = (16, 16, channels), (16 // K, 16 // K, channels)
    images = noise(24, *shapes[0])
    sources = images[:, ::K, ::K]
    data = Images("pairs", Arrays(images, None, np.arange(24)), features_of(shapes[0], 0, shapes[1]), True)
    data.examples = Beside(data.examples, Arrays(sources, None, np.arange(24)))
    base = load_config(f"{ROOT}/configs/default.py")
    base.task, base.nets = {"name": "enlarging:Enlarge"}, {"gen": {"name": "shuffling"}}
    base.data, base.rounds, base.optim = {"name": "digits"}, {"gen": 1}, {"gen": {"lr": 0.02}}
    small = {"steps": 4, "batch_size": 4, "seed": seed, "nets.gen.width": width, "sample.every": 0,
             "log.tensorboard": "false", "sample.num": 4, "log.every": 2, "checkpoint.every": 4}  # fmt: skip
    config = resolve_config(base, [(key, str(x)) for key, x in small.items()], sections)
    train(Plan(config, data.features), data, folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp("upscale")
    return {
        "run": trained(home / "run"),
        "base": trained(home / "base", seed=1),
        "wide": trained(home / "wide", width=5),
        "grey": trained(home / "grey", channels=1),
    }


@pytest.fixture(scope="module")
def run(runs):
    return runs["run"]


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """Checkpoints are read, and radii computed, once, and not once a call."""
    states, load, radii, radius = {}, load_run, {}, upscaler.radius

    def remembered(folder, placement, step=None, overrides=()):
        if folder not in states:
            states[folder] = load(folder, placement)
        return states[folder]

    def known(fn, variables, scale, channels):
        key = scale, channels
        if key not in radii:
            radii[key] = radius(fn, variables, scale, channels)
        return radii[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(upscaling, "load_run", remembered)
        patched.setattr(upscaler, "radius", known)
        yield


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 16 px, whatever the bound."""
    monkeypatch.setattr(Upscaler, "side", lambda self, pixels: 16)


def files(folder):
    """What is in a folder, but for the note of who made it."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != NOTE]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def made(run, picture, **asked):
    """What the network makes of a whole picture float [H, W, C] in [-1, 1]."""
    model = jaxgan.load(run)
    nets = model._nets.players
    return np.asarray(model._plan.task().upscale(nets, np.asarray(picture, np.float32)[None]))[0]


def test_the_network_sees_four_pixels(run):
    model = jaxgan.load(run)
    assert upscaler.radius(lambda v, x: model._plan.task().upscale(v, x), model._nets.players, K, 3) == 2 + 1


SIZES = {"own.png": (8, 8), "sub/wide.png": (17, 61), "odd.bmp": (37, 23), "dot.png": (1, 1), "a & b.png": (2, 50)}


def test_names_and_pixels_of_any_size(run, small_tiles, tmp_path):
    """Each is what the network makes of the whole picture, though it is cut into tiles."""
    pictures = {name: noise(*size, 3) for name, size in SIZES.items()}
    for name, picture in pictures.items():
        put(tmp_path / "in" / name, picture)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    page = upscale(run, tmp_path / "in", tmp_path / "out")
    assert page == tmp_path / "out" / "index.html"
    names = {f"pictures/{name.rpartition('.')[0]}.png" for name in SIZES}
    assert {name for name in files(tmp_path / "out") if not name.startswith("crops/")} == names | {"index.html"}
    for name, picture in pictures.items():
        result = got(tmp_path / "out" / "pictures" / f"{name.rpartition('.')[0]}.png")
        assert result.shape == (picture.shape[0] * K, picture.shape[1] * K, 3)
        wanted = to_uint8(made(run, picture / 127.5 - 1))
        assert np.abs(result.astype(int) - wanted).max() <= 1 and (result != wanted).mean() < 1e-3


def test_16_bits_alpha_and_grey_are_kept(run, small_tiles, tmp_path):
    deep, clear, grey = noise(21, 33, 3, dtype=np.uint16), noise(21, 33, 4), noise(21, 33)
    put(tmp_path / "in" / "deep.png", deep)
    put(tmp_path / "in" / "clear.png", clear)
    put(tmp_path / "in" / "grey.png", grey)
    put(tmp_path / "in" / "deep grey.png", noise(21, 33, dtype=np.uint16))
    put(tmp_path / "in" / "both.png", noise(21, 33, 2, dtype=np.uint16))
    out = upscale(run, tmp_path / "in", tmp_path / "out").parent / "pictures"
    wanted = {"deep": (3, 16), "clear": (4, 8), "grey": (1, 8), "deep grey": (1, 16), "both": (2, 16)}
    for name, (channels, bits) in wanted.items():
        picture = got(out / f"{name}.png")
        assert picture.shape == (42, 66, channels) and picture.dtype.itemsize * 8 == bits, name
    levels = np.clip((made(run, deep / 32767.5 - 1) + 1) * 32767.5, 0, 65535)
    np.testing.assert_allclose(got(out / "deep.png"), levels, atol=1.5)
    assert len(np.unique(got(out / "deep.png") % 257)) > 200  # no 8 bits in the clothes of 16
    both = got(out / "clear.png")
    np.testing.assert_array_equal(both[..., 3:], enlarged(clear[..., 3:], K))
    np.testing.assert_array_equal(both[..., :3], to_uint8(made(run, clear[..., :3] / 127.5 - 1)))
    mean = made(run, np.repeat(grey[..., None], 3, -1) / 127.5 - 1).mean(-1, keepdims=True)
    assert np.abs(got(out / "grey.png").astype(int) - to_uint8(mean)).max() <= 1


def test_a_network_of_one_channel_takes_colours_one_by_one(runs, small_tiles, tmp_path):
    picture = noise(21, 33, 3)
    put(tmp_path / "in" / "x.png", picture)
    put(tmp_path / "in" / "grey.png", picture[..., 0])
    out = upscale(runs["grey"], tmp_path / "in", tmp_path / "out").parent / "pictures"
    np.testing.assert_array_equal(got(out / "x.png")[..., :1], got(out / "grey.png"))
    for c in range(3):
        wanted = to_uint8(made(runs["grey"], picture[..., c : c + 1] / 127.5 - 1))
        assert np.abs(got(out / "x.png")[..., c : c + 1].astype(int) - wanted).max() <= 1


def test_alpha_is_bicubic_and_has_no_seams():
    alpha = noise(40, 9, 1)
    whole = enlarged(alpha, 3)
    np.testing.assert_array_equal(np.concatenate([enlarged(alpha, 3, i, i + 8) for i in range(0, 40, 8)]), whole)
    np.testing.assert_array_equal(whole, bicubic.enlarge(alpha, 3))
    flat = np.full((4, 4, 1), 65535, np.uint16)
    assert (enlarged(flat, 4) == 65535).all()


def test_the_camera_s_rotation_is_applied_and_cmyk_is_rgb(run, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = noise(9, 20, 3)
    put(tmp_path / "in" / "turned.png", picture, exif=exif)
    put(tmp_path / "in" / "plain.png", np.rot90(picture, -1))
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "in" / "print.jpg")
    out = upscale(run, tmp_path / "in", tmp_path / "out").parent / "pictures"
    np.testing.assert_array_equal(got(out / "turned.png"), got(out / "plain.png"))
    assert got(out / "turned.png").shape == (40, 18, 3) and got(out / "print.png").shape == (18, 40, 3)


@pytest.fixture
def mixed(tmp_path):
    """Two good pictures, one that is cut short and an animation."""
    for name in ("a.png", "c.png"):
        put(tmp_path / "in" / name, noise(20, 30, 3))
    (tmp_path / "in" / "b.png").write_bytes((tmp_path / "in" / "a.png").read_bytes()[:80])
    frames = [Image.fromarray(noise(9, 9, 3)) for _ in range(2)]
    frames[0].save(tmp_path / "in" / "moving.gif", save_all=True, append_images=frames[1:])
    return tmp_path / "in"


def test_what_cannot_be_read_is_passed_over_and_told_of(run, mixed, tmp_path, capsys):
    page = upscale(run, mixed, tmp_path / "out")
    told = capsys.readouterr().out
    assert "passed over: 'b.png': " in told
    assert "passed over: 'moving.gif': it has 2 frames or pages, and one is wanted" in told
    assert "2 pictures enlarged by 2, step 4" in told
    assert {*files(page.parent / "pictures")} == {"a.png", "c.png"}
    shown = page.read_text()
    assert "2 pictures that cannot be read" in shown and "<li>moving.gif: it has 2 frames" in shown
    for name in ("a.png", "c.png"):
        (mixed / name).unlink()
    with pytest.raises(Failure, match=r"none of the 2 pictures can be read, the first 'b.png'"):
        upscale(run, mixed, tmp_path / "two")
    with pytest.raises(Failure, match=r"^'moving.gif': it has 2 frames"):
        upscale(run, mixed / "moving.gif", tmp_path / "three")


def test_an_archive_is_the_same_folder(run, mixed, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as out:
        for path in sorted(mixed.iterdir()):
            out.write(path, path.relative_to(tmp_path))
    one, two = (files(upscale(run, x, tmp_path / f"{x.name}_out").parent) for x in (mixed, tmp_path / "in.zip"))
    assert one.keys() == two.keys() and all(one[name] == two[name] for name in one if name != "index.html")


def test_it_goes_on_where_it_stopped(run, tmp_path, monkeypatch):
    for i in range(4):
        put(tmp_path / "in" / f"{i}.png", noise(20, 30, 3))
    whole = files(upscale(run, tmp_path / "in", tmp_path / "whole").parent)
    write, done, most = upscaling._write_one, [], 2

    def killed(upscaler, deep, out, name, is_shown, progress):
        if len(done) == most:
            raise KeyboardInterrupt
        done.append(name)
        write(upscaler, deep, out, name, is_shown, progress)

    monkeypatch.setattr(upscaling, "_write_one", killed)
    with pytest.raises(KeyboardInterrupt):
        upscale(run, tmp_path / "in", tmp_path / "out")
    there = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "pictures").iterdir()}
    assert {*there} == {"0.png", "1.png"} and not (tmp_path / "out" / "index.html").exists()
    done.clear()
    most = 9
    upscale(run, tmp_path / "in", tmp_path / "out")
    assert done == ["2.png", "3.png"]
    assert files(tmp_path / "out") == whole
    assert all((tmp_path / "out" / "pictures" / name).stat().st_mtime_ns == at for name, at in there.items())
    with pytest.raises(UserError, match=r"holds files of another command \(ema: True, now False\)"):
        upscale(run, tmp_path / "in", tmp_path / "out", Asked(ema=False))
    put(tmp_path / "in" / "3.png", noise(8, 8, 3))
    with pytest.raises(UserError, match=r"holds files of another command \(pictures"):
        upscale(run, tmp_path / "in", tmp_path / "out")
    upscale(run, tmp_path / "in", tmp_path / "out", overwrite=True)
    assert got(tmp_path / "out" / "pictures" / "3.png").shape == (16, 16, 3)


def test_strength_goes_from_the_base_to_the_run(runs, tmp_path):
    put(tmp_path / "in" / "x.png", noise(20, 30, 3))

    def of(name, workdir="run", **asked):
        page = upscale(runs[workdir], tmp_path / "in", tmp_path / name, Asked(**asked))
        return got(page.parent / "pictures" / "x.png").astype(int), page.read_text()

    run, base = of("run")[0], of("base", "base")[0]
    ends = [of(f"{s}", base=runs["base"], strength=s)[0] for s in (0.0, 1.0)]
    np.testing.assert_array_equal(ends[0], base)
    np.testing.assert_array_equal(ends[1], run)
    half, page = of("half", base=runs["base"], strength=0.5)
    assert (half != run).mean() > 0.05 and (half != base).mean() > 0.05
    assert "<th>Strength</th><td>0.5; 0 is " in page
    nets = [jaxgan.load(runs[name])._nets.players for name in ("run", "base")]
    mean = jax.tree.map(lambda a, b: (a + b) / 2, *nets)
    with Image.open(tmp_path / "in" / "x.png") as image:
        source = np.asarray(image, np.float32)[None] / 127.5 - 1
    wanted = to_uint8(jaxgan.load(runs["run"])._plan.task().upscale(mean, source))[0]
    assert np.abs(half - wanted).max() <= 1
    with pytest.raises(UserError, match=r"holds files of another command \(strength: 0.5, now 0.25\)"):
        of("half", base=runs["base"], strength=0.25)


def test_networks_that_differ_are_not_blended(runs, tmp_path):
    put(tmp_path / "in" / "x.png", noise(20, 30, 3))
    with pytest.raises(UserError, match=r"wide are not those of this run \(gen.width: 5, here 4\)"):
        upscale(runs["run"], tmp_path / "in", tmp_path / "out", Asked(base=runs["wide"], strength=0.5))
    with pytest.raises(UserError, match=r"grey are not those of this run \(other arrays\)"):
        upscale(runs["run"], tmp_path / "in", tmp_path / "out", Asked(base=runs["grey"], strength=0.5))
    assert not (tmp_path / "out").exists()


def test_the_bound_makes_tiles_and_a_smaller_one_is_refused(run, tmp_path, monkeypatch):
    model, picture = jaxgan.load(run), noise(220, 260, 3)
    players = model._nets.players
    need, beside = Upscaler(model._plan, players)._tiled.need(260, (220, 260, 3), np.uint8), ROOM + 3 * picture.nbytes
    some = [Upscaler(model._plan, players, round(need * share) + beside) for share in (1.01, 0.5)]
    sides = [one.side(picture) for one in some]
    assert sides[0] == 260 and sides[1] < 200
    results = [one(picture) for one in some]
    assert np.abs(results[0].astype(int) - results[1]).max() <= 1
    monkeypatch.setattr(upscaler, "resident", lambda: round(need))
    assert Upscaler(model._plan, players, round(need * 1.5) + beside, whole=True).side(picture) == sides[1]
    put(tmp_path / "in" / "x.png", picture)
    with pytest.raises(UserError, match=r"a picture of 260x220 takes at least .* network sees 3 px each way, and --memory"):
        upscale(run, tmp_path / "in", tmp_path / "out", Asked(memory=10**6))
    assert not (tmp_path / "out").exists()


def test_the_page_shows_the_parts_with_most_detail(run, tmp_path):
    picture = np.full((64, 100, 3), 90, np.uint8)
    picture[32:64, 32:64] = noise(32, 32, 3)
    picture[:32, 64:96] += noise(32, 32, 3) // 8
    put(tmp_path / "in" / "a & b.png", picture)
    put(tmp_path / "in" / "dot.png", noise(1, 1, 3))
    page = upscale(run, tmp_path / "in", tmp_path / "out")
    text = page.read_text("utf-8")
    pattern = r'<img loading="lazy" decoding="async" width="(\d+)" alt="(\w+) \w+[^"]*" src="([^"]+)">'
    shown = re.findall(pattern, text)
    assert [alt for _, alt, _ in shown] == ["enlarged"] * 6 and [int(width) for width, *_ in shown] == [256] * 6
    assert all((page.parent / url.replace("%20", " ").replace("%26", "&")).exists() for *_, url in shown)
    assert '<a href="pictures/a%20%26%20b.png">a &amp; b.png</a><br>100x64 to 200x128' in text
    result = got(page.parent / "pictures" / "a & b.png")
    places = [(0, 64), (32, 32)]
    for k, (top, left) in enumerate(places):
        crop = got(page.parent / "crops" / f"a & b.png.{k + 1}.upscaled.png")
        y, x = top * K, left * K
        np.testing.assert_array_equal(crop, result[y : y + 64, x : x + 64])
        beside = got(page.parent / "crops" / f"a & b.png.{k + 1}.bicubic.png")
        np.testing.assert_array_equal(beside, enlarged(picture, K)[y : y + 64, x : x + 64])
    assert got(page.parent / "crops" / "dot.png.1.upscaled.png").shape == (2, 2, 3)


def test_crops_come_of_any_bands():
    picture = noise(40, 70, 3, dtype=np.uint16)
    result = enlarged(picture, 3)
    crops = upscaling_page.Crops(picture, 3)
    for start in range(0, 120, 7):
        crops.add(result[start : start + 7])
    for (top, left, h, w), crop in zip(crops._places, crops._upscaled, strict=True):
        region = result[top * 3 : (top + h) * 3, left * 3 : (left + w) * 3]
        np.testing.assert_array_equal(crop, region // 257)
    for one, other in zip(crops._bicubic, crops._upscaled):
        np.testing.assert_array_equal(one, other)


def test_a_page_has_so_many_pictures(run, tmp_path, monkeypatch):
    monkeypatch.setattr(upscaling, "SHOWN", 1)
    for i in range(3):
        put(tmp_path / "in" / f"{i}.png", noise(8, 8, 3))
    page = upscale(run, tmp_path / "in", tmp_path / "out")
    assert "The first 1 of 3 pictures; pictures/ has all" in page.read_text()
    assert {*files(page.parent / "crops")} == {"0.png.1.bicubic.png", "0.png.1.upscaled.png"}


def test_a_profile_is_kept(run, tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    put(tmp_path / "in" / "x.jpg", noise(8, 8, 3), icc_profile=profile)
    page = upscale(run, tmp_path / "in", tmp_path / "out")
    with Image.open(page.parent / "pictures" / "x.png") as image:
        assert image.info["icc_profile"] == profile


def test_from_python_the_same_kind_comes_back(run, tmp_path):
    model, picture = jaxgan.load(run), noise(20, 30, 3)
    array = model.upscale(picture)
    assert array.dtype == np.uint8 and array.shape == (40, 60, 3)
    put(tmp_path / "in" / "x.png", picture)
    page = upscale(run, tmp_path / "in", tmp_path / "out")
    np.testing.assert_array_equal(array, got(page.parent / "pictures" / "x.png"))
    image = Image.fromarray(picture)
    image.info["mine"] = 1
    for given in (image, tmp_path / "in" / "x.png", str(tmp_path / "in" / "x.png")):
        result = model.upscale(given)
        assert isinstance(result, Image.Image) and result.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(result), array)
    assert image.info == {"mine": 1}
    grey, deep = noise(9, 7), noise(9, 7, 4, dtype=np.uint16)
    assert model.upscale(grey).shape == (18, 14) and model.upscale(Image.fromarray(grey)).mode == "L"
    assert model.upscale(deep).shape == (18, 14, 4) and model.upscale(deep).dtype == np.uint16
    assert model.upscale(put(tmp_path / "deep.png", deep)).dtype == np.uint16
    sixteen = model.upscale(Image.fromarray(noise(9, 7, dtype=np.uint16)))
    assert sixteen.mode == "I;16" and sixteen.size == (14, 18)
    for wrong, told in (
        (np.zeros((4, 4, 3)), "must be uint8 or uint16"),
        (np.zeros((0, 4, 3), np.uint8), "must be uint8 or uint16"),
        (tmp_path / "nothing.png", "nothing.png' cannot be read"),
        (Image.fromarray(np.zeros((4, 4), np.float32)), "the picture cannot be read: floating-point pixels"),
    ):
        with pytest.raises(UserError, match=told):
            model.upscale(wrong)
    with pytest.raises(UserError, match="takes at least .* sees 3 px each way"):
        model.upscale(noise(200, 200, 3), memory="1kB")
    with pytest.raises(UserError, match="memory must be a number of bytes, 1GB or 800MB, not 'much'"):
        model.upscale(grey, memory="much")


def say(capsys, *arguments):
    """The exit code and what `launch.py` prints of mistakes, in this process."""
    code = cli.main(["launch.py", "--mode=upscale", *map(str, arguments)])
    return code, capsys.readouterr().err.strip()


def test_the_command(runs, tmp_path, capsys):
    put(tmp_path / "x.png", noise(20, 30, 3))
    words = [f"--workdir={runs['run']}", f"--input={tmp_path / 'x.png'}", f"--base={runs['base']}", "--strength=.5"]
    code, _ = say(capsys, *words, "--noema", "--scale=2", "--memory=8GB", f"--out={tmp_path / 'out'}")
    assert code == 0
    asked = Asked(base=runs["base"], strength=0.5, ema=False)
    assert files(tmp_path / "out") == files(upscale(runs["run"], tmp_path / "x.png", tmp_path / "two", asked).parent)
    request = json.loads((tmp_path / "out" / NOTE).read_text())["request"]
    assert request["strength"] == 0.5 and "memory" not in request
    assert upscale(runs["run"], tmp_path / "x.png", None) == runs["run"] / "upscaled" / "index.html"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input={}/x.png", "--scale=3"], "this run enlarges by 2, and not by 3: --scale=2, or leave it out"),
        (["--input={}/x.png", "--strength=.5"], "--strength goes with --base"),
        (["--input={}/x.png", "--base=somewhere"], "--strength goes with --base"),
        (["--input={}/x.png", "--base=somewhere", "--strength=2"], "--strength=2: 2.0 is not a number in the range [0, 1]"),
        (["--input={}/x.png", "--base=somewhere", "--strength=nan"], "--strength must be from 0 to 1, not nan"),
        (["--input={}/x.png", "--base={}/nowhere", "--strength=.5"], "nowhere holds no run"),
        (["--input={}/x.png", "--memory=lots"], "--memory must be a number of bytes, 1GB or 800MB, not 'lots'"),
        (["--input={}/x.png", "--memory=1MB"], "a picture of 30x20 takes at least "),
        (["--input={}/x.txt"], "is no picture, no folder and no archive"),
        ([], "--mode=upscale needs --input"),
    ],
)
def test_mistakes_are_one_line(arguments, message, run, tmp_path, capsys):
    put(tmp_path / "x.png", noise(20, 30, 3))
    (tmp_path / "x.txt").write_text("notes")
    before = files(tmp_path)
    code, told = say(capsys, f"--workdir={run}", f"--out={tmp_path / 'out'}", *(x.format(tmp_path) for x in arguments))
    assert code == 2 and len(told.splitlines()) == 1 and message in told
    assert files(tmp_path) == before
