"""The lines that a run starts with."""

from pathlib import Path
from typing import Any

from jaxgan.data.source import Images
from jaxgan.objectives.objective import CRITIC
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.training import population


def summary(plan: Plan, images: Images, placement: Placement, folder: Path | str, step: int, members: int = 1) -> str:
    """The lines that a run, or a population of so many members, starts with."""
    config = plan.config
    shape = "x".join(map(str, images.image_shape))
    what = f"images of {shape}" if len(images.image_shape) == 3 else f"points in {shape} dimensions"
    classes = f", {images.num_classes} classes" if images.num_classes else ""
    where = "on the device" if images.resident else "read ahead"
    device = placement.mesh.devices.flat[0]
    lines = {
        "data": f"{images.name}: {len(images):,} {what}{classes}, {where}",
        **{
            player: f"{_networks(plan, player)}, {plan.num_params(player):,} params, {config.optim[player].name}"
            for player in plan.players
        },
        **{f"frozen {name}": text for name, text in plan.frozen_lines().items()},
        **({"objective": " + ".join([config.objective.loss, *config.objective.terms])} if "objective" in config else {}),
        "step": ", ".join(_update(update) for update in plan.updates),
        "devices": f"{placement.size} x {device.device_kind} ({config.parallel}, {config.dtype}), "
        + (
            f"{members // placement.size} of {members} members each"
            if population.spreads(members, placement)
            else f"{config.batch_size // placement.size} of {config.batch_size} images each"
        ),
        "steps": f"{step:,} to {config.steps:,}, {config.steps * plan.kimg_per_step:,.0f} thousand images, "
        f"{1000 * config.steps * plan.kimg_per_step / len(images):,.0f} epochs",
        "output": f"{folder}",
    }
    return "\n".join([f"{name:>10}  {text}" for name, text in lines.items()] + _warnings(plan))


def _networks(plan: Plan, player: str) -> str:
    """A player's networks: "dcgan", or "ab and ba: unet"."""
    names: dict[str, list[str]] = {}
    for network, section in plan.nets_of(player).items():
        names.setdefault(section.name, []).append(network)
    alone = len(plan.nets_of(player)) == 1
    return ", ".join(name if alone else f"{' and '.join(networks)}: {name}" for name, networks in names.items())


def _warnings(plan: Plan) -> list[str]:
    """Of terms on each example's slope beside networks that mix the examples."""
    slopes = plan.terms_that_need("judged.answers")
    out = []
    for player in (player for player, side in plan.sides.items() if side == CRITIC and slopes):
        for net in {str(section): section for section in plan.nets_of(player).values()}.values():
            mixing = [("BatchNorm", "norm=layer")] * (net.get("norm") == "batch")
            mixing += [(f"minibatch={net.get('minibatch')}", "minibatch=none")] * (net.get("minibatch", "none") != "none")
            out += [
                f"warning: {name} measures each example's slope, and {what} in {player} mixes the examples; use {instead}"
                for name in slopes
                for what, instead in mixing
            ]
    return out


def _update(update: Any) -> str:
    times = f" x{update.rounds}" if update.rounds > 1 else ""
    every = f" every {update.every} steps" if update.every > 1 else ""
    return f"{update.loss}{times}{every}"
