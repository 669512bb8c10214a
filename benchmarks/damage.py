"""What each score sees of known damage: the table of docs/evaluation.md.

    python benchmarks/damage.py            # half a minute
    python benchmarks/damage.py --smoke    # does it run?

1,000 real digits of the split `train`, damaged, against the 1,000 of `test`; the undamaged ones are the floor.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
from PIL import Image, ImageFilter  # noqa: E402

from jaxgan.config.run import Eval  # noqa: E402
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images  # noqa: E402
from jaxgan.data.tfds import Tfds  # noqa: E402
from jaxgan.extractors.digits import Digits  # noqa: E402
from jaxgan.placement import Placement  # noqa: E402
from jaxgan.scores.evaluator import Evaluator, stored  # noqa: E402


def of(pixels: np.ndarray) -> Images:
    return Images("digits", Arrays(pixels, None, np.arange(len(pixels))), features_of(pixels.shape[1:]), False)


def blurred(digits: np.ndarray, radius: float) -> np.ndarray:
    pictures = [Image.fromarray(x[..., 0]).filter(ImageFilter.GaussianBlur(radius)) for x in digits]
    return np.stack([np.asarray(picture)[..., None] for picture in pictures])


def noisy(digits: np.ndarray, levels: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, levels, digits.shape)
    return np.clip(digits + noise, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="200 digits, three rows")
    smoke = parser.parse_args().smoke
    train, test = (Tfds(name="digits", split=split).open().load() for split in ("train", "test"))
    chosen = np.random.default_rng(1).permutation(len(train["image"]))[: 200 if smoke else 1000]
    fresh, labels, real = train["image"][chosen], train["label"][chosen], test["image"][: 200 if smoke else None]
    wanted = Eval(metrics=("fd", "kid", "prdc", "repetition", "is", "classes"), num_samples=len(fresh))
    evaluator = Evaluator(wanted, Digits().load((28, 28, 1)), of(real), Placement())
    rows = {
        "none": fresh,
        "blur, 1 px": blurred(fresh, 1),
        "blur, 2 px": blurred(fresh, 2),
        "noise, 40 levels": noisy(fresh, 40),
        "noise, 120 levels": noisy(fresh, 120),
        "five classes alone": np.resize(fresh[labels < 5], fresh.shape),
        "ten images, again and again": np.resize(fresh[:10], fresh.shape),
        "the reference itself": real,
    }
    for i, (name, pixels) in enumerate(list(rows.items())[: 3 if smoke else None]):
        scores = evaluator(stored(of(pixels), np.arange(len(pixels)), evaluator.size, Placement()), len(pixels))
        if not i:
            print("| damage | " + " | ".join(scores) + " |\n" + "|---" * (len(scores) + 1) + "|")
        print(f"| {name} | " + " | ".join(f"{x:.3g}" for x in scores.values()) + " |")


main()
