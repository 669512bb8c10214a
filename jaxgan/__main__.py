"""`python -m jaxgan` is `python launch.py` where the package is installed."""

import os
import sys

from jaxgan import guard, startup


def main() -> int:
    """Carries out the command line. Returns the exit code."""
    if guard.is_one_of_several(sys.argv[1:], os.environ):
        guard.stand()
    try:
        startup.catch_ctrl_c()
        from jaxgan import cli  # which takes long enough to be interrupted

        code = cli.main()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or startup.was_interrupted():
            startup.end()
        raise
    if code and "jaxgan.processes" in sys.modules:
        from jaxgan import processes

        processes.leave(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
