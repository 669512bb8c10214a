"""Four virtual devices, a compilation cache that outlives the run, data prepared once."""

import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxgan" / "tests"

# Before JAX starts. Two cores with more devices than threads deadlock in XLA:CPU's collectives, hence NPROC.
os.environ["NPROC"] = "16"
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
if importlib.metadata.version("jaxlib").startswith("0.10."):  # later ones have no such flag
    os.environ["XLA_FLAGS"] += " --xla_cpu_use_fusion_emitters=false"  # a third less time to compile
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # tiny programs take far longer to optimise than to run
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(CACHE)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
if "TFDS_DATA_DIR" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:  # workers prepare the same data sets at once
    os.environ["TFDS_DATA_DIR"] = tempfile.mkdtemp(prefix="jaxgan-tfds-")
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="jaxgan-state-")
sys.path.insert(0, str(ROOT))


def pytest_addoption(parser):
    parser.addoption("--write", action="store_true", help="write tests/mistakes.md from the answers, not compare it")


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """A worker would else keep the compiled programs of all its files, which are gigabytes."""
    yield
    import jax

    jax.clear_caches()


@pytest.fixture
def optimised():
    """Compiles as users do: for what computes for long, and for bits that two programs are to have in common."""
    import jax

    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)
