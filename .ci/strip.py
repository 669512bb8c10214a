"""Makes the pictures at the top of README.md from those in results/: `python .ci/strip.py`."""

from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "strip"
SIDE, LINE = 360, 52  # pixels: of a picture, and of a line below it

# name of the file: where it comes from, the box that is shown, config, what it draws, time
PICTURES = {
    "wgan": ("quickstart/wgan.png", (0, 0, 224, 224), "wgan", "digits", "5 to 8 min"),
    "stylegan_digits": ("stylegan/digits.png", (0, 0, 112, 112), "stylegan_lite", "digits", "35 min"),
    "stylegan_emoji": ("stylegan/emoji.png", (0, 0, 128, 128), "stylegan_lite", "emoji", "39 min"),
    "r3gan": ("r3gan/emoji.png", (0, 0, 128, 128), "r3gan", "emoji", "28 min"),
    "pix2pix": ("pix2pix/labels.png", (0, 0, 96, 96), "pix2pix", "labels", "12 min"),
    "cyclegan": ("cyclegan/styled_to_plain.png", (0, 0, 96, 96), "cyclegan", "digits", "20 min"),
    "toy": ("toy/swiss_roll.png", (33, 25, 463, 455), "toy", "swiss_roll", "10 min"),
}


def part(source: str, box: tuple[int, int, int, int]) -> Image.Image:
    """The box of a picture, its pixels kept square, SIDE by SIDE."""
    picture = Image.open(ROOT / "results" / source).convert("RGB").crop(box)
    large = picture.resize((picture.width * 6, picture.height * 6), Image.Resampling.NEAREST)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)


def make(name: str) -> Image.Image:
    source, box, *lines = PICTURES[name]
    made = Image.new("RGB", (SIDE, SIDE + 4 + LINE * len(lines)), "white")
    made.paste(part(source, box))
    draw, font = ImageDraw.Draw(made), ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 46)
    for i, text in enumerate(lines):
        draw.text((SIDE / 2, SIDE + 4 + LINE * i), text, "black", font, anchor="ma")
    return made


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        make(name).save(FOLDER / f"{name}.png", optimize=True)
