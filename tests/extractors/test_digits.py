"""The digits' classifier reads shrunk digits nearly as well, and refuses what it cannot read."""

import pytest

from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError
from jaxgan.extractors.digits import Digits, accuracy


@pytest.mark.parametrize("side, least", [(28, 0.99), (16, 0.98)])
def test_it_reads_digits_of_several_sizes(side, least):
    test = Tfds(name="digits", split="test", size=(side,)).open().load()
    assert test["image"].shape[1:] == (side, side, 1)
    network = Digits().load((side, side, 1))
    assert accuracy(network.variables, test["image"], test["label"])[0] >= least
    assert network.contract.startswith("28x28, each" if side == 28 else "16x16, cubic to 28x28")


@pytest.mark.parametrize("shape", [(12, 12, 1), (28, 32, 1), (28, 28, 4)])
def test_what_it_cannot_read_is_refused(shape):
    with pytest.raises(UserError, match="with up to 3 channels, not " + "x".join(map(str, shape))):
        Digits().load(shape)
