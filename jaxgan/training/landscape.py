"""Pictures of a GAN of points in the plane: samples over data, what the discriminator thinks of every place, and where the
generator's loss would push a sample from there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.data.picture import opened
from jaxgan.generate import Trained
from jaxgan.objectives.objective import MAKER
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Judges

LEVELS, ARROWS = 61, 19  # places along each side of the frame where the logit and the slope are taken
DRAWS = 8  # over which packs and relativistic pairs are averaged


class Landscape(NamedTuple):
    """logits [LEVELS, LEVELS] and slopes [ARROWS, ARROWS, 2], minus the gradient of a sample's generator loss by its place,
    over the square `frame` (left, right, bottom, top); the first axis goes up."""

    frame: tuple[float, float, float, float]
    logits: Any
    slopes: Any


def frame(points: np.ndarray) -> tuple[float, float, float, float]:
    """A square around points [N, D], with a margin: pictures of one run have the same."""
    points = flat(points)
    low, high = points.min(0), points.max(0)
    (x, y), half = (low + high) / 2, 0.65 * max(float((high - low).max()), 1e-6)
    return float(x - half), float(x + half), float(y - half), float(y + half)


def flat(points: np.ndarray) -> np.ndarray:
    """The first two coordinates [N, 2]; of points on a line, 0 beside."""
    return np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))[:, :2]


def make_landscape(plan: Plan, real: np.ndarray) -> Callable[[Trained, Any], Landscape] | None:
    """`(nets, fake [N, 2]) -> Landscape` of a run in the plane; None of a task without a critic. real: points of its data
    [M, 2].

    A place is judged among its own: in a pack the others are fakes. A relativistic loss sets it against real points.
    """
    objective = getattr(plan.task(), "objective", None) if plan.can(Judges) else None
    loss = objective.half(MAKER) if objective else None
    if loss is None:
        return None
    around, pack = frame(real), plan.config.critic.pack
    left, right, bottom, top = around
    rows = np.random.default_rng(0).permutation(len(real))[: DRAWS * pack]
    reals = jnp.asarray(np.resize(real[rows], (DRAWS, pack * 2)))

    def places(n: int) -> jax.Array:
        x, y = jnp.meshgrid(jnp.linspace(left, right, n), jnp.linspace(bottom, top, n))
        return jnp.stack([x, y], -1).reshape(-1, 2)

    def judge(nets: Trained, image: jax.Array) -> jax.Array:
        return plan.task(frozen=nets.frozen).judge(nets.players, image)

    def judged(nets: Trained, points: jax.Array, others: jax.Array) -> jax.Array:
        """Logits [P, DRAWS]."""
        shape = (len(points), DRAWS)
        packs = [jnp.broadcast_to(points[:, None], (*shape, 2)), jnp.broadcast_to(others[None], (*shape, 2 * pack - 2))]
        return judge(nets, jnp.concatenate(packs, -1).reshape(-1, 2 * pack)).reshape(shape)

    @jax.jit
    def arrays(nets: Trained, fake: jax.Array):
        others = fake[jnp.arange(DRAWS * (pack - 1)) % len(fake)].reshape(DRAWS, -1)
        real_logits = jnp.broadcast_to(judge(nets, reals), (ARROWS**2, DRAWS)).reshape(-1)

        def push(points):
            return loss(real_logits, judged(nets, points, others).reshape(-1)) * len(points)

        logits = judged(nets, places(LEVELS), others).mean(1).reshape(LEVELS, LEVELS)
        return logits, -jax.grad(push)(places(ARROWS)).reshape(ARROWS, ARROWS, 2)

    return lambda nets, fake: Landscape(around, *arrays(nets, fake))


def draw_points(
    points: np.ndarray, real: np.ndarray | None = None, landscape: Landscape | None = None, side: int = 480
) -> np.ndarray:
    """Generated points [N, D], blue, over real ones, grey; beside them, if there is one, the landscape: light where the
    discriminator takes a point for real, and arrows the way that the generator's samples are pushed.

    Returns uint8 [side, side or twice that, 3].
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points, real = flat(points), real if real is None else flat(real)
    left, right, bottom, top = landscape.frame if landscape else frame(points if real is None else real)
    panels = 2 if landscape else 1
    figure = Figure(figsize=(panels * side / 100, side / 100), dpi=100, layout="constrained")
    canvas, (first, *more) = FigureCanvasAgg(figure), np.atleast_1d(figure.subplots(1, panels))
    if real is not None:
        first.scatter(real[:, 0], real[:, 1], s=4, c="0.7", linewidths=0, label="real")
    first.scatter(points[:, 0], points[:, 1], s=4, c="tab:blue", linewidths=0, alpha=0.6, label="generated")
    outside = int(((points < (left, bottom)) | (points > (right, top))).any(1).sum())
    first.set_title(f"{len(points):,} points" + (f", {outside:,} outside" if outside else ""), fontsize=9)
    first.legend(loc="upper right", fontsize=7, markerscale=2)
    for panel in more:
        logits, slopes = np.asarray(landscape.logits), np.asarray(landscape.slopes)  # pyright: ignore[reportOptionalMemberAccess]
        x, y = np.linspace(left, right, LEVELS), np.linspace(bottom, top, LEVELS)
        if np.ptp(logits) > 0:
            panel.contourf(x, y, logits, 24, cmap="cividis")
        panel.scatter(points[:, 0], points[:, 1], s=2, c="white", linewidths=0, alpha=0.5)
        x, y = np.linspace(left, right, ARROWS), np.linspace(bottom, top, ARROWS)
        panel.quiver(x, y, slopes[..., 0], slopes[..., 1], color="tab:red", width=0.003, pivot="mid")
        steepest = np.linalg.norm(slopes, axis=-1).max()
        panel.set_title(f"logits {logits.min():.2g} to {logits.max():.2g}, push at most {steepest:.2g}", fontsize=9)
    for panel in (first, *more):
        panel.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        panel.tick_params(labelsize=7)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def picture_frames(folder: Path) -> list[np.ndarray]:
    """A run's pictures so far, oldest first."""
    out = []
    for path in sorted(folder.glob("step_*.png")):
        with opened(path) as picture:
            out.append(np.asarray(picture.convert("RGB")))
    return out
