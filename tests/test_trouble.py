"""What ends a run and is no mistake in it, told apart by types and numbers."""

import errno

import jax
import pytest

from jaxgan.trouble import is_out_of_memory, storage_trouble

ORBAX = ValueError(
    'RESOURCE_EXHAUSTED: Failed writing: "checkpoints/4/state/d/e76d": Failed to write 1284978 bytes to file 29: '
    "No space left on device [os_error_code='28']"
)


def raised_from(first, then, how):
    try:
        try:
            raise first
        except Exception as error:
            if how == "from":
                raise then from error
            raise then  # noqa: B904
    except Exception as error:
        return error


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/a/metrics.jsonl"),
            "runs/a/metrics.jsonl: No space left on device",
        ),
        (OSError(errno.EROFS, "", b"a\xff"), "a\udcff: Read-only file system"),
        (ORBAX, "No space left on device"),
        (raised_from(ORBAX, RuntimeError("a thread failed"), "from"), "No space left on device"),
        (raised_from(OSError(errno.EDQUOT, ""), ValueError("I/O on closed file"), "while"), "Disk quota exceeded"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a"), ""),
        (jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), ""),
        (ValueError("x"), ""),
    ],
)
def test_storage(error, answer):
    assert storage_trouble(error) == answer
    assert not is_out_of_memory(error) or isinstance(error, jax.errors.JaxRuntimeError)


def test_what_keeps_a_file_from_being_read_is_no_damage():
    assert storage_trouble(PermissionError(errno.EACCES, "", "a"), reading=True) == "a: Permission denied"
    assert storage_trouble(OSError(errno.EMFILE, ""), reading=True) == "Too many open files"
    assert storage_trouble(OSError(errno.EIO, ""), reading=True) == ""


def test_an_error_that_is_its_own_context_ends():
    one, other = ValueError("a"), ValueError("b")
    one.__context__, other.__context__ = other, one
    assert storage_trouble(one) == ""


def test_memory():
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory"))
    assert not is_out_of_memory(ORBAX)
