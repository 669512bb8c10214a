"""What `--help` prints: of everything, of a verb, of a config file."""

import ast
import textwrap
from pathlib import Path

from absl import flags

from jaxgan.command_line import VERBS, common_flags, flags_of, load_verb
from jaxgan.config.bundled import CONFIGS
from jaxgan.errors import UserError, described

OVERRIDES = """
--config.steps=1e4 --config.seed=1 --config.batch_size=128
--config.optim.gen.lr=1e-4 --config.optim.disc.lr="linear(2e-4, 0, 0, 500)"
--config.nets.gen.name=resnet --config.nets.gen.width=128
--config.objective.loss=hinge --config.objective.terms.r1.weight=1
--config.data.name=cifar10
--config.data.name=image_folder --config.data.dir=FOLDER --config.data.size=64
"""
WIDTH = 120


def overview() -> str:
    """What `--help` prints: verbs, common flags, overrides and all configs."""
    parts = ["Usage: python launch.py --config=FILE [--mode=VERB] [--FLAG=VALUE ...] [--config.FIELD=VALUE ...]", ""]
    parts += ["Modes, each with its own flags (--mode=sample --help):"]
    for mode in VERBS:
        verb = load_verb(mode)
        parts.append(f"  {mode:<12} {_first_line(verb.__doc__)}")
        parts += [f"  {'':<12}   {verb.EXAMPLES.strip().splitlines()[0]}"]
    parts += ["", "Flags of every mode:", *_described(common_flags())]
    parts += ["", "Any field of a config may be set; configs/default.py lists them all, --print_config shows them:"]
    parts += ["  " + line for line in OVERRIDES.strip().splitlines()]
    parts += ["", f"Configs, in {CONFIGS} (--config=configs/wgan.py --help says what one is):"]
    for path in [*sorted(CONFIGS.glob("*.py")), *sorted((CONFIGS / "ablations").glob("*.py"))]:
        doc, variants = describe(path)
        parts.append(f"  {path.relative_to(CONFIGS)!s:<24} {doc.splitlines()[0]}")
        parts += [f"  {'':<24} :{' :'.join(variants)}"] if variants else []
    return "\n".join(parts)


def help_of(mode: str) -> str:
    """What `--mode=VERB --help` prints: the verb's docstring, examples and flags."""
    verb = load_verb(mode)
    own = _described(flags_of(mode)) or ["  none"]
    parts = [f"--mode={mode}: {(verb.__doc__ or '').strip()}", "", *verb.EXAMPLES.strip().splitlines(), "", "Flags:", *own]
    return "\n".join([*parts, "", f"And those of every mode, --{', --'.join(common_flags())}: see --help."])


def help_of_config(spec: str) -> str:
    """What `--config=FILE --help` prints: its docstring and variants. Raises UserError."""
    from jaxgan.config.load import check_file

    name = spec.partition(":")[0]
    doc, variants = describe(check_file(name))
    more = f"\n\nVariants, the first by default: {', '.join(f'{name}:{v}' for v in variants)}" if variants else ""
    return doc + more


def _described(values: flags.FlagValues) -> list[str]:
    """Flags with their help, as lines."""
    width = max((len(name) for name in values), default=0) + 6
    out = []
    for name in values:
        text = " ".join((values[name].help or "").split())
        about = textwrap.fill(text, WIDTH - 10, initial_indent=" " * width, subsequent_indent=" " * width)
        out.append(f"  --{name}".ljust(width) + about[width:])
    return out


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().splitlines()[0]


def describe(path: Path) -> tuple[str, tuple[str, ...]]:
    """A config file's docstring and its variants, read without running it."""
    try:
        tree = ast.parse(path.read_bytes(), path.name)
    except SyntaxError as error:
        raise UserError(described(error)) from error
    except ValueError as error:  # zero bytes
        raise UserError(f"{path} is no Python file: {error}") from error
    values = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "VARIANTS"]
    try:
        variants = tuple(ast.literal_eval(values[0])) if values else ()
    except ValueError:  # computed, which only running it would tell
        variants = ()
    return ast.get_docstring(tree) or "(no docstring)", variants
