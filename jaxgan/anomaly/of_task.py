"""The scores that a run's task has itself: those of f-AnoGAN and GANomaly."""

from dataclasses import dataclass
from typing import Any

import jax

from jaxgan.anomaly.base import Found, OfNetworks, seen
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.tasks.protocols import Anomaly, FindsAnomalies


@dataclass(frozen=True, kw_only=True)
class OfTask(OfNetworks):
    """The task's own scores of abnormality."""

    def check(self, plan: Any) -> None:
        """Refuses a run whose task finds no anomalies. Raises UserError."""
        if not plan.can(FindsAnomalies):
            raise UserError(
                f"task.name={plan.config.task.name} has no score of abnormality of its own; with a generator and a critic "
                "--config.eval.detector.name=search has one, and pca and patches need no networks of the run"
            )
        self.traced(plan, self._finder(plan))

    def make(self, plan: Any, nets: Any, normal: Images, size: int) -> Found:
        return Found(f"the score of task {plan.config.task.name}", self._finder(plan), nets)

    def _finder(self, plan: Any) -> Any:
        def find(nets: Any, image: jax.Array, numbers: jax.Array) -> Anomaly:
            with self.mode():
                return plan.task(frozen=nets.frozen).anomalies(nets.players, seen(image))

        return find
