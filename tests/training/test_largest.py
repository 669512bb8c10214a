"""The largest batch that fits."""

import re

import pytest
from helpers import SMALL, launch

from jaxgan.errors import UserError
from jaxgan.training.largest import largest_batch


@pytest.mark.parametrize("near", [1, 64, 5000])
@pytest.mark.parametrize(("unit", "most"), [(1, 100), (4, 100), (3, 1000), (16, 17), (1, 1)])
def test_it_fits_and_a_quarter_more_does_not(unit, most, near):
    told = []
    found = largest_batch(lambda size: size * 9, unit, near, most * 10, told.append)
    assert found % unit == 0 and found <= most < found + max(unit, found / 4)
    assert any("more than 90% of" in line for line in told) and len(told) < 20


def test_what_does_not_compile_does_not_fit():
    def needs(size):
        if size > 8:
            raise MemoryError
        return size

    assert largest_batch(needs, 2, 2, 1000, lambda line: None) == 8
    with pytest.raises(UserError, match="not even batch_size=2 fits"):
        largest_batch(lambda size: 10, 2, 64, 5, lambda line: None)
    with pytest.raises(ZeroDivisionError):  # which is none of memory
        largest_batch(lambda size: 1 // 0, 2, 2, 5, lambda line: None)


@pytest.mark.slow
def test_steps_are_compiled_and_none_is_run(tmp_path):
    words = [f"--config.{path}={text}" for path, text in SMALL.items()]
    done = launch("--config=configs/vanilla.py", *words, "--config.nets.gen.widths=20000", "--find_batch",
                  f"--workdir={tmp_path}/new")  # fmt: skip
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"the largest that 4 x \S+ GB hold, to an eighth: --config.batch_size=\d+", last), done.stdout
    assert "more than 90% of" in done.stdout and not (tmp_path / "new").exists()
