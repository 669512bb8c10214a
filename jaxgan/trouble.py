"""What ends a run that is no mistake in it: a full disk, too little memory. Told apart by the types of errors."""

import errno
import os
import re
from collections.abc import Iterator

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE}
REACH = {errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}


def storage_trouble(error: BaseException, reading: bool = False) -> str:
    """What keeps files from being written, where an error or one that it came from says so, or "".

        storage_trouble(error) == "runs/wgan/metrics.jsonl: No space left on device"

    reading: what keeps them from being read instead; a damaged file is none of that.
    """
    numbers = REACH if reading else DISK | REACH
    for one in _origins(error):
        number, file = (one.errno, one.filename) if isinstance(one, OSError) else (None, None)
        told = re.search(r"os_error_code='(\d+)'", str(one))  # how Orbax' storage says it
        number = int(told[1]) if told else number
        if number in numbers:
            return (f"{os.fsdecode(file)}: " if isinstance(file, str | bytes) else "") + os.strerror(number)
    return ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it is Python's or a device's. By type: a full disk has the same words in it."""
    own = type(error).__name__ in ("JaxRuntimeError", "XlaRuntimeError") and "RESOURCE_EXHAUSTED" in str(error)
    return own or isinstance(error, MemoryError)


def _origins(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised from, and so on; each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
