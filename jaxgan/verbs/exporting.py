"""`--mode=export`: a run's generator as an archive, and as a program."""

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import UserError, described
from jaxgan.files import nulls, replacing, write_json, write_text
from jaxgan.generate import CHUNK, Trained, given_inputs, make_generate, make_pictures, takes_labels, trained
from jaxgan.images import grid_picture, save_png, sheet_picture, to_uint8
from jaxgan.objectives.objective import CRITIC
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Generates
from jaxgan.training.landscape import draw_points
from jaxgan.verbs import outputs
from jaxgan.verbs.card import card
from jaxgan.workdir.archive import CONFIG, MANIFEST, MODEL, SAMPLES, Archive, without_places, write_arrays, write_manifest
from jaxgan.workdir.data import open_data
from jaxgan.workdir.flat import flatten
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.provenance import provenance
from jaxgan.workdir.runs import load_run, weights_digest

KEPT = 8  # samples that `--mode=verify` makes again
PICTURE, POINTS = 64, 2000  # samples of samples.png
PROGRAM, EVALUATION, CARD, SHOWN = "model.stablehlo", "evaluation.json", "card.md", "samples.png"
PLATFORMS = ("cpu", "cuda", "tpu")
LASTS = datetime.timedelta(days=180)  # for which JAX promises to read what it has exported


def export(folder: Path, out: Path, step: int | None = None, stablehlo: bool = False, overwrite: bool = False) -> Path:
    """Writes a run's generator to `out`, an archive as `workdir.archive` describes it, and returns its path.

    Raises UserError where the run generates nothing, where `out` holds what the same command has not made, and where the
    folder is an archive already.
    """
    if Archive(folder).is_archive:
        raise UserError(f"{folder} is an exported model already; copy the folder")
    placement = Placement()
    plan, step, state = load_run(folder, placement, step)
    if not plan.can(Generates):
        raise UserError(f"this run's task ({plan.config.task.name}) generates nothing, and a generator is what is exported")
    if jax.process_index() != 0:
        return out
    players = [player for player in plan.players if plan.sides.get(player) != CRITIC]
    has_averages = all(player in state.ema for player in players)
    nets = placement.local(trained(plan, state, has_averages))
    data = open_data(plan.config) if plan.given or len(plan.image_shape) == 1 else None
    frozen = sorted(path.relative_to(folder) for path in (folder / "frozen").glob("*/*")) if plan.frozen else []
    there = Workdir(folder).evaluations()
    names = [MODEL, CONFIG, SAMPLES, SHOWN, CARD, *map(str, frozen)]
    names += [EVALUATION] if there else []
    names += [PROGRAM] if stablehlo else []
    content, program = as_program(plan, nets) if stablehlo else (b"", {})
    try:
        request = {"mode": "export", "run": folder.name, "step": step, "checkpoint": weights_digest(folder, step)}
        outputs.claim_folder(out, request, [*names, MANIFEST], overwrite)
        (out / MANIFEST).unlink(missing_ok=True)  # until all is written it is no archive
        write_arrays(out / MODEL, flatten({player: nets.players[player] for player in players}))
        write_json(out / CONFIG, without_places(json.loads(Workdir(folder).record.read_text())))
        if there:
            write_json(out / EVALUATION, nulls({"evaluations": there}))
        for path in frozen:
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, out / path)
        numbers = np.arange(KEPT, dtype=np.uint32)
        kept = kept_samples(plan, nets, numbers, given_inputs(plan, data, numbers) if data and plan.given else {})
        write_arrays(out / SAMPLES, kept)
        save_png(out / SHOWN, _picture(plan, nets, data))
        made: dict[str, Any] = provenance()
        if content:
            with replacing(out / PROGRAM) as file:
                file.write(content)
        archive = Archive(out)
        write_text(out / CARD, card(Workdir(out), plan, step, there, made, program, out.name))
        write_manifest(
            out,
            names,
            step=step,
            ema=has_averages,
            players=players,
            numbers=[int(n) for n in numbers],
            made=made,
            **({"stablehlo": program} if program else {}),
        )
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    size = sum((out / name).stat().st_size for name in names)
    say(f"{folder.name}, step {step}, exported: {out}, {len(names) + 1} files, {size / 1e6:.1f} MB; {CARD} describes them")
    if program:
        say(f"{out}/{PROGRAM} is for deployment: JAX promises to read it until {program['until']}")
    return archive.path


def kept_samples(plan: Plan, nets: Trained, numbers: np.ndarray, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{"images": [N, H, W, C] uint8, or points; "given.NAME": what a translator makes them from}."""
    fn, is_picture = jax.jit(make_generate(plan)), len(plan.image_shape) == 3
    made = np.asarray(fn(nets, numbers, **given))
    return {"images": to_uint8(made) if is_picture else made, **{f"given.{name}": x for name, x in given.items()}}


def _picture(plan: Plan, nets: Trained, data: Images | None) -> np.ndarray:
    """What a person sees: a grid, translations beside their sources, or points over real ones."""
    points = len(plan.image_shape) == 1
    numbers = np.arange(POINTS if points else PICTURE, dtype=np.uint32)
    made = in_batches(make_pictures(plan, nets, data if plan.given else None), CHUNK, numbers)
    if points:
        return draw_points(made, data.reference() if data else None)
    given = given_inputs(plan, data, numbers) if data and plan.given else {}
    source = next((x for name, x in given.items() if plan.features[name].kind == "picture"), None)
    if source is None or source.shape[1:3] != made.shape[1:3]:
        return grid_picture(made)
    return sheet_picture(source, made, most=16)


def as_program(plan: Plan, nets: Trained) -> tuple[bytes, dict[str, Any]]:
    """The generator, weights and all, as a program of `jax.export` whose batch may have any size; and what `archive.json`
    says of it: arguments, platforms, the jax that made it, until when it can be read. Raises UserError."""
    if plan.frozen:
        raise UserError("a generator with frozen networks of other runs is exported as an archive alone")
    generate, is_picture = make_generate(plan), len(plan.image_shape) == 3
    (batch,) = jax.export.symbolic_shape("batch")
    arguments: dict[str, Any] = {"numbers": jax.ShapeDtypeStruct((batch,), np.uint32)}
    for name in plan.given:
        feature = plan.features[name]
        arguments[name] = jax.ShapeDtypeStruct((batch, *feature.shape), feature.dtype)
    if takes_labels(plan):
        arguments["label"] = jax.ShapeDtypeStruct((batch,), np.int32)
    names = [*arguments]

    def program(*given):
        made = generate(nets, **dict(zip(names, given)))
        return to_uint8(made, jnp) if is_picture else made

    try:
        exported = jax.export.export(jax.jit(program), platforms=PLATFORMS)(*arguments.values())
    except Exception as error:  # whatever a network of the user's makes of a batch without a size
        raise UserError(
            f"this generator takes no batch of any size ({described(error)}); write x.shape[0] and not len(x), or "
            "export it without --format=stablehlo"
        ) from error
    today = datetime.datetime.now(datetime.UTC).date()
    return bytes(exported.serialize()), {
        "arguments": [[name, f"{np.dtype(x.dtype).name}[{', '.join(map(str, x.shape))}]"] for name, x in arguments.items()],
        "platforms": list(PLATFORMS),
        "jax": jax.__version__,
        "version": exported.calling_convention_version,
        "until": str(today + LASTS),
    }
