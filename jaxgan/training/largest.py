"""The largest batch whose step fits into a device, found by compiling steps; none of them runs."""

from collections.abc import Callable

import jax

from jaxgan.errors import UserError
from jaxgan.memory import human
from jaxgan.trouble import is_out_of_memory

LEAVE = 0.1  # share of a device's memory for what no program tells of
CLOSE = 8  # a batch is the largest to one part in so many


def largest_batch(needs: Callable[[int], int], unit: int, near: int, have: int, tell: Callable[[str], None]) -> int:
    """The largest batch that fits, a multiple of `unit`, to an eighth of itself.

    needs: (a batch size) -> bytes of a device, or an error of too little memory. near: where to look first. have: bytes of a
    device, of which a tenth is left. tell: is given a line for each try. Raises UserError where not even `unit` fits.
    """

    def fits(size: int) -> bool:
        try:
            much = needs(size)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            tell(f"batch_size={size}: too large to compile")
            return False
        good = much <= have * (1 - LEAVE)
        tell(f"batch_size={size}: {human(much)}{'' if good else f', more than {1 - LEAVE:.0%} of {human(have)}'}")
        return good

    least = most = max(1, near // unit) * unit
    if fits(least):
        while fits(most := 2 * most):
            least = most
    else:
        while not fits(least := least // 2 // unit * unit or unit):
            most = least
            if least == unit:
                raise UserError(f"not even batch_size={unit} fits into a device; make the networks smaller")
    while most - least > max(unit, least // CLOSE):
        middle = (least + most) // 2 // unit * unit
        least, most = (middle, most) if fits(middle) else (least, middle)
    return least


def bytes_of(step: jax.stages.Compiled) -> int:
    """Bytes of a device that a compiled step takes: its arguments, of which the state is updated in place, and its own."""
    memory = step.memory_analysis()
    if memory is None:
        raise UserError("this platform does not tell what memory a program needs")
    fresh = max(0, memory.output_size_in_bytes - memory.alias_size_in_bytes)
    return memory.argument_size_in_bytes + memory.temp_size_in_bytes + fresh
