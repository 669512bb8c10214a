"""Names that config fields and metrics had before, so that older workdirs and reports are still read.

Saved configs, logs and reports are converted to today's names when they are read. What was no field then gets the value that
it had then (`earlier_values`). An override or config file with an old
name is refused, with the new name in the message. This module needs nothing but Python's own library.
"""

import copy
from typing import Any

NAMES = 3  # the revision of the names, which records carry; records without one are of revision 1
OWN = ("latent", "style", "paired", "unpaired")  # tasks whose fields were renamed; another task's belong to its author
# Fields or sections, old -> new, dotted.
RENAMED = {
    "objective.penalties": "objective.terms",
    "task.disc_batches": "critic.batches",
    "task.instance_noise": "critic.instance_noise",
    "task.pack": "critic.pack",
    "task.l1": "objective.terms.l1.weight",
    "task.cycle": "objective.terms.cycle.weight",
    "task.identity": "objective.terms.identity.weight",
    "task.cycles": "objective.terms.cycle.of",
    "task.adversarial": "objective.loss",
}
RENAMED_METRICS = {"penalty/": "term/"}  # beginnings of metrics' names
CYCLES = {"both": "cycle", "forward": "cycle/a", "backward": "cycle/b"}  # values of task.cycles
NO = ("none", "None", None)
# Networks with norms, and the fields that they had before revision 3, as a generator and as a discriminator. In another
# person's task a network of such a name is this one if it has no other field.
WITH_NORMS = {
    "mlp": ("widths activation norm output init_std", "widths activation norm maxout init_std"),
    "dcgan": ("width activation norm", "width activation norm minibatch group"),
    "resnet": ("width norm", "width norm pool"),
    "sngan": ("width norm",),
    "unet": ("width max_width skip norm dropout",),
    "translator": ("width blocks norm",),
    "patch": ("field width norm",),
}


def renamed(path: str) -> str:
    """The name of today for a field: "objective.terms.r1.weight" for "objective.penalties.r1.weight"."""
    for old, new in RENAMED.items():
        if path == old or path.startswith(f"{old}."):
            return new + path[len(old) :]
    return path


def renamed_override(path: str, text: str) -> list[tuple[str, str]]:
    """An override of an older revision as those of today that say the same: none, one or several."""
    new = renamed(path)
    if new.endswith(".weight") and path.startswith("task."):
        return _pair_term(new.split(".")[2], text)
    if path == "task.cycles":
        return [(new, CYCLES.get(text, text))]
    if path == "task.adversarial":
        return [(new, "none")] if str(text).lower() in ("false", "0", "no", "off") else []
    return [(new, text)]


def renamed_config(config: dict[str, Any]) -> dict[str, Any]:
    """A saved config, a tree of dicts, with the names of today."""
    out = copy.deepcopy(config)
    for path, value in earlier_values(out).items():
        _, section, field = path.split(".")
        out["nets"][section].setdefault(field, value)
    objective, task = out.setdefault("objective", {}), out.get("task", {})
    if "penalties" in objective:
        objective["terms"] = objective.pop("penalties")
    if task.get("name", "latent") not in OWN:
        return _without_new(out, config)
    critic = {new: task.pop(old) for old, new in _critic(task).items()}
    if critic:
        out["critic"] = critic | out.get("critic", {})
    cycles = CYCLES[task.pop("cycles", "both")]
    for name in ("l1", "cycle", "identity"):
        weight = task.pop(name, None)
        if weight is not None:
            of = {"l1": "image", "cycle": cycles}.get(name, name)
            objective.setdefault("terms", {})[name] = {"name": "l1", "weight": weight, "of": of, "every": 1}
    if not task.pop("adversarial", True):
        objective["loss"] = "none"
    return _without_new(out, config)


def earlier_values(config: dict[str, Any]) -> dict[str, Any]:
    """{dotted path: value} of fields that a config's networks have since revision 3: before, layer and instance norm had an
    epsilon of 1e-6, and the networks patch and translator SAME padding."""
    out: dict[str, Any] = {}
    for section, net in config.get("nets", {}).items():
        name, fields = net.get("name"), net.keys() - {"name", "epsilon", "padding"}
        if "norm" in net and any(fields <= {*known.split()} for known in WITH_NORMS.get(name, ())):
            if net["norm"] in ("layer", "instance"):
                out[f"nets.{section}.epsilon"] = 1e-6
            if name in ("translator", "patch"):
                out[f"nets.{section}.padding"] = "same"
    return out


def renamed_record(record: dict[str, Any]) -> dict[str, Any]:
    """A run's record, whose "config" is a tree of dicts, with the names of today."""
    if record.get("names", 1) == NAMES:
        return record
    return {**record, "names": NAMES, "config": renamed_config(record["config"])}


def renamed_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """A saved config as {dotted path: value}, with the names of today."""
    return _flat(renamed_config(nested(fields)))


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """{dotted path: value} as a tree of dicts."""
    tree: dict[str, Any] = {}
    for path, value in fields.items():
        *above, last = path.split(".")
        at = tree
        for key in above:
            at = at.setdefault(key, {})
        at[last] = value
    return tree


def renamed_metrics(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a log with the names of today."""
    for old, new in RENAMED_METRICS.items():
        if any(name.startswith(old) for name in line):
            line = {new + name[len(old) :] if name.startswith(old) else name: x for name, x in line.items()}
    return line


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {path: x for key, part in tree.items() for path, x in _flat(part, f"{prefix}.{key}".lstrip(".")).items()}


def _without_new(out: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Without the section that was only made to be looked into."""
    return out if out["objective"] or "objective" in config else {key: x for key, x in out.items() if key != "objective"}


def _critic(task: dict[str, Any]) -> dict[str, str]:
    """Fields of an older section `task` that belong to the critic now."""
    fields = {"disc_batches": "batches", "instance_noise": "instance_noise", "pack": "pack"}
    return {old: new for old, new in fields.items() if old in task}


def _pair_term(name: str, text: str) -> list[tuple[str, str]]:
    if text in NO:
        return [(f"objective.terms.{name}", "none")]
    of = [("objective.terms.identity.of", "identity")] if name == "identity" else []  # the others' configs have theirs
    return [(f"objective.terms.{name}.name", "l1"), *of, (f"objective.terms.{name}.weight", text)]
