"""Two machines on one study in a PostgreSQL of their own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from helpers import ROOT
from small_search import CONFIG, ONE, SPACE

from jaxgan.search.asked import remembered
from jaxgan.search.search import Search

pytest.importorskip("optuna")
pytest.importorskip("psycopg")
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), Path("/nowhere"))
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not (BIN / "initdb").exists(), reason="no PostgreSQL is installed")]


@pytest.fixture
def server():
    """The URL of an empty database, whose server is no root's."""
    home = Path(tempfile.mkdtemp(prefix="jaxgan_pg", dir="/tmp"))
    own: dict = {"user": "nobody"} if os.geteuid() == 0 else {}
    if own:
        shutil.chown(home, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet: dict = {"check": True, "capture_output": True, "cwd": home, **own}
    subprocess.run([BIN / "initdb", "-D", home / "data", "-U", "jaxgan", "--auth=trust"], **quiet)
    options = ["-o", f"-p {port} -h 127.0.0.1 -k {home}"]
    subprocess.run([BIN / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", *options, "start"], **quiet)
    try:
        yield f"postgresql://jaxgan@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([BIN / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(home, ignore_errors=True)


def test_two_machines_share_a_study(server, tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "space.py").write_text(SPACE)
    words = [sys.executable, str(ROOT / "launch.py"), "--mode=tune", f"--config={tmp_path / 'config.py'}"]
    words += [f"--space={tmp_path / 'space.py'}", "--budget=6", "--workers=1", f"--storage={server}"]
    folders = [tmp_path / "one", tmp_path / "two"]
    machines = []
    for folder in folders:
        log = (tmp_path / f"{folder.name}.log").open("w")
        machines.append(subprocess.Popen([*words, f"--workdir={folder}"], stdout=log, stderr=log, env={**os.environ, **ONE}))
    began = time.monotonic()
    for machine, folder in zip(machines, folders):
        assert machine.wait(400 - (time.monotonic() - began)) == 0, (tmp_path / f"{folder.name}.log").read_text()
    mine = []
    for folder in folders:
        asked = remembered(folder)
        assert asked is not None
        search = Search(folder, asked)
        study = search.study()
        mine.append({trial.number for trial in search.trials(study)})
    assert mine[0] | mine[1] == set(range(6)) and not mine[0] & mine[1] and all(mine)  # each trained once, by one of them
    assert all(one.state.name == "COMPLETE" for one in study.trials().values()) and len(study.trials()) == 6
    assert not (folders[0] / "study.db").exists()
