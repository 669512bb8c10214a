"""Super resolution by four: do adversarial and feature losses look better, at the price of PSNR? On photographs.

    python launch.py --mode=ablate --config=configs/ablations/srgan.py --workdir=runs/srgan --workers=2

| row                | generator | loss                                                                  |
|--------------------|-----------|-----------------------------------------------------------------------|
| bicubic            | none      | none                                                                  |
| SRResNet           | SRResNet  | squared error of pixels                                               |
| SRResNet, features | SRResNet  | that and features of EfficientNet-lite0                               |
| SRGAN-MSE          | SRResNet  | squared error of pixels and 1e-3 times the adversarial loss           |
| SRGAN              | SRResNet  | features and 1e-3 times the adversarial loss                          |
| ESRGAN             | RRDB of 6 | 1e-2 times L1, features, and 5e-3 times the relativistic average loss |

"SRGAN, 1/4" and its like have weights between those of SRResNet and SRGAN, as `--strength` of `--mode=upscale` does. They
are for the figure "perception and distortion": perceptual distance over PSNR (Blau and Michaeli 2018).

All but the first two rows start from their own seed's generator of pixels alone, SRResNet or RRDB. So does "SRResNet,
longer", which goes on with pixels: what more steps give by themselves.

Scores are of the three whole photographs of `test`, from MATLAB's bicubic. The perceptual distance is EfficientNet-lite2's,
which no loss has used; it has seen the same ImageNet as lite0, and may lean towards rows that were trained with lite0.

Published: Ledig et al. 2017, Set5, by four: PSNR and SSIM on luminance. Theirs are other photographs, 350,000 pictures to
train on and networks four times as large. Five seeds: five hours of two cores.
"""

import numpy as np

import jaxgan
from configs import srgan
from jaxgan.data.photographs import Photographs
from jaxgan.results import Summary
from jaxgan.table import Claim, Column, Length, Row, Stage, Table

PSNR, SSIM, PERCEPTUAL = "PSNR, dB (luminance)", "SSIM (luminance)", "perceptual distance"
STEPS, SIDE, MORE = 4000, 64, 2000
CROPS = (("chelsea", 80, 140), ("chelsea", 152, 148), ("china", 120, 248), ("coffee", 228, 332))  # of `test`: top and left
BETWEEN = {"1/4": 0.25, "1/2": 0.5, "3/4": 0.75}  # strengths of SRGAN beside SRResNet
QUIET = {"log.tensorboard": False, "log.every": 100, "sample.every": 0, "checkpoint.every": 500}


def get_config():
    return srgan.get_config("srresnet")


def second(variant: str, first: str, changes: dict | None = None, published: dict[str, str] | None = None) -> Row:
    """A row that goes on from another row's generator."""
    begin = {"init_from.workdir": Stage(first), "init_from.players": "gen", "init_from.ema": True}
    return Row({"steps": MORE, **begin, **(changes or {})}, f"configs/srgan.py:{variant}", published or {})


def between(strength: float) -> Row:
    """No training: weights between those of the first stage and SRGAN's."""
    begin = {"init_from.workdir": Stage("SRGAN"), "init_from.base_workdir": Stage("SRResNet")}
    begin |= {"init_from.players": "gen", "init_from.ema": True, "init_from.strength": strength}
    return Row({"steps": 0} | begin)


def perception_distortion(summary: Summary):
    """Perceptual distance over PSNR of every row, with a line through the weights between SRResNet's and SRGAN's; bars are
    the deviation over seeds."""
    from matplotlib.figure import Figure

    points = {
        row: [(float(np.mean(one.values)), float(np.std(one.values))) for one in (columns[PSNR], columns[PERCEPTUAL])]
        for row, columns in summary.entries.items()
        if columns[PSNR].values and columns[PERCEPTUAL].values
    }
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    line = [points[row] for row in ("SRResNet", *(f"SRGAN, {told}" for told in BETWEEN), "SRGAN") if row in points]
    axes.plot([x for (x, _), _ in line], [y for _, (y, _) in line], color="grey", linewidth=0.8, label="--strength, 0 to 1")
    for row, ((x, dx), (y, dy)) in points.items():
        axes.errorbar(x, y, dy, dx, fmt="o", markersize=4, color="C1" if row.startswith("SRGAN, ") else "C0")
        place = {"SRResNet": ((7, -7), "left"), "SRGAN, 1/4": ((-6, -9), "right")}  # which lie on top of others
        shift, side = place.get(row, ((6, 4), "left"))
        axes.annotate(row, (x, y), xytext=shift, ha=side, textcoords="offset points", fontsize=8)
    axes.margins(x=0.2)
    axes.set(xlabel=f"{PSNR}, higher is nearer", ylabel=f"{PERCEPTUAL}, lower looks nearer")
    axes.legend(fontsize=8)
    return figure


def crops(summary: Summary):
    """Crops of `test`: what every row was given, what its first seed makes of it, and the photograph. None without the runs'
    checkpoints."""
    from matplotlib.figure import Figure

    wholes = Photographs(split="test", source="down4").open().wholes
    pairs = {name: wholes.pair(wholes.names.index(name)) for name, *_ in CROPS}  # photograph, and its low resolution
    columns = {"given": {name: small.repeat(4, 0).repeat(4, 1) for name, (_, small) in pairs.items()}}
    for row, results in summary.results.items():
        run = results[0].cell and results[0].cell.folder
        if not run or not (run / "checkpoints").is_dir():
            return None
        model = jaxgan.load(run)
        columns[row] = {name: model.upscale(small) for name, (_, small) in pairs.items()}
    columns["photograph"] = {name: true for name, (true, _) in pairs.items()}
    figure = Figure(figsize=(1.5 * len(columns), 1.6 * len(CROPS)), layout="constrained")
    panels = figure.subplots(len(CROPS), len(columns), squeeze=False)
    for line, (name, top, left) in zip(panels, CROPS):
        for axes, pictures in zip(line, columns.values()):
            axes.imshow(pictures[name][top : top + SIDE, left : left + SIDE], interpolation="nearest")
            axes.set_axis_off()
    for axes, title in zip(panels[0], columns):
        axes.set_title(title.replace(", ", "\n"), fontsize=8)
    return figure


def table() -> Table:
    low = {"optim.gen.lr": "cosine(1e-4, 1e-6, 0%, 100%)"}  # as the other rows' second stage
    pixels = {"objective.terms.features": "none", "frozen.eye": "none"}
    rows = {
        "bicubic": Row({"nets.gen.name": "bicubic", "steps": 0}, published={PSNR: "28.43", SSIM: ".8211"}),
        "SRResNet": Row({"steps": STEPS}, published={PSNR: "32.05", SSIM: ".9019"}),
        "SRResNet, longer": second("srresnet", "SRResNet", low),
        "SRResNet, features": second("srgan", "SRResNet", {"objective.loss": "none"}),
        "SRGAN-MSE": second("srgan", "SRResNet", pixels),
        "SRGAN": second("srgan", "SRResNet", {"objective.terms.image": "none"}, {PSNR: "29.40", SSIM: ".8472"}),
        "RRDB": Row({"steps": STEPS}, config="configs/srgan.py:rrdb", hidden=True),
        "ESRGAN": second("esrgan", "RRDB"),
    }
    rows |= {f"SRGAN, {told}": between(strength) for told, strength in BETWEEN.items()}
    adversarial, content = ("SRGAN", "ESRGAN"), "SRResNet, longer"
    return Table(
        title="Super resolution by four, on photographs",
        paper="Ledig et al. 2017; Wang et al. 2018",
        data="eight photographs of the packages scikit-image and scikit-learn, five to train on",
        protocol=f"crops of {SIDE} px, batches of {{batch_size}}, {STEPS:,} steps of pixels, then {MORE:,} of each row's "
        "own loss; three whole photographs of `test`, borders of 4 px cut off, 8 bits",
        length=Length(
            200_000, "generator updates of the second stage", least=0.01, why="the claims are about five photographs"
        ),
        overrides={"data.size": SIDE, "data.jitter": 32, **QUIET},
        columns=(
            Column("psnr_y", PSNR, "higher", ".2f"),
            Column("ssim_y", SSIM, "higher", ".4f"),
            Column("psnr_rgb", "PSNR, dB (RGB)", "higher", ".2f"),
            Column("perceptual", PERCEPTUAL, "lower", ".3f"),
            Column("consistency", "consistency, dB", "higher", ".1f"),
            Column("gain", "above bicubic, dB", "higher", ".2f"),
        ),
        published="Set5 by four, luminance, 4 px (Ledig et al. 2017)",
        differs=("other photographs", "small networks", "other features", "short runs"),
        rows=rows,
        seeds=range(5),
        claims=(
            Claim("above bicubic, dB", "SRResNet", above=0.5, text="SRResNet is half a decibel above bicubic"),
            *[Claim(PSNR, content, than=row, text=f"pixels alone have a higher PSNR than {row}") for row in adversarial],
            *[Claim(PERCEPTUAL, row, than=content, text=f"{row} is nearer than pixels alone") for row in adversarial],
        ),
        curves=("gen/image", "disc/loss"),
        figures={"perception and distortion": perception_distortion, "crops": crops},
        samples=False,
        notes="A row's spread is between seeds, of three pictures. Intervals over pictures are in each run's evaluation. "
        "ESRGAN's curve of gen/image is an absolute error, and those of the others are squared ones.",
    )
