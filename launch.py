"""Trains, samples, evaluates and tabulates GANs: python launch.py --config=configs/wgan.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # this checkout's package and configs, from any folder

from jaxgan.__main__ import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
