"""A search whose trials take a second each: its files, and the environment of its processes."""

ONE = {"XLA_FLAGS": ""}  # device
CONFIG = '''
"""A search of nothing much."""
from configs import toy

def get_config():
    config = toy.get_config("ring")
    config.data.points = 500
    config.batch_size, config.steps = 8, 40
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.log = {"every": 10, "tensorboard": False}
    config.checkpoint = {"every": 10, "keep": 2}
    config.sample = {"every": 0, "num": 20}
    config.eval.update(num_samples=50, num_real=50, batch_size=50, every=40, metrics=("modes",))
    return config
'''
SPACE = """
from jaxgan.space import Choice, Log, Space

def space():
    return Space({"optim.gen.lr": Log(1e-4, 1e-2), "optim.disc.lr": Choice((1e-3, 1e38))}, {"critic.pack": 1})
"""
