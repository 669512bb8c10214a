"""Overrides, tagged unions and the answers to mistakes."""

import json
import re

import jax
import ml_collections
import pytest
from helpers import CONFIGS, ROOT, plan_of, tiny

from jaxgan.config.load import load_config
from jaxgan.config.resolve import difference, resolve_config
from jaxgan.config.schedules import Schedule
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.plan import Plan
from jaxgan.sections import sections


def resolve(spec, *overrides):
    base = load_config(f"{ROOT}/configs/{spec}")
    return resolve_config(base, [tuple(text.split("=", 1)) for text in overrides], sections)


def test_default_names_every_field_with_its_default():
    """configs/default.py is documentation: no field may be missing there, or differ from the class' own default."""
    written = load_config(f"{ROOT}/configs/default.py").to_dict()
    raw = {"nets": {"gen": {"name": "dcgan"}, "disc": {"name": "dcgan"}}, "objective": {}}
    complete = resolve_config(ml_collections.ConfigDict(raw), [], sections).to_dict()
    assert written == complete


@pytest.mark.parametrize("spec", CONFIGS)
def test_configs_resolve_and_survive_json(spec):
    resolved = resolve(spec)
    again = resolve_config(ml_collections.ConfigDict(json.loads(resolved.to_json())), [], sections)
    assert again.to_dict() == resolved.to_dict()
    assert difference(json.loads(resolved.to_json()), json.loads(again.to_json()), ()) == []


def test_another_name_leaves_no_field_of_the_old_class():
    resolved = resolve("vanilla.py", "nets.gen.name=resnet", "nets.gen.width=8")
    assert resolved.nets.gen.to_dict() == {"name": "resnet", "width": 8, "norm": "batch", "epsilon": 1e-5, "cond": "norm"}
    assert resolve("vanilla.py", "nets.gen.name=mlp").nets.gen.widths == (128,)  # no other name, nothing lost
    assert "decay" in resolve("wgan.py", "optim.gen.name=rmsprop").optim.gen


def test_a_class_from_elsewhere():
    resolved = resolve("vanilla.py", "nets.gen.name=jaxgan.nets.resnet:Generator", "nets.gen.width=4")
    assert Plan(resolved, features_of((12, 12, 1))).task().gen.width == 4


def test_penalties_come_and_go():
    resolved = resolve("wgan.py", "objective.terms.r1.weight=3", "objective.terms.wgan_gp=none")
    assert resolved.objective.terms.to_dict() == {"r1": {"name": "r1", "weight": 3.0, "every": 1}}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("steps=1e3", "steps", 1000),
        ("steps=1_000", "steps", 1000),
        ("log.tensorboard=off", "log.tensorboard", False),
        ("optim.gen.lr=2", "optim.gen.lr", 2.0),
        ("optim.gen.clip_weights=none", "optim.gen.clip_weights", None),
        ("optim.gen.lr=linear(1e-3, 0, 1, 2)", "optim.gen.lr", "linear(1e-3, 0, 1, 2)"),
        ("nets.gen.widths=64", "nets.gen.widths", (64,)),
        ("nets.gen.widths=64,32", "nets.gen.widths", (64, 32)),
        ("nets.gen.widths=[64, 32]", "nets.gen.widths", (64, 32)),
        ("init_from.players=('gen',)", "init_from.players", ("gen",)),
    ],
)
def test_natural_spellings(text, path, value):
    node = resolve("vanilla.py", text)
    for key in path.split("."):
        node = node[key]
    assert node == value and type(node) is type(value)


MISTAKES = [
    ("step=5", "no config field 'step'; did you mean 'steps'?"),
    ("optim.gen.learning_rate=1", "no config field 'optim.gen.learning_rate'"),
    ("nets.gan.width=3", "no config field 'nets.gan.width'; did you mean 'nets.gen.width"),
    ("steps=many", "steps must be a whole number, not 'many'"),
    ("steps=1.5", "steps must be a whole number, not '1.5'"),
    ("steps=-1", "steps must be at least 0, not -1"),
    ("optim.gen.lr=fast", "optim.gen.lr must be a number or a schedule (linear|cosine|geometric("),
    ("optim.gen.lr=linear(1, 2)", "optim.gen.lr must be a number or a schedule"),
    ("optim.gen.lr=nan", "optim.gen.lr must be a finite number"),
    ("optim.gen.freeze=Conv_9", "freeze='Conv_9' finds no param"),
    ("log.tensorboard=maybe", "log.tensorboard must be true or false, not 'maybe'"),
    ("nets.gen.norm=btch", "nets.gen.norm cannot be 'btch'; did you mean 'batch'?"),
    ("nets.gen.name=dcgn", "unknown network for gen 'dcgn'; did you mean 'dcgan'?"),
    ("nets.gen.name=no_such_module:Net", "network for gen 'no_such_module:Net' cannot be imported"),
    ("objective.loss=hing", "unknown loss 'hing'; did you mean 'hinge'?"),
    (
        "objective.terms.r3.weight=1",
        "unknown term 'r3'; known: acgan, condition, consensus, contrast, damsm, dragan, feature_distance, l1, l2, lecam, "
        "matching_gp, orthogonal",
    ),
    ("objective.terms=r1", "'objective.terms' is a section: objective.terms.r1.weight, ..."),
    ("objective.terms.r1=none", "there is no term 'r1' to remove"),
    ("objective.terms.r1=5", "takes fields, objective.terms.r1.weight=..., or 'none'"),
    ("optim.gen.name=adm", "unknown optimizer 'adm'; did you mean 'adam'?"),
    ("task.name=latnt", "unknown task 'latnt'; did you mean 'latent'?"),
    ("dtype=float16", "dtype cannot be 'float16'; did you mean 'bfloat16'?"),
    ("rounds.disc=0", "rounds.disc must be at least 1"),
    ("objective.terms.r1.every=0", "objective.terms.r1.every must be at least 1"),
    ("checkpoint.keep=0", "checkpoint.keep must be at least 1"),
    ("batch_size=0", "batch_size must be at least 1, not 0"),
    ("steps=1e9", "more than 2^32"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text, message):
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        Plan(resolve("vanilla.py", text), features_of((28, 28, 1)))
    assert "\n" not in str(caught.value)


def test_simultaneous_updates_share_one_batch():
    with pytest.raises(UserError, match="must be 1"):
        plan_of("wgan.py", simultaneous=True)


def test_a_file_with_a_mistake(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("""
from configs import wgan

def get_config():
    config = wgan.get_config("gp")
    config.optim.gen.lrr = 1.0
    return config
""")
    with pytest.raises(UserError, match="'optim.gen.lrr'; did you mean 'optim.gen.lr'"):
        resolve_config(load_config(str(path)), [], sections)


def test_a_file_with_a_misspelt_section(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("""
from configs import default

def get_config():
    config = default.get_config()
    config.optm.gen.lr = 1.0
    return config
""")
    with pytest.raises(UserError, match='mine.py: .*Did you mean "optim" instead of "optm"'):
        load_config(str(path))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("wgn.py", "no config file '.*wgn.py'; did you mean '.*wgan.py'"),
        ("wgan.py:clp", "has no variant 'clp'; did you mean 'clip'"),
        ("dcgan.py:big", "has no variant 'big'"),
    ],
)
def test_unknown_files_and_variants(spec, message):
    with pytest.raises(UserError, match=message):
        load_config(f"{ROOT}/configs/{spec}")


def test_scalars_are_data_and_the_rest_is_not():
    plan = plan_of("wgan.py", optim__gen__lr="linear(1e-3, 0, 0, 1)")
    assert isinstance(plan.inputs.scalars["optim.gen.lr"], Schedule)
    assert plan.inputs.scalars["objective.terms.wgan_gp.weight"] == 10
    assert "optim.gen.clip_weights" not in plan.inputs.scalars  # none: there is no clipping to be data of
    assert all(leaf.dtype == "float32" for leaf in jax.tree.leaves(plan.inputs.scalars))


def test_shares_of_a_run_follow_its_length():
    plan = plan_of("wgan.py", steps=10, rounds__disc=3, optim__gen__lr="linear(1e-3, 0, 20%, 100%)")
    lr = plan.inputs.scalars["optim.gen.lr"]
    assert (lr.begin, lr.finish) == pytest.approx((6 * plan.config.batch_size / 1000, 30 * plan.config.batch_size / 1000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("penalties", "rounds", "optimizer", "share"),
    [
        ({"r1": 16}, 1, "adam", 16 / 17),
        ({"r1": 4, "r2": 4}, 1, "adam", 2 / 3),  # six steps of Adam's in four, four of them on the loss
        ({"r1": 4, "r2": 16}, 5, "adam", 5 / (5 + 1 / 4 + 1 / 16)),
        ({"r1": 4}, 1, "rmsprop", 4 / 5),
        ({"r1": 4}, 1, "sgd", 1),
        ({"r1": 1}, 1, "adam", 1),
    ],
)
def test_lazy_penalties_are_updates_of_their_own_and_correct_their_player(penalties, rounds, optimizer, share):
    """By the first step of each player's transform, which has the size of its lr where gradients are normalised."""
    every = {f"objective__terms__{name}__every": k for name, k in penalties.items()}
    plan = plan_of("dcgan.py", rounds__disc=rounds, optim__disc__name=optimizer, optim__disc__lr=1e-3, **every)
    lazy = [(f"term/{name}", k) for name, k in penalties.items() if k > 1]
    assert [(u.loss, u.every) for u in plan.updates] == [("disc", 1), *lazy, ("gen", 1)]
    params = plan.init(jax.random.key(0)).params["disc"]
    tx = plan.assemble(plan.inputs, jax.numpy.int32(0)).tx["disc"]
    alone = plan._make("optim.disc", plan.inputs.scalars).make(params)
    ones = jax.tree.map(jax.numpy.ones_like, params)
    moved, expected = (jax.tree.leaves(t.update(ones, t.init(params), params)[0])[0].ravel()[0] for t in (tx, alone))
    if optimizer == "rmsprop":  # without bias correction the first average is 1 - decay, of the first gradient
        expected *= (0.01 / (1 - 0.99**share)) ** 0.5
    assert float(moved) == pytest.approx(float(expected) * share, rel=1e-4)


def test_a_player_that_lazy_terms_alone_train_keeps_its_rates():
    plan = plan_of("dcgan.py", objective__loss="none", objective__terms__path_length__weight=1)
    assert [(u.player, u.loss, u.every) for u in plan.updates] == [("gen", "term/path_length", 4)]
    params = plan.init(jax.random.key(0)).params["gen"]
    ones = jax.tree.map(jax.numpy.ones_like, params)
    tx, alone = plan.assemble(plan.inputs, jax.numpy.int32(0)).tx["gen"], plan._make("optim.gen", plan.inputs.scalars)
    moved, expected = (t.update(ones, t.init(params), params)[0] for t in (tx, alone.make(params)))
    assert all(bool((a == b).all()) for a, b in zip(jax.tree.leaves(moved), jax.tree.leaves(expected)))


def test_tiny_configs_keep_what_they_are_about():
    assert tiny("wgan.py:clip").optim.disc.clip_weights == 0.01


def test_another_detector_keeps_where_it_is_measured():
    config = resolve("dcgan.py", "eval.detector.calibrate=train[80%:]", "eval.detector.name=search", "eval.detector.steps=3")
    base = load_config(f"{ROOT}/configs/dcgan.py")
    base.eval.detector = config.eval.detector.to_dict() | {"rate": 0.1}
    other = resolve_config(base, [("eval.detector.name", "pca")], sections)
    assert (other.eval.detector.calibrate, other.eval.detector.rate) == ("train[80%:]", 0.1)
    assert "steps" not in other.eval.detector and other.eval.detector.components == 0.95
