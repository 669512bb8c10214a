"""Bytes of memory: what this process takes, what the machine has left, and how people write them."""

import ctypes
import os
import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

from jaxgan.errors import UserError

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def resident() -> int:
    """Bytes of memory that this process takes now; where a system does not say, the most that it has taken."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return peak()


def peak() -> int:
    """The most bytes of memory that this process has taken."""
    try:  # Linux counts what a process' parent had among its own `ru_maxrss`
        found = re.search(r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def give_back() -> None:
    """Returns to the system the freed memory that glibc keeps, for each thread apart; elsewhere nothing happens."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def free() -> int:
    """Bytes that the machine can give to this process beside those that it has."""
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def human(number: float, unit: str = "B") -> str:
    """1.2 GB, 340 MB, 5.1 GFLOP."""
    for prefix in ("", "k", "M", "G", "T", "P"):
        if number < 1000 or prefix == "P":
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    raise AssertionError


def bytes_of(text: str, flag: str) -> int:
    """ "1.5GB", "800 MB", "2e9": bytes, a kB being 1000. Raises UserError naming the flag."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)(e\d{1,2})?\s*([kmgt]?)b?\s*", text, re.IGNORECASE)
    number = round(float(match[1] + (match[2] or "")) * UNITS[match[3].lower()]) if match else 0
    if number < 1:
        raise UserError(f"{flag} must be a number of bytes, 1GB or 800MB, not '{text}'")
    return number
