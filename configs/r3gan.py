"""R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN") at a size that two CPU cores train.

    python launch.py --config=configs/r3gan.py                 # 4,000 digits of 28x28
    python launch.py --config=configs/r3gan.py:emoji           # 1,720 emoji of 32x32, in colour
    python launch.py --config=configs/r3gan.py:stacked         # stacked digits, scored by their modes; :stacked_full
    python launch.py --config=configs/r3gan.py:cifar10         # the authors' settings, for accelerators

Relativistic pairs (Jolicoeur-Martineau 2019) with R1 and R2 in every step; residual networks without norms, mappings, noise
or style. Learning rate, b2, the penalties' weight, the probability of augmentation and the half-life of the moving averages
go along cosines from their first to their last values, as the authors' do over 20 of 250 million images; here over half of
the run.

All but cifar10's step size is five times the authors' 2e-4: on digits, after 250 steps, 1e-3 draws what 2e-4 has not begun
to after 500. A batch is an eighth of theirs, and a run far shorter.
"""

from configs import default, stacked_digits

VARIANTS = ("digits", "emoji", "stacked", "stacked_full", "cifar10")


def get_config(variant: str):
    full = variant == "stacked_full"
    stacked = stacked_digits.get_config("full" if full else "short") if variant.startswith("stacked") else None
    config = stacked or default.get_config()
    config.steps = stacked.steps if stacked else 1500
    if variant == "emoji":
        config.data.update(name="emoji", size=(32,))
        config.eval.features.name = "efficientnet_lite0"
    if variant == "cifar10":
        config.data.update(name="cifar10", flip=True)
        config.eval.features.name = "inception"
        config.batch_size, config.steps, config.dtype = 512, 488_281, "bfloat16"
    times = "0, 20_000" if variant == "cifar10" else "0%, 50%"

    def moving(first: float, last: float) -> str:
        return f"cosine({first}, {last}, {times})"

    width = {"cifar10": 768, "stacked_full": 64}.get(variant, 16)
    size = {"width": width, "max_width": width if variant == "cifar10" else 4 * width, "blocks": 1}
    if variant == "cifar10":
        size["blocks"] = 2
    config.task.update(z_dim=64, z="normal")
    config.nets = {player: {"name": "r3gan", **size} for player in ("gen", "disc")}
    config.objective.loss = "relativistic"
    gamma = moving(0.05, 0.005) if variant == "cifar10" else moving(1.0, 0.1)
    config.objective.penalties = {name: {"weight": gamma} for name in ("r1", "r2")}
    for player in config.optim:
        lr = moving(2e-4, 5e-5) if variant == "cifar10" else moving(1e-3, 2.5e-4)
        config.optim[player].update(lr=lr, b1=0.0, b2=moving(0.9, 0.99))
    if variant in ("emoji", "cifar10"):
        config.augment = {"name": "ada", "adapt_p": False, "p": moving(0.0, 0.55)}
    config.ema.half_life_kimg = moving(0.0, 5000.0) if variant == "cifar10" else moving(0.0, 10.0)
    config.ema.rampup = 0.0
    return config
