"""Ctrl-C before training, in a process of its own."""

import signal
import subprocess
import sys
import time

import pytest
from helpers import ROOT

STOPPED = "\nstopped: no run was being trained\n"


HEEDED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # which jobs in the background do not


def start(code, **more):
    code = HEEDED + code
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **streams)


def interrupt(process):
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    output, error = process.communicate(timeout=60)
    return process.returncode, output, error, time.monotonic() - began


MAIN = """
import sys, time
from jaxgan import __main__, cli, startup
startup.GRACE = 0.5
def work():
    print("ready", flush=True)
    {}
cli.main = work
sys.exit(__main__.main())
"""


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(60)",
        "\n    try: time.sleep(60)\n    except KeyboardInterrupt: raise ImportError('as extensions do')",
        "\n    for _ in range(600):\n        try: time.sleep(0.1)\n        except BaseException: pass",
        "__import__('hashlib').pbkdf2_hmac('md5', b'', b'', 2**31 - 1)",  # compiled, as XLA is: Python's handler cannot run
        "\n    class A:\n        def __del__(self): time.sleep(60)\n    A(); time.sleep(60)",
    ],
)
def test_ctrl_c_before_training_ends_with_one_line(work):
    code, _, error, seconds = interrupt(start(MAIN.format(work)))
    assert (code, error) == (130, STOPPED)
    assert seconds < 20


def test_ctrl_c_cleans_up_what_is_open(tmp_path):
    lines = ["from pathlib import Path", "from jaxgan.files import replacing"]
    lines += [f"with replacing(Path({str(tmp_path)!r}) / 'a'):", "    time.sleep(60)"]
    code, _, error, _ = interrupt(start(MAIN.format("".join(f"\n    {line}" for line in lines))))
    assert (code, error) == (130, STOPPED)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_a_module_is_loaded(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nprint('ready', flush=True)\ntry: time.sleep(60)\nexcept BaseException: pass"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from jaxgan import startup; startup.catch_ctrl_c(); import slow"
    code, _, error, _ = interrupt(start(code))
    assert (code, error) == (130, STOPPED)


def test_a_handler_that_came_later_is_left_alone():
    """Training's own: it saves."""
    late = """
import signal, sys, time
from jaxgan import startup
startup.GRACE = 0.1
startup.catch_ctrl_c()
signal.signal(signal.SIGINT, lambda *_: print("saving", flush=True))
print("ready", flush=True)
time.sleep(1)
"""
    code, output, error, _ = interrupt(start(late))
    assert (code, output, error) == (0, "saving\n", "")
