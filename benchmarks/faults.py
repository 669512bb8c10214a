"""What the project makes of faults: kills, signals, full disks, damaged files. The table of results/reliability.md.

    python benchmarks/faults.py                             # half an hour; writes results/reliability.md
    python benchmarks/faults.py --only=kill --tries=3       # faults with "kill" in their names, to the screen
    python benchmarks/faults.py --soak                      # two hours of training: memory, open files and threads

Every try is a process of its own, with its time of the fault drawn anew. "As promised" counts the tries that ended as the
second column says; of the others the table quotes the last line that the process wrote.
"""

import argparse
import contextlib
import functools
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jaxgan.workdir.checkpoint import kept_digest  # noqa: E402
from jaxgan.workdir.folder import Workdir  # noqa: E402
from jaxgan.workdir.provenance import provenance  # noqa: E402

STEPS = 400
RUN = [
    "--config=configs/toy.py:ring", "--config.batch_size=32", "--config.nets.gen.widths=8", "--config.nets.disc.widths=8",
    "--config.log.every=5", "--config.sample.every=20", "--config.checkpoint.every=10", f"--config.steps={STEPS}",
    "--config.eval.every=0",
]  # fmt: skip
ENDLESS = [*RUN, "--config.steps=1000000"]
SLOW = (
    "import sys, time; sys.argv[0] = 'launch.py'; from jaxgan.workdir import writer; own = writer.save_png\n"
    "def slow(*given): time.sleep(0.2); own(*given)\n"
    "writer.save_png = slow; from jaxgan.__main__ import main; sys.exit(main())"
)  # a disk on which a picture takes long

Outcome = tuple[bool, str]
FAULTS: list[tuple[str, str, Callable[[Path], Outcome], int]] = []


def fault(what: str, promise: str, times: int = 1):
    """Registers a fault: what happens, and what is promised then. times: how many times as often it is tried as others."""

    def register(fn):
        FAULTS.append((what, promise, fn, times))
        return fn

    return register


def heeded() -> None:
    """In a new process: undoes what `nohup` and jobs in the background ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(*arguments: object, slow: bool = False, **more) -> subprocess.Popen:
    words = ["-c", SLOW] if slow else [str(ROOT / "launch.py")]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": ROOT} | more
    streams["preexec_fn"] = heeded
    return subprocess.Popen([sys.executable, *words, *map(str, arguments)], **streams)


def launch(*arguments: object, **more) -> tuple[int, str]:
    process = start(*arguments, **more)
    return ended(process)


def ended(process: subprocess.Popen, seconds: float = 300) -> tuple[int, str]:
    """(exit code, output); a process that hangs is killed, with the code -9."""
    try:
        output = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0]
    return process.returncode, output or ""


def last_line(output: str) -> str:
    return (output.strip().splitlines() or [""])[-1]


def wait_for_step(folder: Path, step: int, process: subprocess.Popen) -> None:
    while Workdir(folder).logged_step() < step and process.poll() is None:
        time.sleep(0.01)


def traces(folder: Path) -> dict[str, object]:
    """All that a run leaves: the log without its times, pictures, the last checkpoint's digest; and nothing unfinished."""
    work = Workdir(folder)
    lines = [{key: x for key, x in line.items() if key != "img_per_sec"} for line in work.metrics()]
    pictures = {path.name: path.read_bytes() for path in work.samples.iterdir()}
    return {"lines": lines, "pictures": pictures, "state": kept_digest(work.checkpoints, STEPS)}


@functools.cache
def whole() -> dict[str, object]:
    """The traces of a run that nothing has happened to."""
    with tempfile.TemporaryDirectory() as folder:
        launch(*RUN, f"--workdir={folder}/run")
        return traces(Path(folder) / "run")


def goes_on(folder: Path) -> Outcome:
    """Whether the same command ends the run with the traces of one that nothing has happened to."""
    code, output = launch(*RUN, f"--workdir={folder}")
    return compared(folder, whole()) if code == 0 else (False, last_line(output))


def compared(folder: Path, theirs: dict[str, object]) -> Outcome:
    mine = traces(folder)
    different = [name for name in mine if mine[name] != theirs[name]]
    return not different, f"{', '.join(different)} differ" if different else "the same bits, lines and pictures"


def killed(folder: Path, slow: bool) -> Outcome:
    for _ in range(2):
        process = start(*RUN, f"--workdir={folder}", slow=slow)
        wait_for_step(folder, Workdir(folder).logged_step() + random.randint(5, STEPS // 3), process)
        time.sleep(random.random() / 5)
        process.kill()
        process.wait()
    return goes_on(folder)


@fault("`kill -9` twice, at random steps", "the same command ends with the same bits, lines and pictures", 3)
def _(folder: Path) -> Outcome:
    return killed(folder, slow=False)


@fault("`kill -9` twice, on a disk where a picture takes 0.2 s", "the same", 2)
def _(folder: Path) -> Outcome:
    return killed(folder, slow=True)


def signalled(folder: Path, *numbers: signal.Signals, slow: bool = False) -> Outcome:
    process = start(*RUN, f"--workdir={folder}", slow=slow)
    wait_for_step(folder, random.randint(5, STEPS // 2), process)
    for number in numbers:
        process.send_signal(number)
        time.sleep(random.random() / 20)
    code, output = ended(process)
    if code not in ((130, 0) if len(numbers) > 1 else (0,)) or (code == 0 and "stopped and saved" not in output):
        return False, f"exit code {code}: {last_line(output)}"
    good, said = goes_on(folder)
    return good, last_line(output) if good else said


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    fault(f"{number.name} while it trains", "saves, exit code 0, and goes on with the same bits")(
        lambda folder, number=number: signalled(folder, number)
    )


@fault(
    "SIGINT twice, on a disk where a picture takes 0.2 s",
    "ends at once, exit code 130, unless it has saved by then; goes on with the same bits",
)
def _(folder: Path) -> Outcome:
    return signalled(folder, signal.SIGINT, signal.SIGINT, slow=True)


@fault("SIGINT while it starts", "one line and exit code 130; or, if it trains by then, saves", 4)
def _(folder: Path) -> Outcome:
    process = start(*ENDLESS, f"--workdir={folder}")
    time.sleep(random.uniform(0.1, 8))
    process.send_signal(signal.SIGINT)
    code, output = ended(process, 60)
    trained = code == 0 and "stopped and saved" in output
    return trained or (code == 130 and "Traceback" not in output), last_line(output)


@fault("the reader of its output goes (`| head -3`)", "trains to its end")
def _(folder: Path) -> Outcome:
    process = start(*RUN, f"--workdir={folder}")
    assert process.stdout
    for _ in range(3):
        process.stdout.readline()
    process.stdout.close()
    code = process.wait(300)
    return code == 0 and Workdir(folder).done_step == STEPS, f"exit code {code}"


def full(folder: Path, board: str) -> Outcome:
    """On a disk of its own, which needs the right to mount one."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    words = [sys.executable, str(ROOT / "launch.py"), *ENDLESS, "--config.checkpoint.keep=100000"]
    words += [f"--workdir={disk}/run", f"--config.log.tensorboard={board}", "--config.sample.every=100000"]
    script = (
        f"mount -t tmpfs -o size={random.randint(800, 4000)}k tmpfs {disk}\n{' '.join(words)} >{folder}/log 2>&1; echo $?\n"
        f"find {disk} -name '*tmp*' | wc -l; mount -o remount,size=1g {disk}\n"
        f"last=$(ls {disk}/run/checkpoints | sort -n | tail -1)\n"
        f"{' '.join(words)} --config.steps=$((last + 20)) >{folder}/log2 2>&1; echo $?"
    )
    code, output = ended(
        subprocess.Popen(["unshare", "-rm", "sh", "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    )
    told = [x for x in (folder / "log").read_text().splitlines() if not x.startswith(("step ", " ", "first "))]
    good = output.split() == ["1", "0", "0"] and len(told) == 1
    return good, last_line((folder / "log").read_text()).replace(str(disk), "") if good else f"{output.split()} {told[-1:]}"


for board in ("true", "false"):
    fault(
        f"the disk becomes full, {'with' if board == 'true' else 'without'} TensorBoard",
        "one line with the last good checkpoint, exit code 1, no unfinished file; goes on when there is room",
    )(lambda folder, board=board: full(folder, board))


def damaged(folder: Path, how: str) -> Outcome:
    launch(*RUN, f"--workdir={folder}", f"--config.steps={STEPS // 2}")
    files = [
        path for path in (folder / "checkpoints" / str(STEPS // 2)).rglob("*") if path.is_file() and path.stat().st_size
    ]
    path = max(files, key=lambda path: path.stat().st_size) if how == "flip" else random.choice(files)
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[random.randrange(len(content) // 4, len(content) * 3 // 4)] ^= 1 << random.randrange(8)
    path.unlink() if how == "gone" else path.write_bytes(content if how == "flip" else content[: len(content) // 2])
    return goes_on(folder)


for how, what in {"flip": "one bit flipped", "cut": "a file cut in half", "gone": "a file gone"}.items():
    fault(f"the newest checkpoint is damaged: {what}", "set aside, and the same bits from the one before it")(
        lambda folder, how=how: damaged(folder, how)
    )


@fault("sampling beside a run that saves every ten steps", "pictures")
def _(folder: Path) -> Outcome:
    process = start(*ENDLESS, f"--workdir={folder}", "--config.checkpoint.keep=1")
    wait_for_step(folder, 30, process)
    code, output = launch("--mode=sample", f"--workdir={folder}", "--num=4")
    process.terminate()
    other = ended(process)[0]
    return (code, other) == (0, 0), "pictures" if code == 0 else last_line(output)


@fault("config.json is gone", "refused, with one line; another seed would go on from the checkpoint")
def _(folder: Path) -> Outcome:
    launch(*RUN, f"--workdir={folder}", "--config.steps=20")
    (folder / "config.json").unlink()
    code, output = launch(*RUN, f"--workdir={folder}", "--config.seed=1")
    return code == 2 and "without their config.json" in output, last_line(output).replace(str(folder), "RUN")


@fault("a workdir with [ in its path", "refused at the start")
def _(folder: Path) -> Outcome:
    code, output = launch(*RUN, f"--workdir={folder}/a[1]")
    return code == 2 and "in its path" in output, last_line(output).replace(str(folder), "RUN")


@fault("a second run in the same workdir", "refused, with one line; the first goes on to the same bits")
def _(folder: Path) -> Outcome:
    first = start(*RUN, f"--workdir={folder}")
    wait_for_step(folder, random.randint(1, STEPS // 4), first)
    code, output = launch(*RUN, f"--workdir={folder}")
    if ended(first)[0] or code != 2 or "is in use by another run" not in last_line(output):
        return False, last_line(output)
    good, text = compared(folder, whole())
    return good, last_line(output).replace(str(folder), "RUN") if good else text


@fault("the workdir is removed while it trains", "one line, exit code 1")
def _(folder: Path) -> Outcome:
    process = start(*ENDLESS, f"--workdir={folder}")
    wait_for_step(folder, random.randint(1, STEPS // 4), process)
    shutil.rmtree(folder.rename(folder.with_name("gone")), ignore_errors=True)  # at once, whatever it is writing
    code, output = ended(process, 60)
    return code == 1 and "Traceback" not in output, last_line(output).replace(str(folder), "RUN")


@fault("a workdir on a disk that has become read-only", "refused with one line, exit code 2; goes on to the same bits later")
def _(folder: Path) -> Outcome:
    """On a disk of its own, which needs the right to mount one."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    words = " ".join([sys.executable, str(ROOT / "launch.py"), *RUN, f"--workdir={disk}/run"])
    script = (
        f"mount -t tmpfs -o size=100m tmpfs {disk}; {words} --config.steps=200 >{folder}/log 2>&1; echo $?\n"
        f"mount -o remount,ro {disk}; {words} >{folder}/log 2>&1; echo $?\n"
        f"mount -o remount,rw {disk}; {words} >{folder}/log2 2>&1; echo $?; cp -r {disk}/run {folder}/kept"
    )
    code, output = ended(
        subprocess.Popen(["unshare", "-rm", "bash", "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    )
    told = last_line((folder / "log").read_text()).replace(str(disk), "")
    good, text = compared(folder / "kept", whole()) if output.split() == ["0", "2", "0"] else (False, output)
    return good, told if good else text


PICTURES = [
    "--config=configs/own.py", "--config.steps=12", "--config.checkpoint.every=4", "--config.sample.every=0",
    "--config.data.size=16", "--config.nets.gen.width=4", "--config.nets.disc.width=4", "--config.batch_size=8",
]  # fmt: skip


def drawn(folder: Path) -> Path:
    """A folder of pictures."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(20):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


@fault("a picture of the data is changed, and the run goes on", "refused, with one line")
def _(folder: Path) -> Outcome:
    data = drawn(folder / "data")
    words = [*PICTURES, f"--config.data.dir={data}", f"--workdir={folder}/run", f"--config.data.cache={folder}/cache"]
    launch(*words)
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(data / "3.png")
    code, output = launch(*words, "--config.steps=16")
    return code == 2 and "have changed since it began" in output, last_line(output).replace(str(folder), "")


@fault("a file of the cache of decoded pictures is damaged", "made anew, and the same bits")
def _(folder: Path) -> Outcome:
    data, found = drawn(folder / "data"), []
    for run in ("one", "two"):
        words = [*PICTURES, f"--config.data.dir={data}", f"--workdir={folder}/{run}", f"--config.data.cache={folder}/cache"]
        code, output = launch(*words)
        if code:
            return False, last_line(output)
        found.append(kept_digest(Workdir(folder / run).checkpoints, 12))
        files = [path for path in (folder / "cache").rglob("*") if path.is_file() and path.stat().st_size]
        path = random.choice(files)
        content = bytearray(path.read_bytes())
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(content)
    return found[0] == found[1], "the same bits" if found[0] == found[1] else "other bits"


@fault("the cache of compiled programs is damaged", "compiled anew, and the same bits")
def _(folder: Path) -> Outcome:
    cache = {**os.environ, "JAX_COMPILATION_CACHE_DIR": f"{folder}/xla", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    launch(*RUN, f"--workdir={folder}/first", env=cache)
    for path in (folder / "xla").iterdir():
        content = path.read_bytes()
        path.write_bytes(content[: random.randrange(len(content) + 1)])
    code, output = launch(*RUN, f"--workdir={folder}/run", env=cache)
    return compared(folder / "run", whole()) if code == 0 else (False, last_line(output))


def several(folder: Path, many: int, words: list[str]) -> list[subprocess.Popen]:
    """The processes of one run, on this machine."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    shared = [*words, f"--workdir={folder}", f"--coordinator=127.0.0.1:{port}", f"--num_processes={many}"]
    return [start(*shared, f"--process_id={i}") for i in range(many)]


def all_ended(processes: list[subprocess.Popen], seconds: float = 300) -> list[tuple[int, str]]:
    """As `ended`, of each: all are read at the same time, so that none waits for its reader."""
    with ThreadPoolExecutor(len(processes)) as pool:
        return list(pool.map(lambda process: ended(process, seconds), processes))


@functools.cache
def whole_of(many: int, *more: str) -> dict[str, object]:
    """`whole`, of several processes."""
    with tempfile.TemporaryDirectory() as folder:
        all_ended(several(Path(folder) / "run", many, [*RUN, *more]))
        return traces(Path(folder) / "run")


def all_go_on(folder: Path, many: int, *more: str) -> Outcome:
    """As `goes_on`, of several processes."""
    found = all_ended(several(folder, many, [*RUN, *more]))
    if any(code for code, _ in found):
        return False, "; ".join(last_line(output) for code, output in found if code)
    return compared(folder, whole_of(many, *more))


def lost(folder: Path, many: int, which: int) -> Outcome:
    processes = several(folder, many, RUN)
    wait_for_step(folder, random.randint(20, STEPS // 2), processes[0])
    processes[which].kill()
    began = time.monotonic()
    found = all_ended([process for i, process in enumerate(processes) if i != which], 120)
    seconds = time.monotonic() - began
    processes[which].communicate()
    lines = [last_line(output) for _, output in found]
    named = all(f"process {which}{' ' if which else ', the coordinator, '}has ended" in line for line in lines)
    said = f"after {seconds:.0f} s: {lines[0]}".replace(str(folder), "RUN")
    if [code for code, _ in found] != [1] * (many - 1) or not named or seconds > 45:
        return False, f"{[code for code, _ in found]} after {seconds:.0f} s: {lines}".replace(str(folder), "RUN")
    good, text = all_go_on(folder, many)
    return good, said if good else text


for many in (2, 4):
    for which, who in ((0, "the coordinator"), (many - 1, "another one")):
        fault(
            f"`kill -9` of one of {many} processes, {who}",
            "within 45 s the others end with exit code 1 and a line that names it and the last good checkpoint; the same "
            "commands end with the same bits, lines and pictures",
            2,
        )(lambda folder, many=many, which=which: lost(folder, many, which))


def preempted(folder: Path, when: str, *more: str) -> Outcome:
    """SIGTERM to one of two processes."""
    processes = several(folder, 2, [*RUN, *more])
    if when == "compiles":
        while not (folder / "config.json").exists() and processes[0].poll() is None:
            time.sleep(0.01)
        time.sleep(random.random())
    else:
        wait_for_step(folder, 50 * random.randint(1, 4) if more else random.randint(20, STEPS // 2), processes[0])
        time.sleep(random.random() / 2)
    processes[random.randrange(2)].send_signal(signal.SIGTERM)
    found = all_ended(processes, 120)
    if [code for code, _ in found] != [0, 0]:
        return False, f"{[code for code, _ in found]}: {[last_line(output) for _, output in found]}"
    said = last_line(found[0][1]).replace(str(folder), "RUN")
    good, text = all_go_on(folder, 2, *more)
    return good and ("stopped and saved" in said or "done" in said), said if good else text


for when, more in {
    "compiles": (),
    "trains": (),
    "is scored": ("--config.eval.every=50", "--config.eval.num_samples=200000"),
    "writes pictures": ("--config.sample.every=50", "--config.sample.num=20000"),
}.items():
    fault(f"SIGTERM to one of two processes while the run {when}", "both save at one step, exit code 0; the same bits", 2)(
        lambda folder, when=when, more=more: preempted(folder, when, *more)
    )


SOAK = ["--config=configs/dcgan.py", "--config.steps=60000000", "--config.eval.every=1000", "--config.eval.num_samples=1000"]


def soak(hours: float) -> str:
    """Trains DCGAN on digits for so long, and says how memory, open files and threads grew from its second tenth to its
    last one. The first tenth is left out: programs are compiled in it, and lists of the last few things fill."""
    with tempfile.TemporaryDirectory() as folder:
        work, seen = Workdir(f"{folder}/run"), []
        process = start(*SOAK, f"--workdir={work.path}", stdout=subprocess.DEVNULL)
        end = time.monotonic() + 3600 * hours
        while process.poll() is None and time.monotonic() < end:
            time.sleep(min(2, 36 * hours))
            with contextlib.suppress(OSError, KeyError):  # it has ended
                status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
                files = len(os.listdir(f"/proc/{process.pid}/fd"))
                seen.append((int(status["VmRSS"].split()[0]) / 1024, files, int(status["Threads"])))
        process.send_signal(signal.SIGTERM)
        code, _ = ended(process)
        if code:
            return f"the run ended with {code}"
        lines, steps = work.metrics(), work.logged_step()
        scored = sum(any(key.startswith("eval/") for key in line) for line in lines)
        pictures = len(list(work.samples.iterdir()))
    tenth = max(1, len(seen) // 10)
    parts = [[statistics.median(x[i] for x in part) for i in range(3)] for part in (seen[tenth : 2 * tenth], seen[-tenth:])]
    (early, files, threads), (late, more_files, more_threads) = parts
    return (
        f"`python benchmarks/faults.py --soak={hours:g}`: {hours:g} hours of `{' '.join(SOAK[:1] + SOAK[2:])}`, which were "
        f"{steps:,} steps with {steps // 250:,} checkpoints, {pictures:,} pictures, {scored:,} evaluations and TensorBoard: "
        f"{early:.0f} MiB, {files:.0f} open files and {threads:.0f} threads at first, {late:.0f} MiB "
        f"({100 * (late / early - 1):+.1f} %), {more_files:.0f} and {more_threads:.0f} at last (medians of the second and "
        f"the last tenth); then SIGTERM, exit code {code}."
    )


def table(tries: int, only: str) -> list[str]:
    lines = ["| Fault | Promised | As promised | What was said |", "|---|---|---|---|"]
    for what, promise, fn, times in FAULTS:
        if only.lower() not in what.lower():
            continue
        kept, said, failed = 0, "", ""
        for _ in range(tries * times):
            with tempfile.TemporaryDirectory() as folder:
                good, text = fn(Path(folder) / "run")
            kept, said, failed = kept + good, said or (text if good else ""), failed or ("" if good else text)
        text = (f"{said}" if kept else "") + (f"; of the others: {failed}" if failed else "")
        lines.append(f"| {what} | {promise} | {kept} of {tries * times} | {text.replace('|', chr(92) + '|')} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--tries", type=int, default=5, help="of each fault; twice as often kills, four times Ctrl-C at the start"
    )
    parser.add_argument("--only", default="", help="faults whose names have this in them; writes no file")
    parser.add_argument("--soak", type=float, nargs="?", const=2.0, default=0, help="how many hours, in place of faults")
    parser.add_argument("--smoke", action="store_true", help="two quick faults, once each; writes no file")
    parser.add_argument("--seed", type=int, default=0, help="of the times at which faults come")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "reliability.md")
    given = parser.parse_args()
    random.seed(given.seed)
    if given.soak:
        print(soak(given.soak))
        return
    if given.smoke:
        table(1, "config.json is gone")
        table(1, "workdir with")
        return
    lines = table(given.tries, given.only)
    if not given.only:
        made = provenance()
        about = f"`python benchmarks/faults.py --tries={given.tries}`, revision {made['git_revision'][:8]}, "
        about += ", ".join(f"{name} {made['versions'][name]}" for name in ("jax", "orbax-checkpoint"))
        about += f", {os.cpu_count()} cores, {made['date'][:10]}."
        given.out.write_text("# Reliability\n\n" + about + "\n\n" + "\n".join(lines) + "\n\n" + soak(2) + "\n")


if __name__ == "__main__":
    main()
