"""Eigenvalues of the step against closed forms (Mescheder et al. 2018), and the table's verdicts on runs of it."""

import importlib

import jax
import numpy as np
import pytest
from helpers import ROOT, noise_images, plan_of

from jaxgan.ablation.cells import Cell, load_table, make_cells
from jaxgan.ablation.results import read_result, trajectory
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.plan import Plan
from jaxgan.scores.stability import stability
from jaxgan.sections import open_data, sections
from jaxgan.training.train import train

SPEC, H = str(ROOT / "configs/ablations/dirac.py"), 0.2
CELLS = {cell.row: cell for cell in make_cells(load_table(SPEC), SPEC, ROOT / "no_such_folder", [])}


def measured(row):
    with jax.enable_x64(True):
        images = open_data(CELLS[row].config)
        plan = Plan(CELLS[row].config, images.features)
        return stability(plan, images, plan.init(jax.random.key(0)))


def spectral_radius(*updates):
    """Of a product of linear maps of (theta, psi), the first applied first."""
    return max(abs(np.linalg.eigvals(np.linalg.multi_dot([np.eye(2), *updates[::-1], np.eye(2)]))))


def both(gamma, consensus=0.0):
    """All at once: f'(0) = 1/2 couples the players, R1 shrinks psi by gamma, consensus both by a quarter."""
    return np.eye(2) + H * np.array([[-consensus / 4, 0.5], [-0.5, -gamma - consensus / 4]])


def one_by_one(gamma, rounds, consensus=0.0):
    disc, gen = np.eye(2), np.eye(2)
    disc[1], gen[0] = both(gamma, consensus)[1], both(gamma, consensus)[0]
    return [*[disc] * rounds, gen]


@pytest.mark.slow
@pytest.mark.parametrize("method, gamma, consensus", [("GAN", 0, 0), ("NSGAN", 0, 0), ("GAN + R1 .3", 0.3, 0),
                                                      ("GAN + R1 1", 1.0, 0), ("GAN + consensus", 0, 1.0)])  # fmt: skip
def test_closed_forms(method, gamma, consensus):
    def close(mode, *updates):
        return measured(f"{method}, {mode}")["spectral_radius"] == pytest.approx(spectral_radius(*updates), abs=1e-7)

    assert close("simultaneous", both(gamma, consensus))
    assert close("alternating 1:1", *one_by_one(gamma, 1, consensus))
    assert close("alternating 1:5", *one_by_one(gamma, 5, consensus))


def test_the_papers_formula():
    """1 + h (-gamma / 2 +- sqrt(gamma^2 / 4 - 1 / 4)): section 4.1 with f'(0) = 1/2."""
    for row, gamma in (("GAN + R1 .3, simultaneous", 0.3), ("GAN + R1 1, simultaneous", 1.0)):
        root = -gamma / 2 + np.emath.sqrt(gamma**2 / 4 - 0.25)
        assert measured(row)["spectral_radius"] == pytest.approx(abs(1 + H * root), abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row, verdict, distance",
    [
        ("NSGAN, simultaneous", "circles", 0.64),
        ("NSGAN, alternating 1:1", "creeps in", 0.284),
        ("GAN, simultaneous", "moves away", 3.4),
        ("GAN + R1 .3, alternating 1:1", "converges", 0),
        ("GAN + consensus, alternating 1:5", "converges nearby", 11),
    ],
)
def test_verdicts_of_real_runs(row, verdict, distance, tmp_path):
    cell = CELLS[row]
    with jax.enable_x64(True):
        images = open_data(cell.config)
        cell = Cell(cell.row, 0, cell.number, tmp_path / "run", cell.source, cell.overrides, cell.config)
        train(Plan(cell.config, images.features), images, cell.folder)
    result = read_result(cell)
    assert importlib.import_module("configs.ablations.dirac").verdict(result) == verdict
    assert result.numbers["distance"] == pytest.approx(distance, abs=0.05 if distance < 10 else 1)
    path = trajectory(result, "gen.theta", "disc.psi")
    assert path.shape == (500, 2) and np.linalg.norm(path[-1]) == pytest.approx(result.numbers["distance"], rel=1e-12)


def test_what_has_no_known_equilibrium_is_refused():
    plan = plan_of("dcgan.py")
    with pytest.raises(UserError, match="--config.nets.gen.name=dirac"):
        stability(plan, noise_images(), plan.init(jax.random.key(0)))
    config = resolve_config(CELLS["GAN, simultaneous"].config, [("optim.gen.name", "adam")], sections)
    with jax.enable_x64(True):
        plan = Plan(config, features_of((1,)))
        with pytest.raises(UserError, match="--config.optim.gen.name=sgd"):
            stability(plan, open_data(config), plan.init(jax.random.key(0)))
