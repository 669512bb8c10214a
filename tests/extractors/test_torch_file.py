"""Files of torch.save: read to the bit, and never obeyed."""

import contextlib
import io
import pickle
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from extractors import reference_torch as reference

from jaxgan.errors import UserError
from jaxgan.extractors import torch_file

BASE = np.arange(24, dtype=np.float32)
FOUR = BASE[:4].tobytes()
STATE = {  # what reference.saved holds
    "weight": np.ones(2, np.float32),
    "bias": np.zeros(2, np.float32),
    "running_mean": np.zeros(2, np.float32),
    "running_var": np.ones(2, np.float32),
    "num_batches_tracked": np.array(0),
    "plain": BASE.reshape(2, 3, 4),
    "transposed": BASE.reshape(4, 6).T,
    "tail": BASE[20:],
    "count": np.array(2**40),
    "half": np.array([0.5, -2], np.float16),
    "double": np.array([[1e300]]),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), np.float32),
}


def check(read):
    assert list(read) == list(STATE)
    for name, x in read.items():
        assert x.dtype == STATE[name].dtype and x.shape == STATE[name].shape, name
        np.testing.assert_array_equal(x, STATE[name])
        assert x.flags.c_contiguous and x.flags.writeable and x.base is None  # of no other's memory


@pytest.mark.parametrize("layout", ["zip", "row"])
def test_reads_what_torch_wrote(layout, tmp_path):
    content = np.load(reference.GOLDEN)[layout].tobytes()
    (tmp_path / "state.pth").write_bytes(content)
    check(torch_file.read(tmp_path / "state.pth"))


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_what_torch_writes(zipped, tmp_path):
    torch = pytest.importorskip("torch")
    (tmp_path / "state.pth").write_bytes(reference.saved(zipped).tobytes())
    check(torch_file.read(tmp_path / "state.pth"))
    state = {name: torch.randn(3, 4, dtype=torch.float32) for name in "abc"}
    torch.save(state, tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    for name, x in torch_file.read(tmp_path / "state.pth").items():
        np.testing.assert_array_equal(x, state[name].numpy())


def as_zip(path, program, data=FOUR, order=b"little"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("state/data.pkl", program)
        archive.writestr("state/byteorder", order)
        archive.writestr("state/data/0", data)


def as_row(path, program, data=FOUR, order=True):
    head = [torch_file.MAGIC, 1001, {"little_endian": order}]
    numbers = pickle.dumps(["0"]) + (4).to_bytes(8, "little") + data
    path.write_bytes(b"".join(pickle.dumps(x, 2) for x in head) + program + numbers)


LAYOUTS = pytest.mark.parametrize("write", [as_zip, as_row])


def program(offset=0, size=(4,), stride=(1,), function="torch._utils\n_rebuild_tensor_v2", storage="torch\nFloatStorage"):
    """The pickle of {"w": a tensor} on a storage of four numbers, put together by hand."""
    numbers = [b"(" + b"".join(b"I%d\n" % n for n in row) + b"t" for row in (size, stride)]
    pid = b"(Vstorage\nc" + storage.encode() + b"\nV0\nVcpu\nI4\ntQ"
    tensor = b"c" + function.encode() + b"\n(" + pid + b"I%d\n" % offset + b"".join(numbers) + b"I00\nNtR"
    return b"(dVw\n" + tensor + b"s."


@LAYOUTS
def test_views_stay_within_their_numbers(write, tmp_path):
    """The first check is that the hand-made pickle is right where it means no harm."""
    path = tmp_path / "state.pth"
    write(path, program(offset=1, size=(3,)))
    np.testing.assert_array_equal(torch_file.read(path)["w"], BASE[1:4])
    write(path, program(size=(2, 2), stride=(1, 2)))
    np.testing.assert_array_equal(torch_file.read(path)["w"], BASE[:4].reshape(2, 2).T)
    for beyond in (
        {"offset": 1},
        {"offset": -1},
        {"size": (5,)},
        {"size": (2,), "stride": (4,)},
        {"size": (2,), "stride": (-1,)},
        {"size": (-1,)},
        {"size": (10**9,), "stride": (0,)},
        {"offset": 4, "size": (), "stride": ()},
    ):
        write(path, program(**beyond))
        refused(path, "damaged, or no file of torch.save (ValueError: a tensor reaches beyond its numbers)")
    write(path, program(size=(2, 2), stride=(1,)))
    refused(path, "damaged")


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@LAYOUTS
def test_nothing_is_run(write, tmp_path):
    path, harmed = tmp_path / "state.pth", tmp_path / "harmed"
    bomb = pickle.dumps({"w": Harm(harmed)})
    write(path, bomb)
    refused(path, "io.open', and only plain tensors are read")
    path.write_bytes(bomb)  # by itself, which torch.load would run too
    refused(path, "io.open'")
    assert not harmed.exists()
    pickle.loads(bomb)["w"].close()
    assert harmed.exists()  # it would have been


@LAYOUTS
@pytest.mark.parametrize(
    "name", ["builtins\neval", "torch\nload", "torch._utils\n_rebuild_tensor_v3", "collections\ndefaultdict", "os\nsystem"]
)
def test_names_that_are_not_tensors_are_refused(write, name, tmp_path):
    write(tmp_path / "state.pth", program(function=name))
    refused(tmp_path / "state.pth", f"it asks for '{name.replace(chr(10), '.')}'")


@LAYOUTS
def test_refused(write, tmp_path):
    path = tmp_path / "state.pth"
    write(path, program(storage="torch\nBFloat16Storage"))
    refused(path, "it asks for 'torch.BFloat16Storage'")
    for altered in (program().replace(b"ctorch\nFloatStorage\n", b"VO\n"), program().replace(b"Vstorage", b"Vmodule")):
        write(path, altered)
        refused(path, "an unknown kind of storage")
    write(path, pickle.dumps([1, 2]))
    refused(path, "it holds a list, not a dict of tensors")
    write(path, pickle.dumps(OrderedDict(epoch=3)))
    refused(path, "its 'epoch' is no tensor; save the network's state_dict() alone")
    write(path, program(), data=BASE[:3].tobytes())
    refused(path, "damaged")
    for length in (3, 20, 60, 120):
        write(path, program())
        path.write_bytes(path.read_bytes()[:length])
        refused(path, "damaged")
    write(path, program(), order=b"big" if write is as_zip else False)
    refused(path, "written on a big-endian machine")


def test_refused_files(tmp_path):
    path = tmp_path / "state.pth"
    refused(path, "state.pth cannot be read: No such file")
    refused(tmp_path, "cannot be read: Is a directory")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")
    refused(path, "it is a zip archive, but not torch.save's")
    path.write_bytes(pickle.dumps({"w": 1}))
    refused(path, "it is a pickle, but not torch.save's")
    for content in (b"", b"<!DOCTYPE html>", b"PK\3\4", bytes(range(256))):
        path.write_bytes(content)
        refused(path, "state.pth is damaged, or no file of torch.save")


def test_a_file_takes_no_more_memory_than_it_has_bytes(tmp_path):
    """Compressed zeros; many tensors of the same numbers; more numbers than there are; a pickle of two billion places."""
    path, n = tmp_path / "state.pth", 2**20
    storage = pickle.dumps(["0"]) + (2**40).to_bytes(8, "little") + FOUR
    heads = b"".join(pickle.dumps(x, 2) for x in (torch_file.MAGIC, 1001, {"little_endian": True}))
    tracemalloc.start()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state/data.pkl", program(size=(n,)))
        archive.writestr("state/data/0", bytes(4 * n))
    refused(path, "damaged, or no file of torch.save (ValueError: it is said to hold 4,194,304 bytes, and has not as many)")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state/data.pkl", b"N" * n + program())
    refused(path, "it is said to hold 1,0")
    path.write_bytes(heads + program() + storage)
    refused(path, "it is said to hold 4,398,046,511,104 bytes")
    one = program(size=(n,))[2:-2]  # without the dict around it
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("state/data.pkl", b"(d" + b"".join(b"V%d\n" % i + one[3:] + b"s" for i in range(9)) + b".")
        archive.writestr("state/data/0", bytes(4 * n))
    refused(path, "it is said to hold 37,748,736 bytes")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 16 * n  # of 4 n in the last of the files
    for write in (as_zip, as_row):
        write(path, b"Nr" + (2**31 - 1).to_bytes(4, "little") + program())
        refused(path, "a pickle with more places than steps")


@pytest.mark.parametrize("name", ["torch._utils\n_rebuild_tensor_v2", "collections\nOrderedDict", "torch\nFloatStorage"])
def test_what_is_given_out_cannot_be_altered_for_the_next(name, tmp_path):
    path = tmp_path / "state.pth"
    as_zip(path, b"c" + name.encode() + b"\n(N(dV__name__\nValtered\nstb0" + program())  # setattr on what is named
    with contextlib.suppress(UserError):  # what is immutable says so
        torch_file.read(path)
    again = torch_file._Unpickler(io.BytesIO()).find_class(*name.split("\n"))
    assert getattr(again, "__name__", "") != "altered"


def refused(path, message):
    with pytest.raises(UserError) as caught:
        torch_file.read(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
