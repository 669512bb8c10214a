"""Runs that began before some values of their networks were fields."""

import json

import pytest
from helpers import ROOT

from jaxgan.ablation.cells import load_table, make_cells
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import UserError
from jaxgan.sections import sections
from jaxgan.workdir.experiment import check_config, earlier_overrides, has_earlier_values
from jaxgan.workdir.folder import Workdir

CYCLEGAN = f"{ROOT}/configs/cyclegan.py"
EARLIER = [
    (f"nets.{net}.{field}", value) for net in ("disc", "gen") for field, value in (("epsilon", "1e-06"), ("padding", "same"))
]


def begun(folder, config, names=None):
    """A run's record as revision 2 of the names wrote it, or one of today."""
    tree = json.loads(config.to_json())
    start = {"step": 0} if names is None else {"step": 0, "names": names}
    if names is None:
        for net in tree["nets"].values():
            net.pop("epsilon"), net.pop("padding")
    folder.mkdir(parents=True)
    record = {"names": names or 2, "config": tree, "data": {"size": 1}, "starts": [start]}
    Workdir(folder).record.write_text(json.dumps(record))


def test_the_same_command_goes_on_with_the_networks_of_then(tmp_path):
    base = load_config(CYCLEGAN)
    today = resolve_config(base, [], sections)
    begun(tmp_path / "then", today)
    assert has_earlier_values(tmp_path / "then") and not has_earlier_values(tmp_path / "nothing")
    with pytest.raises(UserError, match="nets.disc.epsilon: 1e-06 -> 1e-05; nets.disc.padding: same -> one"):
        check_config(tmp_path / "then", today)
    assert sorted(earlier_overrides(base, [])) == EARLIER
    check_config(tmp_path / "then", resolve_config(base, earlier_overrides(base, []), sections))
    Workdir(tmp_path / "then").save(Workdir(tmp_path / "then").config, {"size": 1}, {"step": 1, "names": 3})
    assert has_earlier_values(tmp_path / "then")  # a later start of today's revision does not change that
    check_config(tmp_path / "then", resolve_config(base, earlier_overrides(base, []), sections))
    begun(tmp_path / "now", today, names=3)
    assert not has_earlier_values(tmp_path / "now")


def test_what_somebody_asks_for_is_not_changed():
    base = load_config(CYCLEGAN)
    asked = [("nets.gen.padding", "one"), ("nets.disc.epsilon", "1e-3")]
    assert sorted(earlier_overrides(base, asked)) == [one for one in EARLIER if one[0] not in dict(asked)]
    base.nets.disc.epsilon = 1e-4
    assert "nets.disc.epsilon" not in dict(earlier_overrides(base, []))


def test_cells_of_a_table_that_began_then_are_alike(tmp_path):
    spec = f"{ROOT}/configs/ablations/cyclegan.py"
    table = load_table(spec)
    fresh = make_cells(table, spec, tmp_path / "now", [])
    assert {cell.config.nets.gen.padding for cell in fresh} == {"one"}
    begun(tmp_path / "then" / "cells" / fresh[0].folder.name, fresh[0].config)
    every = make_cells(table, spec, tmp_path / "then", [])  # the begun one is not refused
    assert {(cell.config.nets.disc.padding, cell.config.nets.gen.epsilon) for cell in every} == {("same", 1e-6)}
