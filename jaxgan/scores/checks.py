"""What scores refuse before anything is measured: too few images, and tasks that cannot do what a score is of."""

from typing import Any

from jaxgan.errors import UserError
from jaxgan.scores.metric import Metric
from jaxgan.tasks.protocols import PROTOCOLS, methods_of


def check_enough(scores: dict[str, Metric], generated: int, real: int = 0) -> None:
    """Refuses scores of fewer images than their values are defined for. real: 0 where that is not known yet. Raises
    UserError."""
    for name, metric in scores.items():
        for kind, field, least, have in zip(
            ("generated", "real"), ("num_samples", "num_real"), metric.least, (generated, real or max(metric.least))
        ):
            if have < least:
                raise UserError(
                    f"the metric '{name}' needs at least {least} {kind} images, not {have}: take more "
                    f"(eval.{field}), or leave it out of --config.eval.metrics"
                )


def check_task(plan: Any, scores: dict[str, Metric]) -> None:
    """Refuses scores of what the run's task cannot do. Raises UserError."""
    for name, metric in scores.items():
        needs = [need for need in metric.needs if need in PROTOCOLS] if "state" in metric.needs else ["Generates"]
        for need in needs:
            if not plan.can(PROTOCOLS[need]):
                raise UserError(
                    f"the metric '{name}' is of a task that has {', '.join(methods_of(PROTOCOLS[need]))}, which "
                    f"{plan.config.task.name} has not; leave it out of --config.eval.metrics"
                )
