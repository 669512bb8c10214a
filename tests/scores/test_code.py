"""Hashes of the code behind a score: what changes them, and what does not."""

import ast
import time
from pathlib import Path

import pytest
from helpers import ROOT

from jaxgan.scores import code
from jaxgan.scores.table import METRICS
from jaxgan.source_code import Definitions, function_hash, spelled

TEXTS = {name: path.read_text() for name, path in code._paths(ROOT / "jaxgan").items()}
KNOWN = Definitions(TEXTS, code.STOP)
ALL = tuple(METRICS)


def hashes(extractor="digits", **changed):
    """Of all metrics, with texts replaced: kid={"old": "new"} in the module that ends so."""
    texts = dict(TEXTS)
    for end, (old, new) in changed.items():
        module = f"jaxgan.{end.replace('__', '.')}"
        assert old in texts[module]
        texts[module] = texts[module].replace(old, new)
    known = Definitions(texts, code.STOP)
    known._modules |= {name: KNOWN.module(name) for name in TEXTS if texts[name] == TEXTS[name]}  # read once
    known._notes |= KNOWN._notes
    return {name: code.hash_of(known, name, extractor) for name in ALL}


def differ(**changed):
    old, new = hashes(), hashes(**changed)
    return {name for name in ALL if old[name] != new[name]}


OF_IMAGES = {name for name in ALL if "state" not in METRICS[name].needs}


def test_every_metric_has_a_hash_of_its_own_and_soon():
    code._code.cache_clear(), code._package.cache_clear()
    began = time.monotonic()
    found = code.code_of(ALL, "digits")
    assert time.monotonic() - began < 3  # a tenth of a second on a machine that does nothing else
    assert found == hashes() and len(set(found.values())) == len(ALL)
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in found.values())


@pytest.mark.parametrize(
    "change, which",
    [
        ({"metrics__kid": ("+ 1", "+ 2")}, {"kid"}),
        ({"metrics__neighbours": ("np.quantile", "np.percentile")}, {"repetition"}),
        ({"metrics__pairs": ("0.01 *", "0.02 *")}, {"pairs", "cycles", "upscaling"}),
        ({"scores__metrics_of_images": ("SUBSET = 5,", "SUBSET = 4,")}, {"prdc", "class_recall"}),
        ({"scores__labelled": ("_Noting(", "_Noting(0 or ")}, {"label_accuracy", "intra_fd", "class_recall"}),
        ({"scores__translation": ("return", "return 1 *")}, {"pairs", "cycles", "reading"}),  # through another module
        ({"data__scene_reader": ("ALIKE = 0.6", "ALIKE = 0.5")}, {"scene"}),
        ({"data__scenes": ("along, offset = end - start", "along, offset = start - end")}, {"scene", "looks"}),
        ({"scores__collect": ("out.add(rows)", "out.add(rows / 2)")}, OF_IMAGES),
        ({"images": ("127.5", "127")}, OF_IMAGES | {"pairs", "cycles", "reading", "r_precision", "scene", "looks"}),
    ],
    ids=lambda x: "".join(x) if isinstance(x, dict) else "",
)
def test_a_change_changes_the_metrics_that_it_is_part_of(change, which):
    assert differ(**change) == which


def test_the_extractor_counts_where_it_is_used():
    assert hashes("random")["fd"] != hashes("digits")["fd"]
    width = {"extractors__digits": ("/ 127.5", "/ 127")}
    assert differ(**width) >= OF_IMAGES and "accuracy" not in differ(**width)
    assert hashes("random")["fd"] == hashes("random", **width)["fd"]
    assert code.code_of(["fd"], "mine:Features") != code.code_of(["fd"], "mine:Others")  # known by name alone


def test_comments_docstrings_and_layout_count_for_nothing():
    texts = {name: ast.unparse(ast.parse(text)) + "\n# the end\n" for name, text in TEXTS.items()}  # other lines
    texts = {name: text.replace('"""', '"""Or: ', 1) for name, text in texts.items()}
    known = Definitions(texts, code.STOP)
    assert {name: code.hash_of(known, name, "digits") for name in ALL} == hashes()


SOURCE = '''
"""A module."""
import numpy as np

A, B = 1, 2.5
ODD = f"a" f"b{A!r:>{B}}c"

def f(x, /, *, y=None):
    """What it does."""
    if x is None:
        raise ValueError("no")
    return np.sum(x) * A - 1

class C:
    """Nothing."""
'''


def test_a_hash_is_the_same_on_every_version_of_python():
    known = Definitions({"m": SOURCE})
    found = {name: known.hash(known.of("m", name)) for name in ("A", "ODD", "f", "C")}
    assert found == {"A": "0a54f25e463ba3c1", "ODD": "7db1472dc9d20818", "f": "2ab8dd04c81aaa08", "C": "7aa3cdebd61fbeb9"}


@pytest.mark.parametrize(
    "old, new, which",
    [
        ("    return", "    # sum\n\n    return", ""),
        ('"""What it does."""', '"""What it did."""', ""),
        ('    """What it does."""\n', "", ""),
        ('"no"', '"never"', ""),  # a message
        ("np.sum(x) * A - 1", "(np.sum(x) * A) \\\n        - 1", ""),
        ("- 1", "- 2", "f"),
        ("A, B = 1,", "A, B = 3,", "A ODD f"),
        ("2.5", "3.5", "B ODD"),
        ("import numpy as np", "import jax.numpy as np", "f"),
        ("y=None", "y=0", "f"),
        ("class C:", "print(A)\n\nclass C:", "A B ODD f C"),  # it runs with the module
        ("class C:", "if __name__ == '__main__':\n    f(3)\n\nclass C:", ""),
    ],
)
def test_what_changes_a_hash(old, new, which):
    assert old in SOURCE
    before, after = Definitions({"m": SOURCE}), Definitions({"m": SOURCE.replace(old, new)})
    names = ("A", "B", "ODD", "f", "C")
    assert [x for x in names if before.hash(before.of("m", x)) != after.hash(after.of("m", x))] == which.split()


def test_names_are_followed_through_modules():
    texts = {
        "p.a": "from p import b\nfrom p.c import g as h\ndef f():\n    from p import d\n    return b.x(h) + d.w\n",
        "p.b": "from p.c import x\n",
        "p.c": "def x(y): return y\ndef g(): return x(1)\ndef unasked(): return 0\n",
        "p.d": "w = 1\nv = 2\n",
    }

    def of(**changed):
        known = Definitions(texts | {f"p.{name}": text for name, text in changed.items()})
        return known.hash(known.of("p.a", "f"))

    assert of() == of(c=texts["p.c"].replace("0", "1")) == of(d="w = 1\nv = 3\n")
    assert len({of(), of(c=texts["p.c"].replace("x(1)", "x(2)")), of(d="w = 2\n"), of(b="def x(y): return 3\n")}) == 4


LIMIT = 3


def over(result):
    return "yes" if result > LIMIT else "no"


def by(limit):
    return lambda result: "yes" if result > limit else "no"


def test_a_function_of_a_users_own_file(tmp_path):
    def loaded(text):
        path = tmp_path / "table.py"
        path.write_text(text)
        space = {"__name__": "table"}
        exec(compile(text, str(path), "exec"), space)
        return function_hash(space["word"])

    text = "LIMIT = 3\n\ndef other(): return 1\n\ndef word(x):\n    return 'yes' if x > LIMIT else 'no'\n"
    assert loaded(text) == loaded("# new\n\n" + text.replace("return 1", "return 2")) != ""
    assert loaded(text) != loaded(text.replace("3", "4"))
    assert function_hash(by(3)) == function_hash(by(3)) and len({*map(function_hash, (over, by(3), by(4)))}) == 3
    assert function_hash(len) == function_hash(Path) == function_hash(eval("lambda x: x")) == ""


def test_fields_of_a_syntax_tree_that_are_empty_are_left_out():
    assert spelled(ast.parse("x = 'a'")) == "Module(body=[Assign(targets=[Name(id='x')], value=Constant(value='a'))])"
