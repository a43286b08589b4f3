import subprocess
import sys

from bench.dicomweb import main

main()
if len(sys.argv) == 1:
    for part in ("bench.worklist", "bench.collection", "bench.deidentify"):
        print(flush=True)
        # A process of its own: Django takes its settings from the environment once.
        subprocess.run([sys.executable, "-m", part], check=True)
