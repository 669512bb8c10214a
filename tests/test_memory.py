"""Memory that threads have freed."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from jaxgan import memory


def freed_but_for_one_in_a_hundred(_: int) -> list[bytearray]:
    return [bytearray(50_000) for _ in range(1000)][::100]


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_threads_have_freed_goes_back_to_the_system():
    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(freed_but_for_one_in_a_hundred, range(8)))
        before = memory.resident()
        memory.give_back()
        assert memory.resident() < before - 50_000_000 and held
