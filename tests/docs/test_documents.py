"""Commands, links and tables of the documentation: each command is one that works, each link leads somewhere."""

import importlib.util
import json
import re
import shlex
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import jax
import pytest
from helpers import ROOT, TOKENS, plan_after_stages

from jaxgan import command_line
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.sections import sections

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
DOCUMENTS += sorted(ROOT.glob("results/**/README.md"))
OF_CONFIGS = sorted(ROOT.glob("configs/**/*.py"))  # their docstrings
FENCED = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LAUNCH = (["python", "launch.py"], ["jaxgan"], ["python", "-m", "jaxgan"])
OTHERS = (
    "cd",
    "gcloud compute tpus",
    "git",
    "mkdocs",
    "mv",
    "npm",
    "source",
    "tar",
    "tensorboard",
    "python3 -m venv",
    ".ci/run",
)
PLACEHOLDERS = {  # what stands for a value of the reader's own
    "=...": "=digits",
    "=N": "=2",
    "=K": "=0",
    "HOST:PORT": "localhost:1",
    "NAME.py": "ring.py",
    "<config>": "wgan.py",
    "$SLURM_ARRAY_TASK_ID": "0",
    "$v": "ring",
    " ...": "",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(path: Path) -> list[str]:
    """The lines of a document's blocks of commands. A block in another language, or in `text`, holds none."""
    if path.suffix == ".py":
        lines = path.read_text().split('"""')[1].replace("\\\n", "").splitlines()
        return [line.strip() for line in lines if line.strip().startswith("python launch.py")]
    blocks = [body for kind, body in FENCED.findall(path.read_text()) if kind in ("", "bash", "sh")]
    lines = "\n".join(blocks).replace("\\\n", "").splitlines()
    parts = [part for line in lines for part in simple(line)]
    return list(dict.fromkeys(parts))


def simple(line: str) -> list[str]:
    """The commands of a line: those joined by &&, the body of a loop, and what Slurm or a slice is told to run."""
    line = re.sub(r"^for \w+ in [^;]+; do (.*); done", r"\1", line.strip())
    line = re.sub(r"^(?:srun|sbatch)\b.*?(python launch.py[^']*)'?", r"\1", line)
    line = re.sub(r'^gcloud compute tpus tpu-vm ssh .*--command="(.*)"$', r"\1", line).removesuffix(" &")
    return [part.strip() for part in line.split(" && ") if part.strip() and not part.strip().startswith("#")]


def words_of(command: str) -> list[str]:
    for placeholder, value in PLACEHOLDERS.items():
        command = re.sub(re.escape(placeholder) + r"(?!\w)", value, command)
    return shlex.split(command, comments=True)


def check(words: list[str]) -> None:
    """Raises where a command is none of ours, or has a mode, flag, field, file or extra that there is not."""
    for start in LAUNCH:
        if words[: len(start)] == start:
            return check_launch(words[len(start) :])
    if words[0] == "python":
        return check_python(words[1:])
    if words[:2] == ["pip", "install"]:
        extras = re.findall(r"\[(.*)\]", " ".join(words))
        known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert all(extra in known for extra in (extras[0].split(",") if extras else ())), f"no such extra: {words}"
        return None
    assert any(" ".join(words).startswith(other) for other in OTHERS), f"no command that we know: {' '.join(words)}"


def check_launch(words: list[str]) -> None:
    mode = command_line.mode_of(words)
    verb = command_line.load_verb(mode)
    flags, overrides = command_line.split([word for word in words if word != "--help"])
    values = command_line.parse(mode, flags)
    assert not overrides or verb.TAKES_OVERRIDES, f"--mode={mode} takes no overrides"
    spec = values.config or ("configs/wgan.py" if overrides else "")
    if not spec.startswith("configs/") or any(re.match(r"[a-z_]+:[A-Z]", text) for _, text in overrides):
        return  # a file of the reader's own, which the test of its page runs
    resolved = resolve_config(load_config(str(ROOT / spec)), overrides, sections)
    with jax.enable_x64(resolved.dtype == "float64"):
        side = 128 if "128" in spec else 32 if "cifar10" in spec else 28  # large networks want large pictures
        classes = resolved.task.get("num_classes", 0) or 10
        of_source = 3 if resolved.task.name == "detect" else 1  # a detector reads classes from colours
        have = features_of((side, side, 1), classes, source_shape=(28, 28, of_source))
        have |= {"tokens": TOKENS} if resolved.data.get("captions") else {}
        have["label"] = replace(have["label"], shares=(1 / classes,) * classes)
        plan_after_stages(resolved, have)


def check_python(words: list[str]) -> None:
    if words[0] == "-c":
        compile(words[1], "-c", "exec")
        return
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1]), f"no module {words[1]}"
        paths = [word for word in words[2:] if "/" in word]
        assert all((ROOT / path).exists() for path in paths), paths
        return
    text = (ROOT / words[0]).read_text()
    for flag in (word.partition("=")[0] for word in words[1:] if word.startswith("--")):
        assert flag in text, f"{words[0]} has no {flag}"


COMMANDS = [(name(path), command) for path in [*DOCUMENTS, *OF_CONFIGS] for command in commands(path)]


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_commands(path, command):
    check(words_of(command))


@pytest.mark.parametrize(
    "command",
    [
        "python launch.py --mode=smaple --workdir=runs/wgan",
        "python launch.py --mode=sample --workdir=runs/wgan --nmu=3",
        "jaxgan --config=configs/wgan.py --config.optim.gen.lrr=1",
        "python launch.py --config=configs/wgan.py:clp",
        "python launch.py --mode=sample --config.steps=3",
        "python benchmarks/monitor.py --fast",
        "python benchmarks/nothing.py",
        "pip install -e '.[gpu]'",
        "pyhton launch.py",
    ],
)
def test_a_command_that_does_not_work_is_found(command):
    with pytest.raises(Exception):  # noqa: B017
        check(words_of(command))


def spans(path: Path) -> list[str]:
    """What stands in backticks outside of blocks."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", path.read_text()))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_flags_and_commands_in_sentences(path):
    known = set(command_line.common_flags()).union(*(command_line.flags_of(mode) for mode in command_line.VERBS))
    scripts = "".join(file.read_text() for file in [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("tests/*.py")])
    for span in spans(path):
        if span.startswith(("python launch.py ", "python -m jaxgan ", "jaxgan --")):
            check(words_of(span))
        for flag in re.findall(r"(?:^| )--([a-z_]+)(?==|\s|$)", span if span.startswith(("--", "python launch")) else ""):
            there = flag in known or flag.removeprefix("no") in known or f'"--{flag}"' in scripts or flag == "help"
            assert there, f"no flag --{flag}: {span}"
        for mode in re.findall(r"--mode=(\w+)", span):
            assert mode in command_line.VERBS or mode == "VERB", span


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_and_pictures(path):
    text = re.sub(r"`[^`\n]+`", "``", FENCED.sub("", path.read_text()))
    links = re.findall(r"\]\(([^()\s]+)\)", text) + re.findall(r'\b(?:src|href)="([^"]+)"', text)
    for link in links:
        if re.match("[a-z]+:", link):
            continue
        to, _, anchor = link.partition("#")
        target = path.parent / to if to else path
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), link


MARKDOWN = sorted({*DOCUMENTS, *ROOT.glob("results/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md")})


def cells(row: str) -> int:
    """How many cells a row has: a bar behind a backslash parts none, one in backticks does, on GitHub."""
    return len(re.split(r"(?<!\\)\|", row.strip().strip("|")))


def uneven(text: str) -> list[str]:
    """Rows with another number of cells than their table's header."""
    out, header = [], 0
    lines = FENCED.sub("", text).splitlines()
    for line, after in zip(lines, [*lines[1:], ""]):
        if not line.startswith("|"):
            header = 0
        elif not header and re.fullmatch(r"\|[\s:|-]+\|", after):
            header = cells(line)
        elif header and cells(line) != header:
            out.append(line)
    return out


@pytest.mark.parametrize("path", MARKDOWN, ids=name)
def test_rows_of_tables(path):
    assert not uneven(path.read_text())


def test_an_uneven_row_is_found():
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n| `A|B` | 3 |\n| `A\\|B` | 3 |\n"
    assert uneven(table) == ["| `A|B` | 3 |"]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")], ids=name)
def test_numbers_have_their_leading_zero(path):
    text = re.sub(r"`[^`\n]+`", "", FENCED.sub("", path.read_text()))
    assert not re.findall(r"(?<![\w.])[.]\d+", text)


def reports() -> dict[str, dict]:
    """By the folders of tables."""
    return {path.parent.name: json.loads(path.read_text()) for path in ROOT.glob("results/*/report.json")}


def test_claims_are_counted_as_the_reports_have_them():
    answers = {name: [claim["answer"] for claim in report["claims"]] for name, report in reports().items()}
    n = Counter(answer for some in answers.values() for answer in some)
    told = " ".join((ROOT / "docs" / "what_we_learned.md").read_text().split())
    assert f"The tables make {n.total()} claims: {n['holds']} hold, {n['contradicted']} are contradicted, " in told
    assert f"{n['undecided']} are undecided, and {n['not tested']} are not tested" in told
    deciding = sum(bool({"holds", "contradicted"} & set(some)) for some in answers.values())
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"Of {len(answers)} [tables](results/README.md) {deciding} decide some of their claims." in readme


def test_what_was_learned_stands_in_the_reports():
    """Of each row, bullet and paragraph that links to reports, every number with a decimal point is in one of those."""
    text = (ROOT / "docs" / "what_we_learned.md").read_text()
    blocks = [block for block in re.split(r"\n(?=[|\n-])", text) if "../results/" in block]
    assert len(blocks) > 20
    for block in blocks:
        told = "\n".join(
            (ROOT / "docs" / link).resolve().read_text() for link in re.findall(r"\]\((\.\./results/\S+\.md)\)", block)
        )
        for number in re.findall(r"(?<![\w.])\d+\.\d+", block):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", told), f"{number} of {block}"
