import subprocess
import sys

from bench.dicomweb import main

PARTS = ("worklist", "collection", "deidentify", "planning", "disposal", "faults")

main()
if len(sys.argv) == 1:
    for part in PARTS:
        print(flush=True)
        # A process of its own: Django takes its settings from the environment once.
        subprocess.run([sys.executable, "-m", f"bench.{part}"], check=True)
