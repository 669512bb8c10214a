"""Maps within fixed networks: VGG19 by hand, in numpy and by PyTorch, EfficientNet by its own features; sizes and names."""

import importlib.util
import io
import zipfile
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from extractors import reference_torch as reference

from jaxgan.errors import UserError
from jaxgan.extractors import convnet, efficientnet, vgg19
from jaxgan.extractors.base import Random
from jaxgan.extractors.efficientnet import EfficientNetLite0
from jaxgan.extractors.stages import RANDOM, STAGES, Stages, stages_of
from jaxgan.extractors.vgg19 import Vgg19

INSTALLED = importlib.util.find_spec(efficientnet.PACKAGE) is not None


def images(seed, *shape):
    """Pictures [N, H, W, C] in [-1, 1], of 8 bits."""
    return jnp.asarray(reference.pictures(seed, *shape), jnp.float32) / 127.5 - 1


def map_of(network, x, name):
    stages = stages_of(network)
    assert stages is not None
    return jax.jit(stages.map, static_argnums=2)(network.variables, x, name)


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """Random weights under torchvision's names, among those of dense layers, which are left."""
    path = tmp_path_factory.mktemp("vgg") / "weights.npz"
    np.savez(path, **reference.random_weights(3, vgg19.shapes()), **{"classifier.0.bias": np.zeros(4096, np.float32)})
    return path


@pytest.fixture(scope="module")
def vgg(vgg_file):
    return Vgg19(weights=str(vgg_file)).load((32, 32, 3))


def vgg_by_hand(state, pixels, last):
    """[N, H, W, C] in [0, 1] -> the map of a layer, in float64 and torch's own numbering of layers."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (np.asarray(pixels, np.float64) - mean) / std
    order = ["1_1", "1_2", "", "2_1", "2_2", "", *(f"3_{i}" for i in range(1, 5)), "", *(f"4_{i}" for i in range(1, 5)), ""]
    order += [f"5_{i}" for i in range(1, 5)]
    place = 0
    for name in order:
        n, height, width, _ = x.shape
        if not name:
            x = x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, -1).max((2, 4))
            place += 1
            continue
        w, padded = state[f"features.{place}.weight"], np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, i : i + height, j : j + width] @ w[:, :, i, j].T for i in range(3) for j in range(3)]
        x = sum(taps) + state[f"features.{place}.bias"]
        if name == last:
            return x
        x, place = np.maximum(x, 0), place + 2
    raise AssertionError(last)


def test_torchvision_numbers_its_layers_so():
    """The places of `torchvision.models.vgg19().features` that are convolutions, and 20,024,384 params in them."""
    places = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert list(vgg19.shapes()) == [f"features.{i}.{part}" for i in places for part in ("weight", "bias")]
    assert sum(int(np.prod(shape)) for shape in vgg19.shapes().values()) == 20_024_384
    assert vgg19.LAYERS[0] == "conv1_1" and vgg19.LAYERS[-1] == "conv5_4" and len(vgg19.LAYERS) == 16


def test_vgg_by_hand(vgg, vgg_file):
    x = images(5, 2, 37, 32, 3)
    with np.load(vgg_file) as state:
        for name, places in (("conv1_2", 37), ("conv3_1", 9), ("conv5_4", 2)):
            want = vgg_by_hand(state, (x + 1) / 2, name[4:])
            found = map_of(vgg, x, name)
            assert found.shape == want.shape and found.shape[1] == places and want.std() > 0.1
            np.testing.assert_allclose(found, want, atol=1e-4 * np.abs(want).max())
        np.testing.assert_array_equal(map_of(vgg, x, "relu5_4"), np.maximum(map_of(vgg, x, "conv5_4"), 0))


def test_vgg_is_torch_s(vgg, vgg_file):
    torch = pytest.importorskip("torch")
    from torch import nn

    blocks, channels = [], 3
    for features, n in vgg19.BLOCKS:
        for _ in range(n):
            blocks += [nn.Conv2d(channels, features, 3, padding=1), nn.ReLU()]
            channels = features
        blocks += [nn.MaxPool2d(2)]
    net = nn.Sequential(*blocks)
    with np.load(vgg_file) as state:
        net.load_state_dict({k.removeprefix("features."): torch.from_numpy(state[k]) for k in vgg19.shapes()})
    x = images(6, 2, 40, 48, 3)
    unit = ((np.asarray(x) + 1) / 2 - vgg19.MEAN) / vgg19.STD
    with torch.no_grad():
        want = net[:35](torch.from_numpy(unit.astype(np.float32)).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(map_of(vgg, x, "conv5_4"), want, atol=1e-4 * np.abs(want).max())


def test_vgg_of_a_file_of_torch_save_s_kind(vgg_file, tmp_path):
    """Another name than torchvision's, by the digits of its hash; and a file for another network."""
    network = Vgg19(weights=str(vgg_file)).load((16, 16, 1))
    assert network.name == f"vgg19_{network.hash[:8]}"
    features, logits = network.apply(network.variables, jnp.zeros((2, 16, 16, 1), jnp.uint8))
    assert features.shape == (2, 512) and features.dtype == jnp.float32 and logits is None
    (tmp_path / "other.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", **{"features.0.weight": np.zeros((64, 3, 5, 5), np.float32)})
    with pytest.raises(UserError, match="is for another network"):
        Vgg19(weights=f"{tmp_path}/other.npz").load((16, 16, 3))
    with zipfile.ZipFile(tmp_path / "broken.pth", "w") as file:
        file.writestr("a", io.BytesIO(b"").read())
    with pytest.raises(UserError, match=r"a zip archive, but not torch.save's"):
        Vgg19(weights=f"{tmp_path}/broken.pth").load((16, 16, 3))


def test_what_vgg_refuses(vgg_file):
    with pytest.raises(UserError, match=r"has no weights: its field weights=FILE names vgg19-dcbb9e9d.pth"):
        Vgg19().load((32, 32, 3))
    with pytest.raises(UserError, match=r"nowhere.pth cannot be read: No such file"):
        Vgg19(weights="nowhere.pth").check()
    with pytest.raises(UserError, match="takes pictures of 16x16 or more, not 12x40"):
        Vgg19(weights=str(vgg_file)).load((12, 40, 3))


@pytest.fixture(scope="module")
def efficient():
    """EfficientNet-lite0 with random weights."""
    state = reference.random_weights(2, efficientnet.shapes())
    return SimpleNamespace(name="efficientnet_lite0", variables=convnet.variables(state))


def test_efficientnet_s_stages_have_their_sizes(efficient):
    x = jax.ShapeDtypeStruct((1, 96, 64, 3), jnp.float32)
    sizes = {}
    for name in efficientnet.MAPS:
        made = jax.eval_shape(lambda x, name=name: STAGES["efficientnet_lite0"].map(efficient.variables, x, name), x)
        sizes[name] = (96 // made.shape[1], made.shape[3])
        assert made.shape[1] * 64 == made.shape[2] * 96
    assert sizes == {
        "stem": (2, 32), "stage_1": (2, 16), "stage_2": (4, 24), "stage_3": (8, 40), "stage_4": (16, 80),
        "stage_5": (16, 112), "stage_6": (32, 192), "stage_7": (32, 320), "head": (32, 1280),
    }  # fmt: skip


@pytest.mark.slow
def test_efficientnet_s_stages_are_of_the_network_that_scores_use(efficient):
    """At 224 px nothing is resized: the mean of the last map's activation is the feature; grey is repeated."""
    x = images(7, 1, 224, 224, 1)
    want = efficientnet._apply(efficient.variables, (x + 1) * 127.5)[0]
    found = jax.nn.relu6(map_of(efficient, x, "head")).mean((1, 2))
    np.testing.assert_allclose(found, want, atol=1e-3 * np.abs(want).max())


def test_a_stage_s_slope_by_differences():
    network = Random().load((16, 16, 3))
    stages = stages_of(network)
    assert stages is not None
    with jax.enable_x64(True):
        x = jnp.asarray(images(8, 1, 16, 16, 3), jnp.float64)
        along = jax.random.normal(jax.random.key(0), x.shape, jnp.float64)
        for name in RANDOM:
            fn = lambda t, name=name: jnp.mean(stages.map(network.variables, x + t * along, name) ** 2)  # noqa: E731
            assert stages.map(network.variables, x, name).dtype == jnp.float64
            assert float(jax.grad(fn)(0.0)) == pytest.approx(float(fn(1e-5) - fn(-1e-5)) / 2e-5, rel=1e-4)
        assert float(jnp.min(stages.map(network.variables, x, "conv_1"))) < 0  # before the activation


def test_which_networks_have_stages():
    assert stages_of(SimpleNamespace(name="vgg19_0123abcd")) == STAGES["vgg19"]
    mine = Stages(("all",), lambda variables, images, name: images)
    assert stages_of(SimpleNamespace(name="mine", stages=mine)) is mine
    assert stages_of(SimpleNamespace(name="vgg")) is None and stages_of(object()) is None
    for name, stages in STAGES.items():
        assert len(set(stages.names)) == len(stages.names), name


@pytest.mark.skipif(not INSTALLED, reason='needs the extra "features"')
def test_the_package_s_weights_tell_a_blurred_picture():
    network, x = EfficientNetLite0().load((32, 32, 3)), images(9, 1, 32, 32, 3)
    maps = [map_of(network, y, "stage_3") for y in (x, x + 0.01, jax.image.resize(x[:, ::4, ::4], x.shape, "cubic"))]
    near, far = (float(jnp.mean((y - maps[0]) ** 2)) for y in maps[1:])
    assert maps[0].shape == (1, 4, 4, 40) and 10 * near < far
