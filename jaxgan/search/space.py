"""What a search may choose: fields of a config, each with where its values are drawn from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jaxgan.ablation.cells import text
from jaxgan.config.load import call_file
from jaxgan.config.resolve import Config, flat, resolve_config
from jaxgan.errors import UserError, described, nearest
from jaxgan.sections import sections


@dataclass(frozen=True)
class Uniform:
    """A number from low to high. form: the override that it becomes, "linear({}, 0, 50%, 100%)"."""

    low: float
    high: float
    form: str = "{}"


@dataclass(frozen=True)
class Log:
    """A positive number from low to high, its logarithm uniform. form: as of `Uniform`."""

    low: float
    high: float
    form: str = "{}"


@dataclass(frozen=True)
class Whole:
    """A whole number from low to high, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class Same:
    """The value of another field of the space."""

    field: str


@dataclass(frozen=True)
class Choice:
    """One of some values: numbers, words, or True and False. then: further fields, drawn where this value was; by value."""

    values: tuple[Any, ...]
    then: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)


Draw = Uniform | Log | Whole | Choice | Same
Leaf = tuple[str, Any, Mapping[str, Any]]  # a field, its Draw, and the choices that lead to it
Overrides = Sequence[tuple[str, str]]
Suggest = Callable[[str, Any], Any]  # (a field, its Uniform, Log, Whole or Choice) -> a value


@dataclass(frozen=True)
class Space:
    """fields: by path, "optim.gen.lr", where values come from. fixed: overrides of every trial.

    default: overrides of trial 0, which are drawn nowhere; by default it is the config as it is. equal_images: every trial
    sees as many real images as the config does, whatever its batch and its rounds of the discriminator; `steps`, and how
    often the run is logged, saved and scored, follow. narrow: what the second of three phases draws from. paper: whose space
    it is. published: what it gives the best setting, {"fd": "9.8 +- .9"}.
    """

    fields: Mapping[str, Draw]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    equal_images: bool = False
    narrow: "Space | None" = None
    paper: str = ""
    published: Mapping[str, str] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """Of all fields, those of choices too."""
        return [path for path, *_ in _leaves(self.fields)]

    def told(self) -> str:
        """All that decides a trial's settings, in words that a later revision finds too."""
        lines = []
        for path, draw, lead in _leaves(self.fields):
            values = [f"{name}={x}" for name, x in vars(draw).items() if name != "then" and (name, x) != ("form", "{}")]
            lines.append(f"{path}: {type(draw).__name__} {' '.join(values)} {dict(lead)}")
        lines += [f"fixed {path}={text(x)}" for path, x in self.fixed.items()]
        lines += [f"default {path}={text(x)}" for path, x in self.default.items()]
        return "\n".join([*lines, *["equal images"] * self.equal_images])

    @property
    def drawn_paths(self) -> list[str]:
        """Of fields with values of their own, those of choices too, each once."""
        return list(dict.fromkeys(path for path, draw, _ in _leaves(self.fields) if not isinstance(draw, Same)))

    def drawn(self, suggest: Suggest) -> dict[str, Any]:
        """Overrides of a trial, by path, without `fixed`: numbers, words, and numbers in their `form` as text. Raises
        UserError for a `Same` of what is not drawn."""
        found, same = {}, []

        def draw_all(fields: Mapping[str, Draw]) -> None:
            for path, draw in fields.items():
                if isinstance(draw, Same):
                    same.append((path, draw.field))
                    continue
                value = suggest(path, draw)
                found[path] = _formed(value, draw)
                if isinstance(draw, Choice) and found[path] in draw.then:
                    draw_all(draw.then[found[path]])

        draw_all(self.fields)
        for path, other in same:
            if other not in found:
                raise UserError(f"'{path}' is the same as '{other}', which is not drawn beside it; {nearest(other, found)}")
            found[path] = found[other]
        return found


def load_space(spec: str) -> Space:
    """The space of a file's `space()`. Raises UserError."""
    found = call_file(spec, "space")
    if not isinstance(found, Space):
        raise UserError(f"{spec}: space() must return a jaxgan.space.Space, not {type(found).__name__}")
    return found


def check_space(space: Space, spec: str, base: Config, overrides: Overrides = ()) -> None:
    """Resolves the default, and the ends and choices of every field, so that nothing that is misspelt or out of range is
    found by a trial. overrides: of every trial, beside the space's. Raises UserError."""
    try:
        if space.equal_images and "steps" in space.paths:
            raise UserError("with equal_images the length follows from the images, so 'steps' can be no field")
        _resolved(space, base, space.default, overrides)
        for path, draw, _ in _leaves(space.fields):
            _check(path, draw)
        for some in _corners(space):
            _resolved(space, base, some, overrides)
    except UserError as error:
        raise UserError(f"{spec}: {error}") from error
    except Exception as error:  # values of a kind that no field has
        raise UserError(f"{spec}: {described(error)}") from error


def _resolved(space: Space, base: Config, own: Mapping[str, Any], overrides: Overrides) -> Config:
    given = [(path, text(x)) for path, x in {**space.fixed, **own}.items()]
    return resolve_config(base, [*given, *overrides], sections)


def defaults(space: Space, base: Config, overrides: Overrides = ()) -> dict[str, Any]:
    """The values that trial 0 has of the space's fields, where they are there and can be drawn: a sampler learns from it."""
    values = flat(_resolved(space, base, space.default, overrides).to_dict())

    def here(path: str, draw: Any) -> Any:
        value = _number(values.get(path), draw)
        if isinstance(draw, Choice):
            return next((x for x in draw.values if text(x) == text(value)), None)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number and draw.low <= value <= draw.high else None

    found: dict[str, Any] = {}
    space.drawn(lambda path, draw: found.setdefault(path, here(path, draw)))
    return {path: x for path, x in found.items() if x is not None}


def _formed(value: Any, draw: Any) -> Any:
    form = getattr(draw, "form", "{}")
    return value if form == "{}" or value is None else form.format(value)


def _number(value: Any, draw: Any) -> Any:
    """A config's value, or the number in it where a draw has a form; None where the value has another one."""
    before, _, after = getattr(draw, "form", "{}").replace(" ", "").partition("{}")
    if not (before or after):
        return value
    text = str(value).replace(" ", "")
    with suppress(ValueError):
        if text.startswith(before) and text.endswith(after):
            return float(text[len(before) : len(text) - len(after)])
    return None


def _leaves(fields: Mapping[str, Draw], lead: Mapping[str, Any] = MappingProxyType({})) -> Iterator[Leaf]:
    for path, draw in fields.items():
        yield path, draw, lead
        for value, more in draw.then.items() if isinstance(draw, Choice) else ():
            yield from _leaves(more, {**lead, path: value})


def _check(path: str, draw: Any) -> None:
    """Refuses a field without values. Raises UserError."""
    if isinstance(draw, Choice):
        lost = [x for x in draw.then if x not in draw.values]
        if not draw.values or lost:
            what = f"has fields for {lost[0]!r}, which is none of its values" if lost else "has no values"
            raise UserError(f"the choice '{path}' {what}")
    elif isinstance(draw, Same):
        return
    elif not isinstance(draw, Uniform | Log | Whole):
        raise UserError(f"'{path}' wants Uniform, Log, Whole, Choice or Same, not {type(draw).__name__}")
    elif not isinstance(draw, Whole) and "{}" not in draw.form:
        raise UserError(f"the form of '{path}' must have {{}} where the number goes")
    elif not draw.low < draw.high or (isinstance(draw, Log) and draw.low <= 0):
        above = " above 0" if isinstance(draw, Log) else ""
        raise UserError(f"'{path}' goes from {draw.low} to {draw.high}; the first must be smaller{above}")


def _corners(space: Space) -> Iterator[dict[str, Any]]:
    """Trials in which every end and every choice occurs."""
    choices = [(path, draw.values, lead) for path, draw, lead in _leaves(space.fields) if isinstance(draw, Choice)]
    for end in ("low", "high"):
        for path, values, lead in choices or [("", (None,), {})]:
            for value in values:
                chosen = {**lead, path: value}  # and what leads there

                def suggest(name: str, draw: Any, chosen=chosen, end=end) -> Any:
                    return chosen.get(name, draw.values[0]) if isinstance(draw, Choice) else getattr(draw, end)

                yield space.drawn(suggest)
