"""Old names of fields and metrics, where older workdirs and reports have them."""

import copy
import json

import pytest
from helpers import ROOT
from ml_collections import ConfigDict

from jaxgan.ablation import saved_report
from jaxgan.config.load import load_config
from jaxgan.config.renamed import (
    NAMES,
    RENAMED,
    WITH_NORMS,
    earlier_values,
    renamed,
    renamed_config,
    renamed_fields,
    renamed_metrics,
    renamed_override,
    renamed_record,
)
from jaxgan.config.resolve import flat, resolve_config
from jaxgan.config.schema import section
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.nets import CRITICS, DISCRIMINATORS, GENERATORS, TRANSLATORS
from jaxgan.plan import Plan
from jaxgan.sections import sections


def test_old_names_become_new_ones():
    assert renamed("objective.penalties.r1.weight") == "objective.terms.r1.weight"
    assert renamed("objective.penaltiesque") == "objective.penaltiesque"
    old = {"objective": {"loss": "hinge", "penalties": {"r1": {"weight": 1.0}}}, "steps": 3}
    new = {"objective": {"loss": "hinge", "terms": {"r1": {"weight": 1.0}}}, "steps": 3}
    assert renamed_config(old) == new == renamed_config(new)
    assert "penalties" in old["objective"]  # what was given stays as it is
    assert renamed_config({"objective": {"loss": "hinge", "penalties": {}}})["objective"] == {"loss": "hinge", "terms": {}}
    assert renamed_metrics({"step": 1, "penalty/r1/grad_norm": 2.0}) == {"step": 1, "term/r1/grad_norm": 2.0}


# Sections of older saved configs, and what they are today.
OLD = {
    "pix2pix": (
        {
            "task": {"name": "paired", "l1": 100.0, "conditional": True, "gen_norm": "batch", "adversarial": True}
            | {"disc_batches": "joint", "instance_noise": 0.1},
            "objective": {"loss": "nonsaturating", "penalties": {}},
        },
        {
            "task": {"name": "paired", "conditional": True, "gen_norm": "batch"},
            "critic": {"batches": "joint", "instance_noise": 0.1},
            "objective": {
                "loss": "nonsaturating",
                "terms": {"l1": {"name": "l1", "weight": 100.0, "of": "image", "every": 1}},
            },
        },
    ),
    "L1 alone": (
        {
            "task": {"name": "paired", "l1": "linear(100, 0, 0, 5)", "adversarial": False},
            "objective": {"loss": "nonsaturating", "terms": {}},
        },
        {
            "task": {"name": "paired"},
            "objective": {
                "loss": "none",
                "terms": {"l1": {"name": "l1", "weight": "linear(100, 0, 0, 5)", "of": "image", "every": 1}},
            },
        },
    ),
    "no L1": (
        {"task": {"name": "paired", "l1": None, "adversarial": True}, "objective": {"loss": "lsgan", "terms": {}}},
        {"task": {"name": "paired"}, "objective": {"loss": "lsgan", "terms": {}}},
    ),
    "CycleGAN": (
        {
            "task": {"name": "unpaired", "cycle": 5.0, "cycles": "both", "identity": 2.5, "pool": 50, "adversarial": True},
            "objective": {"loss": "lsgan", "terms": {"r1": {"name": "r1", "weight": 1.0, "every": 4}}},
        },
        {
            "task": {"name": "unpaired", "pool": 50},
            "objective": {
                "loss": "lsgan",
                "terms": {
                    "r1": {"name": "r1", "weight": 1.0, "every": 4},
                    "cycle": {"name": "l1", "weight": 5.0, "of": "cycle", "every": 1},
                    "identity": {"name": "l1", "weight": 2.5, "of": "identity", "every": 1},
                },
            },
        },
    ),
    "forward": (
        {"task": {"name": "unpaired", "cycle": 5.0, "cycles": "forward", "identity": None}, "objective": {"terms": {}}},
        {
            "task": {"name": "unpaired"},
            "objective": {"terms": {"cycle": {"name": "l1", "weight": 5.0, "of": "cycle/a", "every": 1}}},
        },
    ),
    "backward": (
        {"task": {"name": "unpaired", "cycle": 5.0, "cycles": "backward"}, "objective": {"terms": {}}},
        {
            "task": {"name": "unpaired"},
            "objective": {"terms": {"cycle": {"name": "l1", "weight": 5.0, "of": "cycle/b", "every": 1}}},
        },
    ),
    "packs": (
        {"task": {"name": "latent", "pack": 3, "z_dim": 4}, "objective": {"loss": "hinge", "terms": {}}, "steps": 7},
        {
            "task": {"name": "latent", "z_dim": 4},
            "critic": {"pack": 3},
            "objective": {"loss": "hinge", "terms": {}},
            "steps": 7,
        },
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_older_saved_configs(name):
    old, new = OLD[name]
    given = copy.deepcopy(old)
    assert renamed_config(old) == new and old == given
    assert renamed_config(new) == new
    assert renamed_fields(flat(old)) == flat(new) == renamed_fields(flat(new))


def test_parts_of_saved_configs():
    """A report has the fields that define a cell, whose sections are not all there."""
    assert renamed_fields({"task.pack": 2}) == {"critic.pack": 2}
    assert renamed_fields({"steps": 3, "task.z_dim": 4}) == {"steps": 3, "task.z_dim": 4}
    assert renamed_fields({"objective.penalties.r1.every": 4}) == {"objective.terms.r1.every": 4}


CELLS = [  # an override that a table's cell was made with, the config file, and fields today
    ("pix2pix.py", ["task.l1=none"], {"objective.terms": {}}),
    ("pix2pix.py", ["task.l1=7", "task.adversarial=False"], {"objective.loss": "none", "objective.terms.l1.weight": 7.0}),
    ("pix2pix.py", ["task.adversarial=True"], {"objective.loss": "nonsaturating"}),
    ("pix2pix.py", ["task.disc_batches=joint"], {"critic.batches": "joint"}),
    ("cyclegan.py", ["task.cycle=None"], {"objective.terms": {}}),
    ("cyclegan.py", ["task.cycle=3"], {"objective.terms.cycle.weight": 3.0, "objective.terms.cycle.of": "cycle"}),
    ("cyclegan.py", ["task.cycles=forward"], {"objective.terms.cycle.of": "cycle/a"}),
    ("cyclegan.py", ["task.cycle=3", "task.cycles=backward"], {"objective.terms.cycle.of": "cycle/b"}),
    ("cyclegan.py", ["task.cycles=both"], {"objective.terms.cycle.of": "cycle", "objective.terms.cycle.weight": 5.0}),
    (
        "cyclegan.py",
        ["task.identity=2"],
        {"objective.terms.identity.of": "identity", "objective.terms.identity.weight": 2.0},
    ),
    ("dcgan.py", ["task.pack=2", "task.instance_noise=.5"], {"critic.pack": 2, "critic.instance_noise": 0.5}),
    ("dcgan.py", ["objective.penalties.r1.weight=3"], {"objective.terms.r1.weight": 3.0}),
    ("dcgan.py", ["task.z_dim=3"], {"task.z_dim": 3}),
]


@pytest.mark.parametrize(("spec", "old", "fields"), CELLS)
def test_older_overrides_say_the_same_today(spec, old, fields):
    overrides = [one for text in old for one in renamed_override(*text.split("=", 1))]
    config = resolve_config(load_config(f"{ROOT}/configs/{spec}"), overrides, sections)
    Plan(config, features_of((12, 12, 1), 10, (12, 12, 1), apart=config.task.name == "unpaired"))  # they can be trained
    for path, value in fields.items():
        at = config.to_dict()
        for key in path.split("."):
            at = at[key]
        assert at == value, path


def test_no_new_name_is_an_old_one():
    assert not set(RENAMED) & set(RENAMED.values())


@pytest.mark.parametrize(
    ("spec", "path", "new"),
    [
        ("dcgan.py", "objective.penalties.r1.weight", "objective.terms.r1.weight"),
        ("dcgan.py", "objective.penalties.r1", "objective.terms.r1"),
        ("dcgan.py", "task.disc_batches", "critic.batches"),
        ("dcgan.py", "task.instance_noise", "critic.instance_noise"),
        ("dcgan.py", "task.pack", "critic.pack"),
        ("pix2pix.py", "task.l1", "objective.terms.l1.weight"),
        ("cyclegan.py", "task.cycle", "objective.terms.cycle.weight"),
        ("cyclegan.py", "task.cycles", "objective.terms.cycle.of"),
        ("cyclegan.py", "task.identity", "objective.terms.identity.weight (with .name=l1 and .of=identity)"),
        ("pix2pix.py", "task.adversarial", "objective.loss=none"),
    ],
)
def test_an_old_override_is_answered_with_the_new_name(spec, path, new):
    base = load_config(f"{ROOT}/configs/{spec}")
    with pytest.raises(UserError) as caught:
        resolve_config(base, [(path, "none")], sections)
    assert str(caught.value) == f"'{path}' is called {new} now"
    assert new.startswith(renamed(path))


def test_an_old_config_file_is_answered_with_the_new_name():
    base = load_config(f"{ROOT}/configs/dcgan.py")
    base.objective.penalties = {"r1": {"weight": 1.0}}
    with pytest.raises(UserError, match="'objective.penalties.r1.weight' is called objective.terms.r1.weight now"):
        resolve_config(base, [], sections)
    base = load_config(f"{ROOT}/configs/pix2pix.py")
    base.task.l1 = 50.0
    with pytest.raises(UserError, match="'task.l1' is called objective.terms.l1.weight now"):
        resolve_config(base, [], sections)


def test_fields_of_other_people_s_tasks_keep_their_names():
    own = {"task": {"name": "mine:Task", "l1": 0.5, "cycles": 3}, "steps": 2}
    assert renamed_config(own) == own


def test_records_of_today_are_left_alone():
    record = {"names": NAMES, "config": {"task": {"name": "paired", "l1": 0.5}}}
    assert renamed_record(record) is record
    old = {"config": {"task": {"name": "paired", "l1": 0.5}}, "data": {}}
    assert renamed_record(old)["config"]["objective"]["terms"]["l1"]["weight"] == 0.5


LATER = {"epsilon", "padding", "cond", "head"}  # fields that networks have since
SINCE = {"bicubic", "srresnet", "rrdb", "srgan"}  # networks that have had theirs from the beginning


def nets_of(spec, *overrides):
    """The networks of a config as they were saved by revision 2."""
    config = resolve_config(load_config(f"{ROOT}/configs/{spec}"), [one.split("=") for one in overrides], sections).to_dict()
    for net in config["nets"].values():
        for field in LATER:
            net.pop(field, None)
    return config


EARLIER = [
    ("pix2pix.py", [], {"disc.padding": "same", "disc.epsilon": 1e-5, "gen.epsilon": 1e-5}),
    ("pix2pix.py:own", [], {"disc.padding": "same", "disc.epsilon": 1e-6, "gen.epsilon": 1e-6}),
    ("cyclegan.py", [], {"disc.padding": "same", "disc.epsilon": 1e-6, "gen.padding": "same", "gen.epsilon": 1e-6}),
    ("wgan.py", [], {"disc.epsilon": 1e-5, "gen.epsilon": 1e-6}),
    ("cifar10.py:sngan_resnet", [], {"disc.epsilon": 1e-5, "gen.epsilon": 1e-5}),
    ("dcgan.py", ["nets.gen.name=mlp", "nets.gen.norm=layer"], {"gen.epsilon": 1e-6, "disc.epsilon": 1e-5}),
    ("hinge.py", ["nets.disc.name=sngan", "nets.disc.norm=layer"], {"disc.epsilon": 1e-6}),
    ("hinge.py", ["nets.gen.name=resnet", "nets.gen.norm=layer"], {"gen.epsilon": 1e-6}),
]


@pytest.mark.parametrize(("spec", "overrides", "values"), EARLIER)
def test_older_records_have_the_epsilon_and_the_edges_of_then(spec, overrides, values):
    saved = nets_of(spec, *overrides)
    for names in ({}, {"names": 2}):
        record = renamed_record({**names, "config": saved, "data": {}})
        resolved = flat(resolve_config(ConfigDict(record["config"]), [], sections).to_dict())
        assert record["names"] == NAMES and {path: resolved[f"nets.{path}"] for path in values} == values
    assert renamed_config(renamed_config(saved)) == renamed_config(saved)
    assert renamed_fields(flat(saved)) == flat(renamed_config(saved))


def test_records_of_today_keep_their_epsilon_and_edges():
    today = resolve_config(load_config(f"{ROOT}/configs/cyclegan.py"), [], sections).to_dict()
    assert renamed_config(today)["nets"] == today["nets"]
    assert today["nets"]["gen"]["padding"] == "one" and today["nets"]["disc"]["epsilon"] == 1e-5


def test_networks_with_norms_are_known_by_their_fields():
    for name, classes in {**{n: [t[n] for t in (GENERATORS, DISCRIMINATORS)] for n in ("mlp", "dcgan", "resnet", "sngan")},
                          **{n: [cls] for n, cls in (TRANSLATORS | CRITICS).items() if n not in SINCE}}.items():  # fmt: skip
        before = {" ".join(sorted(section(cls).fields.keys() - LATER)) for cls in classes}
        assert before == {" ".join(sorted(known.split())) for known in WITH_NORMS[name]}
    for other in ({"name": "mlp", "norm": "layer", "depth": 3}, {"name": "mine:Net", "norm": "layer"}, {"name": "r3gan"}):
        assert earlier_values({"task": {"name": "mine:Task"}, "nets": {"net": other}}) == {}


@pytest.mark.parametrize("spec", ["pix2pix.py:own", "cyclegan.py"])
def test_rows_of_older_reports_have_the_networks_of_then(spec):
    fields = json.loads(json.dumps(flat(nets_of(spec))))
    completed = saved_report._completed("CycleGAN", fields)
    assert completed["nets.disc.padding"] == "same" and completed["nets.gen.epsilon"] == 1e-6
