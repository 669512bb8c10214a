"""EfficientNet-lite2: the widths of its stages, and what the shipped weights see."""

import importlib.util

import jax
import numpy as np
import pytest

from jaxgan.extractors import convnet, efficientnet
from jaxgan.extractors import efficientnet_lite2 as lite2

INSTALLED = importlib.util.find_spec(lite2.PACKAGE) is not None


def test_its_stages_are_wider_and_deeper_than_those_of_lite0():
    weights = {name: jax.ShapeDtypeStruct(shape, np.float32) for name, shape in lite2.shapes().items()}
    assert sum(name.endswith("_depthwise_conv.weight") for name in weights) == 1 + 3 + 3 + 4 + 4 + 5 + 1
    state = {name: np.zeros(x.shape, np.float32) for name, x in weights.items()}
    conv = convnet.conv_of(convnet.variables(state))
    image = jax.ShapeDtypeStruct((1, 64, 96, 3), np.float32)
    found = [jax.eval_shape(lambda x, name=name: lite2.stage(conv, x, name), image).shape for name in efficientnet.MAPS]
    sizes = [(32, 48), (32, 48), (16, 24), (8, 12), (4, 6), (4, 6), (2, 3), (2, 3), (2, 3)]
    widths = [32, 16, 24, 48, 88, 120, 208, 352, 1280]
    assert found == [(1, *size, width) for size, width in zip(sizes, widths)]


@pytest.mark.skipif(not INSTALLED, reason='needs the extra "photographs"')
def test_it_names_what_is_on_photographs():
    data = pytest.importorskip("skimage.data")
    network = lite2.EfficientNetLite2().load((260, 260, 3))
    assert network.hash == "c7e0952b2aa55811"
    for picture, kind in ((data.chelsea(), 285), (data.coffee(), 967)):  # ImageNet's Egyptian cat, and espresso
        assert int(np.argmax(network.apply(network.variables, picture[None])[1])) == kind
