"""Which GANs converge where everything can be seen: Dirac-GAN (Mescheder et al. 2018, figures 2 and 3, table 1).

    python launch.py --mode=ablate --config=configs/ablations/dirac.py --workdir=runs/dirac

The generator is a point theta, the discriminator a slope psi, the data the point 0: the equilibrium is (0, 0). Gradient
descent with step .2 from (1, 1), 500 steps, in three modes: both players at once (simultaneous), one after the other
(alternating 1:1), five steps of the discriminator for one of the generator (alternating 1:5; the discriminator first, where
the authors' notebook moves the generator first). Nine methods with the notebook's settings, its penalties' weights put into
this package's convention: WGAN clipped to 1; WGAN-GP with slope 1 (its .7 is a weight of .35 here); instance noise of .7 in
batches of 1,000; R1 of .3 and 1; consensus of 1 (exact; the notebook halves one of its terms); the rest without settings.

The verdict takes two things together: the eigenvalues of one whole step at the equilibrium, by JAX from the package's own
losses and penalties (metric `stability`), and the trajectory: "converges" (eigenvalues inside the unit circle, and nearer
than .1 in the end), "converges nearby" (the same eigenvalues, and this start is outside of their reach), "creeps in"
(eigenvalues on the circle, the distance still falls), "circles" (the distance stays within a tenth), "moves away". Where a
penalty has no derivative at 0, as WGAN-GP's, the eigenvalue is no more than huge.

Twelve seeds: the test asks whether more than half of the runs have a claim's word, and corrects its p-value over the table's
27 claims; ten runs that agree would not do (a two-sided p of .053), twelve do (.013). Nothing is random but instance noise;
the runs of all other rows are equal to the bit, and for them the test says no more than one run does. One seed takes two
minutes on two CPU cores.
"""

import numpy as np

from configs import default
from jaxgan.results import Result, Summary, trajectory
from jaxgan.table import Claim, Column, Length, Row, Table

STEPS, START = 500, 1.0
MODES = {
    "simultaneous": {"simultaneous": True},
    "alternating 1:1": {},
    "alternating 1:5": {"rounds.disc": 5},
}
NOISE = {"critic.instance_noise": 0.7, "batch_size": 1000}
METHODS: dict[str, tuple[dict, bool]] = {  # and whether the paper says that it converges
    "GAN": ({"objective.loss": "minimax"}, False),
    "NSGAN": ({"objective.loss": "nonsaturating"}, False),
    "WGAN": ({"objective.loss": "wasserstein", "optim.disc.clip_weights": 1.0}, False),
    "WGAN-GP": ({"objective.loss": "wasserstein", "objective.terms.wgan_gp.weight": 0.35}, False),
    "GAN + instance noise": ({"objective.loss": "minimax"} | NOISE, True),
    "GAN + R1 .3": ({"objective.loss": "minimax", "objective.terms.r1.weight": 0.3}, True),
    "GAN + R1 1": ({"objective.loss": "minimax", "objective.terms.r1.weight": 1.0}, True),
    "GAN + consensus": ({"objective.loss": "minimax", "objective.terms.consensus.weight": 1.0}, True),
    "NSGAN + R1 .3": ({"objective.loss": "nonsaturating", "objective.terms.r1.weight": 0.3}, True),
}
GOOD, BAD = ("converges", "converges nearby"), ("circles", "moves away", "diverged")


def get_config():
    config = default.get_config()
    config.steps = STEPS
    config.batch_size = 8  # which changes nothing: all are the point 0
    config.dtype = "float64"  # one on the unit circle is to be told from one beside it
    config.data = {"name": "dirac", "points": 1000}
    config.task.z_dim = 1
    for net in ("gen", "disc"):
        config.nets[net] = {"name": "dirac", "start": START}
        config.optim[net] = {"name": "sgd", "lr": 0.2}
    config.log = {"every": 1, "tensorboard": False, "params": True}
    config.sample = {"every": 0, "num": 8}
    config.checkpoint = {"every": 0, "keep": 1}
    config.eval = {"every": STEPS, "metrics": ("stability",), "features": {"name": "points"}}
    return config


def verdict(result: Result) -> str:
    """One word for a method in a mode, from its eigenvalues and its trajectory."""
    distance = np.linalg.norm(trajectory(result, "gen.theta", "disc.psi"), axis=1)
    fifth = max(1, len(distance) // 5)
    before, after = distance[-3 * fifth : -2 * fifth].max(initial=0), distance[-fifth:].max(initial=0)
    radius = result.numbers["spectral_radius"]
    if radius < 1 - 1e-9:
        return "converges" if after < 0.1 else "converges nearby"
    if abs(radius - 1) < 1e-9 and after < 0.9 * before:
        return "creeps in"
    return "moves away" if after > 1.1 * before else "circles" if after > 0.1 else "comes near"


def table() -> Table:
    rows, claims = {}, []
    for method, (settings, converges) in METHODS.items():
        for mode, how in MODES.items():
            name = f"{method}, {mode}"
            rows[name] = Row(settings | how, published={"verdict": "converges" if converges else "does not converge"})
            claims.append(Claim("verdict", name, words=GOOD if converges else BAD))
    return Table(
        title="Dirac-GAN: which methods converge",
        paper="Mescheder et al. 2018 (Which training methods for GANs do actually converge?), figures 2 and 3, table 1, and "
        "the authors' notebook",
        data="the point 0",
        protocol=f"gradient descent, step {{optim.gen.lr}}, from ({START:g}, {START:g}), {{steps}} steps, {{dtype}}",
        length=Length(500, "steps of the authors' notebook"),
        differs=(
            "the discriminator moves first where the players alternate (in the notebook the generator does)",
            "consensus is exact (the notebook halves one of its terms)",
        ),
        published="verdicts on methods, in continuous time and for small steps; the notebook has no numbers to compare",
        columns=(
            Column(title="verdict", word=verdict),
            Column("spectral_radius", "spectral radius", format=".5g"),
            Column("eigenvalue_real", "its real part", format=".5g"),
            Column("eigenvalue_imaginary", "imaginary part", format=".4g"),
            Column("distance", "distance after 500", format=".2g"),
        ),
        rows=rows,
        seeds=range(12),
        claims=tuple(claims),
        samples=False,
        figures={"trajectories": trajectories},
        notes="converges: eigenvalues inside the unit circle, and nearer than .1 in the end; converges nearby: the same "
        "eigenvalues, but this start is outside of their reach; creeps in: eigenvalues on the circle, which "
        "decides nothing, and the distance falls at a vanishing rate; circles: the distance stays; moves away: it "
        "grows. Simultaneous NSGAN ends on a limit cycle, alternating NSGAN comes nearer like one over the root "
        "of the steps: the paper's verdict is of exponential convergence, which it does not have. WGAN-GP's "
        "penalty has no derivative at 0: its eigenvalue is huge.",
    )


def trajectories(summary: Summary):
    """(theta, psi) of every method and mode; a dot where it ends. None where no run's path is there any more."""
    from matplotlib.figure import Figure

    if not any(result.history for results in summary.results.values() for result in results):
        return None
    figure = Figure(figsize=(6.6, 2.1 * len(METHODS)), layout="constrained")
    for panel, (name, results) in zip(figure.subplots(len(METHODS), len(MODES)).ravel(), summary.results.items()):
        paths = [np.concatenate([[[START, START]], trajectory(result, "gen.theta", "disc.psi")]) for result in results]
        for path in {path.tobytes(): path for path in paths}.values():  # runs without chance are all alike
            panel.plot(*path.T, linewidth=0.7, color="#0072b2")
            panel.plot(*path[-1], "o", markersize=4, color="#d55e00")
        panel.plot(0, 0, "+", color="#000000")
        method, _, mode = name.rpartition(", ")
        words = dict.fromkeys(verdict(result) if result.state == "done" else result.state for result in results)
        panel.set_title(f"{method}\n{mode}: {' and '.join(words)}", fontsize=7)
        panel.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        panel.tick_params(labelsize=6)
    figure.supxlabel("theta, the generator's point", fontsize=8)
    figure.supylabel("psi, the discriminator's slope", fontsize=8)
    return figure
