"""docs/fields.md is what the sections' classes say."""

import importlib.util

from helpers import ROOT, plan_of

from jaxgan.config.schema import bounded, section

spec = importlib.util.spec_from_file_location("fields", ROOT / "docs/hooks/fields.py")
fields = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fields)


def test_the_page_is_current():
    assert fields.PAGE.read_text() == fields.page(), "a field or a docstring has changed: python docs/hooks/fields.py"


def test_every_field_has_a_meaning():
    assert not fields.missing()


def test_every_section_of_a_run_is_on_the_page():
    text = fields.PAGE.read_text()
    paths = {path.replace("optim.gen", "optim.PLAYER").replace("optim.disc", "optim.PLAYER")
             for path, part in plan_of()._sections.items() if part.fields}  # fmt: skip
    absent = [path for path in paths if path and "terms" not in path and f"`{path}" not in text]
    assert not absent


class Example:
    """What it is. width: channels: many. depth, ends: how deep; 0: not at all.

    A paragraph of its own: about nothing here.
    """

    def __init__(self, width=1, depth=2, ends=(1,)):
        pass


def test_meanings_are_read_from_docstrings():
    known = dict.fromkeys(("width", "depth", "ends"))
    assert fields.told(Example.__doc__, known) == {
        "width": "Channels: many.",
        "depth": "How deep; 0: not at all.",
        "ends": "How deep; 0: not at all.",
    }


def test_ranges_and_values_are_spelled_as_overrides():
    from dataclasses import dataclass

    @dataclass
    class Made:
        share: float = bounded(0.5, least=0.25, below=1)
        names: tuple[str, ...] = ("a", "b")
        seed: int = bounded(0, below=2**32)

    made = section(Made).fields
    assert [fields.extent(made[name]) for name in made] == ["at least 0.25, below 1", "", "below 4,294,967,296"]
    assert [fields.spelled(made[name].default) for name in made] == ["0.5", "a,b", "0"]
