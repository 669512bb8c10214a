"""The stability monitor: numbers of a run's health, most of them free, and the rules that name an illness.

In each line of metrics.jsonl:
  CRITIC/accuracy_real, CRITIC/accuracy_fake   shares on the right side of the loss' boundary, if it has one
  CRITIC/ordered                           share of pairs, a real and a fake, of which the real has the higher logit
  CRITIC/logit_gap                         mean logit of reals minus that of fakes
  UPDATE/grad_norm, UPDATE/update_ratio    norm of an update's gradient; norm of what it adds to the params over theirs
  CRITIC/grad_norm_ratio                   the critic's gradient norm over the maker's
  CRITIC/TERM_accuracy, MAKER/TERM_accuracy  of a critic with class logits: how often they name the label of reals, of fakes
  MAKER/diversity                          root mean square distance between two fakes, over that between two reals
  verdict                                  "healthy", or an illness with the rule that named it

A verdict is a state and no sentence: a run may recover. Thresholds are this package's own; a rule looks at the last `WINDOW`
lines that have what it judges.
"""

import collections
import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

EVERY = 16  # steps between measurements of norms, which read all params three times
WINDOW = 5  # lines of the log
EARLY = 200  # steps in which nothing is judged: a new generator's samples are all alike
COLLAPSED = 0.1  # of MAKER/diversity
SATURATED = 0.99  # of both accuracies
DIVERGING = 100.0  # times the median gradient norm of all lines so far
OBEYS = 0.2  # how far an accuracy of labels is from chance to certainty: less is no obedience
KNOWS = 0.5  # and where the critic's own classifier is to be believed
HEALTHY = "healthy"
COLLAPSE = "collapsed"  # what the verdict of collapsed samples begins with
JUDGED = ("/grad_norm", "/diversity", "/accuracy_real", "/accuracy_fake", "_accuracy")
SCORED = "eval/label_accuracy_"  # and not the least over classes


class Monitor:
    """Adds the ratio of gradient norms and the verdict to lines of the log, in their order.

    Args: lines: of the log so far. say: called with a text when the verdict has changed. sides: {player: "critic" or
    "maker"}, of those that play against each other. chance: how often a guessed label is right, 0 where there are none.
    """

    def __init__(
        self,
        lines: Iterable[dict[str, Any]] = (),
        say: Callable[[str], None] = lambda text: None,
        sides: Mapping[str, str] | None = None,
        chance: float = 0.0,
    ):
        self._say, self._chance = say, chance
        self._player = {side: player for player, side in (sides or {}).items()}
        self._seen: dict[str, list[float]] = collections.defaultdict(list)
        self.verdict = HEALTHY
        for line in lines:
            self._take(line)
            self.verdict = line.get("verdict", self.verdict)

    def __call__(self, line: dict[str, Any]) -> dict[str, Any]:
        """The line with what the monitor adds."""
        return line | self._ratio(line) | self.scored(line)

    def scored(self, line: dict[str, Any]) -> dict[str, Any]:
        """A line of scores, with the verdict after them."""
        self._take(line)
        before, self.verdict = self.verdict, self._judge()
        if before.partition(":")[0] != self.verdict.partition(":")[0]:
            self._say(f"step {line['step']}: {self.verdict}")
        return line | {"verdict": self.verdict}

    def _ratio(self, line: dict[str, Any]) -> dict[str, float]:
        """The critic's gradient norm over the maker's, of runs that have both."""
        if len(self._player) < 2:
            return {}
        critic, maker = (self._player[side] for side in ("critic", "maker"))
        above, below = (line.get(f"{player}/grad_norm", math.nan) for player in (critic, maker))
        return {f"{critic}/grad_norm_ratio": above / below if below else math.nan}

    def _take(self, line: dict[str, Any]) -> None:
        for key, value in line.items():
            judged = key.endswith(JUDGED) or (key.startswith(SCORED) and "worst" not in key)
            if line["step"] >= EARLY and judged and isinstance(value, float) and math.isfinite(value):
                self._seen[key].append(value)

    def _judge(self) -> str:
        for key, values in self._seen.items():
            norms = values if key.endswith("/grad_norm") and len(values) > 2 * WINDOW else [0.0]
            if min(norms[-WINDOW:]) > DIVERGING * statistics.median(norms):
                return f"diverging: {key} above {DIVERGING:g} times its median in the last {WINDOW} lines"
        for key in self._seen:
            values = self._last(key)
            if key.endswith("/diversity") and values and max(values) < COLLAPSED:
                return f"{COLLAPSE}: {key} below {COLLAPSED:g} in the last {WINDOW} lines"
        for key in self._seen:
            player, _, name = key.rpartition("/")
            right = self._last(f"{player}/accuracy_real"), self._last(f"{player}/accuracy_fake")
            if name == "accuracy_real" and all(right) and min(map(min, right)) > SATURATED:
                return f"discriminator saturated: accuracies on real and fake above {SATURATED:g} in the last {WINDOW} lines"
        return self._ignored() or HEALTHY

    def _ignored(self) -> str:
        """The verdict on a generator that does not make what it is asked for: by the last scores, where there are some, else
        by the critic's own classifier, once that knows real images; "" where there is nothing to say."""
        scored = {key: values[-1] for key, values in self._seen.items() if key.startswith(SCORED)}
        for key, value in scored.items():
            if self._above_chance(value) < OBEYS:
                return f"ignores its labels: {key} is {value:.2g}, and guessing is right at {self._chance:.2g}"
        critic, maker = (self._player.get(side, "") for side in ("critic", "maker"))
        for key in self._seen if not scored else ():
            player, _, name = key.partition("/")
            if player == maker and name.endswith("_accuracy"):
                of_fakes, of_reals = self._last(key), self._last(f"{critic}/{name}")
                knows = of_reals and self._above_chance(min(of_reals)) > KNOWS
                if knows and of_fakes and self._above_chance(max(of_fakes)) < OBEYS:
                    return f"ignores its labels: {key} near chance, {self._chance:.2g}, in the last {WINDOW} lines"
        return ""

    def _above_chance(self, accuracy: float) -> float:
        """0 of guessing, 1 of always being right (Cohen's kappa of equally likely labels)."""
        return (accuracy - self._chance) / (1 - self._chance)

    def _last(self, key: str) -> list[float]:
        """The last `WINDOW` values; none if there are fewer."""
        values = self._seen.get(key, [])
        return values[-WINDOW:] if len(values) >= WINDOW else []
