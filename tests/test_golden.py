"""The golden record's comparison: what it finds, and what it takes for the same."""

import json

import golden
import numpy as np

OLD = {
    "wgan.py|config|objective.penalties.r1.weight": np.array("1.0"),
    "wgan.py|end|params.gen.kernel": np.arange(4, dtype=np.float32),
    "wgan.py|metrics 0|penalty/r1/grad_norm": np.float32(2),
}
NEW = {
    "wgan.py|config|objective.terms.r1.weight": np.array("1.0"),
    "wgan.py|end|params.gen.kernel": np.arange(4, dtype=np.float32),
    "wgan.py|metrics 0|term/r1/grad_norm": np.float32(2),
}
NAMES = golden.names_of(golden.Path(golden.__file__).parents[1])


def test_what_is_renamed_is_the_same():
    assert golden.compare(OLD, NEW, NAMES) == {}


def test_fields_that_became_terms_are_the_same():
    """A section is mapped as a whole: what one field was, several are now."""
    fields = {"task.l1": 5.0, "task.adversarial": False, "task.pack": 2, "objective.loss": "hinge"}
    old = {f"pix2pix.py|config|{path}": np.array(json.dumps(x)) for path, x in fields.items()}
    today = {"objective.loss": "none", "critic.pack": 2}
    today |= {f"objective.terms.l1.{key}": x for key, x in (("name", "l1"), ("weight", 5.0), ("of", "image"), ("every", 1))}
    new = {f"pix2pix.py|config|{path}": np.array(json.dumps(x)) for path, x in today.items()}
    assert golden.compare(old, new, NAMES) == {}
    weight = "config|objective.terms.l1.weight"
    changed = new | {f"pix2pix.py|{weight}": np.array("6.0")}
    assert golden.compare(old, changed, NAMES) == {"pix2pix.py": [(weight, "5.0 -> 6.0", np.inf)]}


def test_one_bit_is_found():
    changed = NEW | {"wgan.py|end|params.gen.kernel": np.nextafter(np.arange(4, dtype=np.float32), 9)}
    ((name, how, gap),) = golden.compare(OLD, changed, NAMES)["wgan.py"]
    assert (name, how) == ("end|params.gen.kernel", "values") and 0 < gap < 1e-6


def test_what_is_missing_new_or_of_another_kind_is_found():
    for changed, how in (
        ({key: x for key, x in NEW.items() if "kernel" not in key}, "only in the old"),
        (NEW | {"wgan.py|draw|0/z": np.zeros(2)}, "only in the new"),
        (NEW | {"wgan.py|end|params.gen.kernel": np.arange(4.0)}, "float32"),
        (NEW | {"wgan.py|end|params.gen.kernel": np.array([0, 1, 2, np.nan], np.float32)}, "values"),
        (NEW | {"wgan.py|config|objective.terms.r1.weight": np.array("2.0")}, "1.0 -> 2.0"),
    ):
        ((_, found, gap),) = golden.compare(OLD, changed, NAMES)["wgan.py"]
        assert how in found and not np.isfinite(gap)


def test_a_run_that_fails_in_both_is_no_success():
    failed = {"wgan.py|error|message": np.array("UserError: no")}
    assert "failed in both" in golden.compare(failed, failed, NAMES)["wgan.py"][0][1]


def test_the_quick_runs_are_among_all():
    assert set(golden.QUICK) <= set(golden.specs(golden.Path(golden.__file__).parents[1], everything=True))
