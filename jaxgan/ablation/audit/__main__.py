"""`python -m jaxgan.ablation.audit results/`; see `check`."""

import sys

from jaxgan.ablation.audit.check import main

if __name__ == "__main__":
    sys.exit(main())
