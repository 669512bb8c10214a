"""R3GAN (Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN") at a size that two CPU cores train.

    python launch.py --config=configs/r3gan.py                 # 4,000 digits of 28x28
    python launch.py --config=configs/r3gan.py:emoji           # 1,720 emoji of 32x32, in colour
    python launch.py --config=configs/r3gan.py:stacked         # stacked digits, scored by their modes; :stacked_full
    python launch.py --config=configs/r3gan.py:ffhq64 --config.data.dir=FOLDER      # the authors' settings, for accelerators

Relativistic pairs (Jolicoeur-Martineau 2018) with R1 and R2 in every step; residual networks without norms, mappings, noise
or style. Learning rate, b2, the penalties' weight, the half-life of the moving averages and, where there is augmentation,
its probability go along cosines from their first to their last values: the authors' over 20 of some 250 million images, here
over half of the run.

All but the authors' own have five times their step size of 2e-4: on digits one run with 1e-3 drew after 250 steps what one
with 2e-4 had not begun to after 500. A batch is an eighth of theirs, a run far shorter, and none is augmented: with p to .55
on emoji the Fréchet distance was 176 for 148, one run of each, which decides nothing.

cifar10, imagenet32 and imagenet64 (told labels), ffhq64 and ffhq256 (from a folder) are the presets of the authors'
repository: widths, groups, precisions, schedules, augmentation, batch. They stop by hand; the runs' length is 12.5 times
their schedules'. What differs: penalties are taken in float32, where theirs are in bfloat16 or float16; generator and
discriminator meet the same real images in a step; augmentation interpolates linearly. None of the five has been run here.
"""

from configs import default, stacked_digits

# width at the image's own resolution, its maximum, batch, kimg of the schedules, and the last values of gamma (which begins
# at ten times that), augmentation's probability and the averages' half-life in kimg
AUTHORS = {
    "cifar10": (768, 768, 512, 20_000, 0.005, 0.55, 5000.0),
    "ffhq64": (384, 768, 256, 20_000, 0.2, 0.3, 500.0),
    "ffhq256": (96, 768, 256, 20_000, 15.0, 0.3, 500.0),
    "imagenet32": (1536, 1536, 4096, 200_000, 0.05, 0.5, 50_000.0),
    "imagenet64": (1536, 1536, 4096, 200_000, 0.1, 0.4, 50_000.0),
}
VARIANTS = ("digits", "emoji", "stacked", "stacked_full", *AUTHORS)
LABELS = {"cifar10": 10, "imagenet32": 1000, "imagenet64": 1000}


def cosine(first: float, last: float, until: str = "50%") -> str:
    return f"cosine({first}, {last}, 0{'%' * until.endswith('%')}, {until})"


def get_config(variant: str):
    if variant in AUTHORS:
        return authors(variant)
    full = variant == "stacked_full"
    stacked = stacked_digits.get_config("full" if full else "short") if variant.startswith("stacked") else None
    config = stacked or default.get_config()
    config.steps = stacked.steps if stacked else 1500
    if variant == "emoji":
        config.data.update(name="emoji", size=(32,))
        config.eval.features.name = "efficientnet_lite0"
    width = 64 if full else 16
    networks(config, width=width, max_width=4 * width, blocks=1)
    schedules(config, "50%", gamma=0.1, half_life=10.0, lr=1e-3)
    return config


def networks(config, **size) -> None:
    config.task.update(z_dim=64, z="normal")
    config.nets = {player: {"name": "r3gan", **size} for player in ("gen", "disc")}


def schedules(config, until: str, gamma: float, half_life: float, lr: float) -> None:
    config.objective.loss = "relativistic"
    config.objective.terms = {name: {"weight": cosine(10 * gamma, gamma, until)} for name in ("r1", "r2")}
    for player in config.optim:
        config.optim[player].update(lr=cosine(lr, lr / 4, until), b1=0.0, b2=cosine(0.9, 0.99, until))
    config.ema.half_life_kimg = cosine(0.0, half_life, until)
    config.ema.rampup = 0.0


def authors(variant: str):
    config = default.get_config()
    width, most, config.batch_size, kimg, gamma, p, half_life = AUTHORS[variant]
    config.steps, config.dtype = round(12.5 * kimg * 1000 / config.batch_size), "bfloat16"
    if variant.startswith("ffhq"):
        config.data = {"name": "image_folder", "size": (int(variant[4:]),), "flip": True}
    else:
        side = variant.removeprefix("imagenet")
        config.data = {"name": variant if variant == "cifar10" else f"imagenet_resized/{side}x{side}", "flip": True}
    # In half precision are the four largest resolutions, of 32 px three: one is left in float32, of 256 px three.
    networks(config, width=width, max_width=most, blocks=2, wide_blocks=3 if variant == "ffhq256" else 1)
    if variant in LABELS:
        config.task.num_classes = LABELS[variant]
    if variant.startswith("imagenet"):
        for net in config.nets.values():
            net["group_width"] = 32
    schedules(config, str(kimg), gamma, half_life, lr=2e-4)
    kinds = ("blit", "geometry", "colour", "cutout")
    config.augment = {"name": "ada", "adapt_p": False, "p": cosine(0.0, p, str(kimg)), "kinds": kinds, "colour_share": 0.5}
    config.eval.features.name = "inception"
    config.eval.update(metrics=("fd",), num_samples=50_000, repeats=1)
    config.log.every, config.sample.every, config.checkpoint.every = 100, 5000, 5000
    return config
