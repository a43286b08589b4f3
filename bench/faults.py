"""Every fault of a disposal and of an upload: `python -m bench.faults`, a part of `make bench`.

An error at each step, hundreds of kills at any moment, and power cuts on a disk of its own, which
only root can have. The suite takes a sample of these; this takes an hour and more.
"""

from __future__ import annotations

import os
import subprocess
import sys

from config.stack import stack


def main() -> None:
    marks = "thorough or powercut" if os.geteuid() == 0 else "thorough"
    if marks == "thorough":
        print("Power cuts are left out: a disk is mounted and stopped, which only root may.")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", marks, "tests/stack"]
    with stack() as environment:
        ended = subprocess.run(command, env=os.environ | environment, check=False)
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
