"""A search's study, kept by Optuna: which values a trial has, and what came of it.

What a trial draws follows from the study's seed, the trial's number and what was told before it was asked for: a sampler is
made anew for each draw, with its options written out, so that neither a restart nor an upgrade changes a study.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxgan.errors import UserError
from jaxgan.search.space import Choice, Log, Space, Whole

SAMPLERS: dict[str, dict[str, Any]] = {  # their options
    "random": {},
    "tpe": {"n_startup_trials": 10, "n_ei_candidates": 24, "multivariate": True, "group": True, "constant_liar": True},
}
WORST = {"lower": np.inf, "higher": -np.inf}  # what a diverged trial is told as


def import_optuna() -> Any:
    """Optuna, quiet. Raises UserError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise UserError("--mode=tune needs Optuna: pip install -e '.[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


class Study:
    """One study in a storage, made there if it is new.

    url: of the storage, "sqlite:///study.db". better: "lower" or "higher". sampler, options: one of `SAMPLERS`, and its
    options. defaults: what trial 0 has of the space's fields. Raises UserError for a storage that cannot be reached.
    """

    def __init__(
        self,
        url: str,
        name: str,
        better: str,
        sampler: str,
        options: Mapping[str, Any],
        seed: int,
        space: Space,
        defaults: Mapping[str, Any],
    ):
        self.optuna, self.space, self.seed, self.better = import_optuna(), space, seed, better
        self.sampler, self.options = sampler, dict(options)
        direction = {"lower": "minimize", "higher": "maximize"}[better]
        try:
            self._study = self.optuna.create_study(
                storage=url, study_name=name, direction=direction, load_if_exists=True, sampler=self._fresh(0, "")
            )
        except Exception as error:
            raise UserError(f"--storage={url} cannot be reached: {str(error).splitlines()[0][:200]}") from error
        self._defaults = dict(defaults)
        if not self.trials():
            self._study.enqueue_trial(self._defaults, skip_if_exists=True)

    def trials(self) -> dict[int, Any]:
        """All trials that were asked for, by number, as Optuna has them."""
        waiting = self.optuna.trial.TrialState.WAITING
        return {trial.number: trial for trial in self._study.get_trials(deepcopy=False) if trial.state != waiting}

    def running(self, place: str) -> list[int]:
        """Numbers of trials that were asked for by a place, and of which nothing was told. One that a kill has left without
        a note is everybody's: who takes it first trains it."""
        state = self.optuna.trial.TrialState.RUNNING
        mine = (place, None)
        return [n for n, one in self.trials().items() if one.state == state and one.user_attrs.get("place") in mine]

    def ask(self, place: str) -> int:
        """A new trial's number. place: who trains it, of which a note is made."""
        self._study.sampler = self._fresh(len(self.trials()), "")
        trial = self._study.ask()
        trial.set_user_attr("place", place)
        return trial.number

    def drawn(self, number: int) -> dict[str, Any]:
        """The overrides that a trial has drawn, without the space's fixed ones. What a killed process has left half drawn is
        drawn to its end, as it would have been."""
        self._study.sampler = self._fresh(number, "")
        trial = self.optuna.trial.Trial(self._study, self.trials()[number]._trial_id)  # the one way to go on with a trial

        def suggest(path: str, draw: Any) -> Any:
            self._study.sampler = self._fresh(number, path)
            if isinstance(draw, Choice):
                return trial.suggest_categorical(path, draw.values)
            if isinstance(draw, Whole):
                return trial.suggest_int(path, draw.low, draw.high)
            return trial.suggest_float(path, draw.low, draw.high, log=isinstance(draw, Log))

        if number:
            return self.space.drawn(suggest)
        self.space.drawn(lambda path, draw: suggest(path, draw) if path in self._defaults else None)
        return dict(self.space.default)

    def tell(self, number: int, value: float | None) -> None:
        """What came of a trial: its score; not finite where it diverged; None where it crashed."""
        failed = self.optuna.trial.TrialState.FAIL
        if value is None:
            self._study.tell(number, state=failed, skip_if_finished=True)
        else:
            self._study.tell(number, value if np.isfinite(value) else WORST[self.better], skip_if_finished=True)

    def _fresh(self, number: int, path: str) -> Any:
        """The sampler for one draw."""
        kinds = {"random": self.optuna.samplers.RandomSampler, "tpe": self.optuna.samplers.TPESampler}
        seed = int(np.random.SeedSequence([self.seed, number, *path.encode()]).generate_state(1)[0])
        return kinds[self.sampler](seed=seed, **self.options)
