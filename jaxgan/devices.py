"""Setting JAX up, before the first use of a device: the compilation cache, XLA's flags, other processes."""

import os
import re

from jaxgan import guard
from jaxgan.errors import UserError
from jaxgan.files import user_cache


def is_several(distributed: bool, coordinator: str | None) -> bool:
    """Whether this process is one of several of a run, by its flags or its cluster's variables."""
    return distributed or coordinator is not None or guard.in_cluster(os.environ)


def configure_jax(
    deterministic: bool = False,
    x64: bool = False,
    distributed: bool = False,
    coordinator: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Sets JAX up for this process.

    Args:
      deterministic: forbid XLA's nondeterministic kernels on GPU. x64: allow float64.
      distributed: this is one of several processes. TPU pods, Slurm and Kubernetes job sets are recognised without it.
      coordinator: host:port of process 0. num_processes: how many. process_id: which of them this is. All three or none.

    Raises UserError where the last three contradict each other or JAX finds no cluster.
    """
    if deterministic:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_gpu_deterministic_ops=true"
    import jax

    from jaxgan import processes

    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(user_cache() / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    if x64:
        jax.config.update("jax_enable_x64", True)
    by_hand = {"coordinator": coordinator, "num_processes": num_processes, "process_id": process_id}
    missing = [name for name, value in by_hand.items() if value is None]
    if 0 < len(missing) < len(by_hand):
        raise UserError(f"--{missing[0]} is missing: --coordinator=HOST:PORT --num_processes=N --process_id=K go together")
    if coordinator and not re.fullmatch(r".+:\d+", coordinator):
        raise UserError(f"--coordinator must be HOST:PORT of process 0, not '{coordinator}'")
    if is_several(distributed, coordinator):
        try:
            processes.initialize(*by_hand.values())
        except ValueError as error:
            raise UserError(
                f"no cluster that JAX knows: {error}; give --coordinator, --num_processes, --process_id"
            ) from error
