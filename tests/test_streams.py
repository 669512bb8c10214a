"""A command whose terminal is of another encoding, closed, or gone."""

import subprocess
import sys

import pytest
from helpers import ROOT

from jaxgan import cli

PRINT = r"""
import sys

sys.path.insert(0, ".")
from jaxgan import cli


def run(arguments):
    for _ in range(TIMES):
        print("na\u00efve \u00b1 \udcff", flush=True)
    print("\u00fc", file=sys.stderr)
    raise cli.Failure("sch\u00f6n \udcff")


cli.run = run
sys.exit(cli.main(["launch.py"]))
"""


def printed(shell: str, times: int = 1, **environment):
    command = [sys.executable, "-c", PRINT.replace("TIMES", str(times))]
    return subprocess.run(
        ["bash", "-c", shell, "bash", *command], cwd=ROOT, capture_output=True, timeout=60, env={**environment}
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_characters_that_an_encoding_lacks_become_escapes(encoding):
    done = printed('"$@"', PYTHONIOENCODING=encoding)
    shown = {"ascii": "na\\xefve \\xb1 \\udcff"}.get(encoding, "na\u00efve \u00b1 \\udcff")
    assert done.returncode == 1 and done.stdout.decode(encoding) == shown + "\n"
    assert done.stderr.decode(encoding).splitlines()[-1].startswith("failed: sch")


@pytest.mark.parametrize("shell", ['"$@" >&-', '"$@" 2>&-', '"$@" >&- 2>&- <&-', '"$@" >/dev/full'])
def test_streams_that_are_closed_or_full(shell):
    done = printed(shell)
    assert done.returncode == 1 and b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


def test_a_reader_that_leaves():
    done = printed('"$@" | head -1; exit ${PIPESTATUS[0]}', times=20_000, PATH="/usr/bin:/bin", PYTHONIOENCODING="utf-8")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    assert done.stderr.decode().splitlines() == ["\u00fc", "failed: sch\u00f6n \\udcff"]


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    code = (
        "import sys; sys.path.insert(0, '.'); from jaxgan import streams\n"
        "with streams.lasting_streams():\n"
        "    file = open(sys.argv[1], 'w'); assert file.fileno() > 2, file.fileno()\n"
    )
    done = subprocess.run(["bash", "-c", '"$@" >&- <&-', "bash", sys.executable, "-c", code, tmp_path / "a"], cwd=ROOT)
    assert done.returncode == 0


def test_the_streams_are_as_before_afterwards(capsys):
    before = sys.stdout, sys.stderr
    assert cli.main(["launch.py", "--mode=nothing"]) == 2
    assert (sys.stdout, sys.stderr) == before and "unknown mode" in capsys.readouterr().err


@pytest.mark.parametrize(
    "mode, told",
    [
        ("train", "too little memory: lower --config.batch_size, "),
        ("evaluate", "too little memory: lower --config.eval.batch_size or "),
        ("sample", "too little memory"),
    ],
)
@pytest.mark.parametrize("said", ["", "Unable to allocate 9 GiB"])
def test_too_little_memory_is_one_line_with_what_this_mode_can_do(mode, told, said, monkeypatch, capsys):
    def run(arguments):
        raise MemoryError(*filter(None, [said]))

    monkeypatch.setattr(cli, "run", run)
    assert cli.main(["launch.py", f"--mode={mode}"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {told}") and len(shown.splitlines()) == 1
    assert shown.endswith(f" ({said})\n" if said else "\n") and ("--dry_run" in shown) == (mode == "train")
    assert mode != "sample" or "--" not in shown


def test_files_that_cannot_be_written_are_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cli, "run", lambda arguments: (tmp_path / "no" / "file").write_text(""))
    assert cli.main(["launch.py"]) == 1
    assert capsys.readouterr().err == f"failed: {tmp_path}/no/file: No such file or directory\n"
