"""`python -m jaxgan` is `python launch.py` where the package is installed."""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main())
