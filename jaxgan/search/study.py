"""A search's study, kept by Optuna: which values a trial has, and what came of it.

What a trial draws follows from the study's seed, the trial's number and what was told before it was asked for: a sampler is
made anew for each draw, with its options written out, so that neither a restart nor an upgrade changes a study.
"""

import datetime
import hashlib
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from jaxgan.errors import UserError
from jaxgan.search.asked import Asked
from jaxgan.search.space import Choice, Log, Space, Whole

SAMPLERS: dict[str, dict[str, Any]] = {  # their options
    "random": {},
    "tpe": {"n_startup_trials": 10, "n_ei_candidates": 24, "multivariate": True, "group": True, "constant_liar": True},
}
PRUNERS: dict[str, dict[str, Any]] = {  # which trials are given up, by their scores so far
    "none": {},
    "median": {"n_startup_trials": 5, "n_warmup_steps": 0, "interval_steps": 1, "n_min_trials": 1},
    "halving": {"min_resource": 1, "reduction_factor": 4, "min_early_stopping_rate": 0, "bootstrap_count": 0},
}
ORPHANED = 60  # seconds after which a trial without a note is one that a kill has left
LEAST = 10  # trials of which the importance of fields is told
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


def _with_driver(url: str) -> str:
    """A PostgreSQL's URL with the driver that the extra `postgresql` installs, whatever SQLAlchemy's default is."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


class Study:
    """One study in a storage, made there if it is new.

    url: of the storage, "sqlite:///study.db". asked: its name, sampler, pruner and seed, and which way its score is better.
    defaults: what trial 0 has of the space's fields; None where it is drawn like the others. Raises UserError for a storage
    that cannot be reached.
    """

    def __init__(self, url: str, asked: Asked, space: Space, defaults: Mapping[str, Any] | None):
        self.optuna, self.asked, self.space, self._defaults = import_optuna(), asked, space, defaults
        direction = {"lower": "minimize", "higher": "maximize"}[asked.better]
        pruners = self.optuna.pruners
        kinds = {"none": pruners.NopPruner, "median": pruners.MedianPruner, "halving": pruners.SuccessiveHalvingPruner}
        made = {"sampler": self._fresh(0, ""), "pruner": kinds[asked.pruner](**asked.pruner_options)}
        self._study = self._opened(url, study_name=asked.study, direction=direction, **made)
        self._check_identity()
        if asked.score and self._study.metric_names != [asked.score]:  # for dashboards
            self._study.set_metric_names([asked.score])

    def _opened(self, url: str, **given: Any) -> Any:
        for left in (2, 1, 0):
            try:
                return self.optuna.create_study(storage=_with_driver(url), load_if_exists=True, **given)
            except Exception as error:
                if left and "already exists" in str(error):  # another machine makes the same tables at this moment
                    time.sleep(2)
                    continue
                from sqlalchemy.engine import make_url  # Optuna's own

                with suppress(Exception):  # a password is nobody's to read
                    url = make_url(url).render_as_string()
                told = (str(error).splitlines() or [type(error).__name__])[0][:200]
                raise UserError(f"--storage={url} cannot be reached: {told}") from error

    def _check_identity(self) -> None:
        """Refuses a study that was begun with another space, config or score: its trials are no trials of this one. Raises
        UserError."""
        asked, names = self.asked, ("config", "overrides", "score", "better", "sampler", "seed", "phase")
        parts = [self.space.told(), *(f"{name}={getattr(asked, name)}" for name in names)]
        own, known = hashlib.sha256("\n".join(parts).encode()).hexdigest(), self._study.user_attrs.get("of")
        if known is None:
            self._study.set_user_attr("of", own)
        elif known != own:
            raise UserError(
                f"the study '{asked.study}' was begun with another space, config, score or seed than now; undo that, or "
                "choose another --workdir, or with --storage another --study"
            )

    def trials(self) -> dict[int, Any]:
        """All trials that were asked for, by number, as Optuna has them. Where two machines ask for the last of the budget
        at the same time, one of the two is left out, and waits for a larger budget."""
        found = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        waiting = self.optuna.trial.TrialState.WAITING
        kept = {n: one for n, one in found.items() if one.state.is_finished() or n < self.asked.budget}
        return {n: one for n, one in kept.items() if one.state != waiting}

    def running(self, place: str) -> list[int]:
        """Numbers of trials that were asked for by a place, and of which nothing was told. One that a kill has left without
        a note of its place becomes this one's."""
        out = []
        for number, one in self.trials().items():
            if one.state != self.optuna.trial.TrialState.RUNNING:
                continue
            of = one.user_attrs.get("place")
            if of is None and (datetime.datetime.now() - one.datetime_start).total_seconds() > ORPHANED:
                self._study._storage.set_trial_user_attr(one._trial_id, "place", place)
                of = place
            if of == place:
                out.append(number)
        return out

    def ask(self, place: str) -> int | None:
        """A new trial's number; None where the budget is spent. place: who trains it, of which a note is made."""
        if len(self.trials()) >= self.asked.budget:
            return None
        self._study.sampler = self._fresh(len(self.trials()), "")
        trial = self._study.ask()
        trial.set_user_attr("place", place)
        return trial.number if trial.number < self.asked.budget else None

    def drawn(self, number: int) -> dict[str, Any]:
        """The overrides that a trial has drawn, without the space's fixed ones. What a killed process has left half drawn is
        drawn to its end, as it would have been."""
        is_default = number == 0 and self._defaults is not None
        found = self.trials()[number]
        if is_default and "fixed_params" not in found.system_attrs:  # as Optuna's own queue has them
            self._study._storage.set_trial_system_attr(found._trial_id, "fixed_params", self._defaults)
        trial = self._trial(number)
        _ = trial.relative_params  # drawn now, by the trial's own seed, and not by the first field's that is missing

        def suggest(path: str, draw: Any) -> Any:
            self._study.sampler = self._fresh(number, path)
            if isinstance(draw, Choice):
                return trial.suggest_categorical(path, draw.values)
            if isinstance(draw, Whole):
                return trial.suggest_int(path, draw.low, draw.high)
            return trial.suggest_float(path, draw.low, draw.high, log=isinstance(draw, Log))

        if not is_default:
            return self.space.drawn(suggest)
        known = self._defaults or {}
        self.space.drawn(lambda path, draw: suggest(path, draw) if path in known else None)
        return dict(self.space.default)

    def given_up(self, number: int, scores: Sequence[float]) -> int:
        """After which of its scores so far, counted from 1, the pruner gives a trial up; 0 for none of them."""
        if self.asked.pruner == "none":
            return 0
        trial, known = self._trial(number), len(self.trials()[number].intermediate_values)
        if known and trial.should_prune():  # a kill came between a score and what follows from it
            return known
        for i, score in enumerate(scores[known:], known + 1):
            trial.report(score if np.isfinite(score) else WORST[self.asked.better], i)
            if trial.should_prune():
                return i
        return 0

    def tell(self, number: int, value: float | None, pruned: bool = False) -> None:
        """What came of a trial: its score; not finite where it diverged; None where it crashed, or was given up."""
        states = self.optuna.trial.TrialState
        if value is None:
            self._study.tell(number, state=states.PRUNED if pruned else states.FAIL, skip_if_finished=True)
        else:
            value = value if np.isfinite(value) else WORST[self.asked.better]
            self._study.tell(number, value, skip_if_finished=True)

    def varied(self) -> list[str]:
        """Fields that all trials with a score have drawn, and not all alike; trial 0 draws nothing."""
        state = self.optuna.trial.TrialState.COMPLETE
        drew = [one for n, one in self.trials().items() if n or self._defaults is None]
        done = [one for one in drew if one.state == state]
        drawn = set.intersection(*(set(one.params) for one in done)) if done else set()
        return [path for path in sorted(drawn) if len({str(one.params[path]) for one in done}) > 1]

    def coordinates(self, score: str) -> Any:
        """A matplotlib Figure of parallel coordinates: a line a trial, through its values of `varied` fields."""
        import matplotlib

        matplotlib.use("Agg")
        figure = self.optuna.visualization.matplotlib.plot_parallel_coordinate(
            self._study, params=self.varied(), target_name=score
        ).figure
        figure.axes[0].set_title("")
        figure.set_size_inches(2 + 2 * (1 + len(self.varied())), 4.5)
        return figure

    def importance(self) -> dict[str, float]:
        """How much of the variance of the trials' ranks each field explains, those that diverged being the last (fANOVA,
        Hutter et al. 2014); of fields that all trials have drawn. Empty with fewer than `LEAST` trials that came to their
        end, or where no field was drawn by all."""
        done = [one for one in self.trials().values() if one.state == self.optuna.trial.TrialState.COMPLETE]
        varied = self.varied()
        if len(done) < LEAST or not varied:
            return {}
        values = np.array([one.value for one in done])
        ranks = {one.number: float((values < one.value).mean() + (values <= one.value).mean()) for one in done}
        return self.optuna.importance.get_param_importances(
            self._study,
            evaluator=self.optuna.importance.FanovaImportanceEvaluator(seed=0),
            params=varied,
            target=lambda one: ranks.get(one.number, np.inf),
            normalize=False,
        )

    def _trial(self, number: int) -> Any:
        """A trial, to go on with; Optuna has no other way."""
        self._study.sampler = self._fresh(number, "")
        return self.optuna.trial.Trial(self._study, self.trials()[number]._trial_id)

    def _fresh(self, number: int, path: str) -> Any:
        """The sampler for one draw."""
        kinds = {"random": self.optuna.samplers.RandomSampler, "tpe": self.optuna.samplers.TPESampler}
        entropy = [self.asked.seed, number, *f"{self.asked.phase}{path}".encode()]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        return kinds[self.asked.sampler](seed=seed, **self.asked.options)
