"""Old names of fields and metrics, where older workdirs and reports have them."""

import pytest
from helpers import ROOT

from jaxgan.config.renamed import RENAMED, renamed, renamed_config, renamed_metrics
from jaxgan.config.resolve import load_config, resolve_config
from jaxgan.errors import UserError
from jaxgan.plan import sections


def test_old_names_become_new_ones():
    assert renamed("objective.penalties.r1.weight") == "objective.terms.r1.weight"
    assert renamed("objective.penaltiesque") == "objective.penaltiesque"
    old = {"objective": {"loss": "hinge", "penalties": {"r1": {"weight": 1.0}}}, "steps": 3}
    new = {"objective": {"loss": "hinge", "terms": {"r1": {"weight": 1.0}}}, "steps": 3}
    assert renamed_config(old) == new == renamed_config(new)
    assert "penalties" in old["objective"]  # what was given stays as it is
    assert renamed_config({"objective": {"loss": "hinge", "penalties": {}}})["objective"] == {"loss": "hinge", "terms": {}}
    assert renamed_metrics({"step": 1, "penalty/r1/grad_norm": 2.0}) == {"step": 1, "term/r1/grad_norm": 2.0}


def test_no_new_name_is_an_old_one():
    assert not set(RENAMED) & set(RENAMED.values())


@pytest.mark.parametrize("path", ["objective.penalties.r1.weight", "objective.penalties.r1"])
def test_an_old_override_is_answered_with_the_new_name(path):
    base = load_config(f"{ROOT}/configs/dcgan.py")
    with pytest.raises(UserError, match=f"'{path}' is called {renamed(path)} now"):
        resolve_config(base, [(path, "none")], sections)


def test_an_old_config_file_is_answered_with_the_new_name():
    base = load_config(f"{ROOT}/configs/dcgan.py")
    base.objective.penalties = {"r1": {"weight": 1.0}}
    with pytest.raises(UserError, match="'objective.penalties.r1.weight' is called objective.terms.r1.weight now"):
        resolve_config(base, [], sections)
