"""Make the virtual environment, and go on inside it. Runs on the standard library alone.

    python3 -I config/bootstrap.py run     what the portal needs, then the portal
    python3 -I config/bootstrap.py dev     what its tests and checks need as well

A stamp remembers which locks were installed, so that the next call does nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def stop(text: str) -> None:
    say(text)
    raise SystemExit(1)


def main(arguments: list[str]) -> None:
    wanted = arguments[0] if arguments else "run"
    if wanted not in {"run", "dev"}:
        stop("Say what for: run or dev.")
    _go_on_with_newer_python()
    _check_venv_module()
    if not _is_installed(wanted):
        _make_environment()
        _install(wanted)
    if wanted == "run":
        os.chdir(ROOT)
        # The supervisor takes the place of this process: whoever started it can stop it.
        os.execv(PYTHON, [str(PYTHON), "-m", "config.serve"])


def _go_on_with_newer_python() -> None:
    if sys.version_info >= OLDEST:
        return
    for name in NEWER:
        if newer := shutil.which(name):
            os.execv(newer, [newer, "-I", *sys.argv])
    stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")


def _check_venv_module() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop("Python's venv module is needed (Debian and Ubuntu: apt-get install python3-venv).")


def _stamp(wanted: str) -> Path:
    return VENV / f".installed-{wanted}"


def _lock_digest(wanted: str) -> str:
    return hashlib.sha256((REQUIREMENTS / f"{wanted}.txt").read_bytes()).hexdigest()


def _is_installed(wanted: str) -> bool:
    # The lock for development holds everything that the other one does.
    names = ["dev"] if wanted == "dev" else ["run", "dev"]
    return PYTHON.exists() and any(
        _stamp(name).exists() and _stamp(name).read_text() == _lock_digest(name) for name in names
    )


def _make_environment() -> None:
    if PYTHON.exists():
        return
    say("Making the virtual environment in .venv")
    # By a call of its own: Python run in isolation would make an environment that points to it.
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop("The virtual environment could not be made; the reason stands above.")


def _install(wanted: str) -> None:
    lock = REQUIREMENTS / f"{wanted}.txt"
    total = sum(line[:1].isalnum() and "==" in line for line in lock.read_text().splitlines())
    say(f"Installing {total} locked packages; the first time takes a minute or two")
    began = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "-r", str(lock)]
    last = _run_with_progress(command, total)
    if last is not None:
        say("\n".join(last))
        stop("The packages could not be installed: is a package registry within reach?")
    _stamp(wanted).write_text(_lock_digest(wanted))
    say(f"Installed in {time.monotonic() - began:.0f} s")


def _run_with_progress(command: list[str], total: int) -> list[str] | None:
    """Show how far pip is; return its last lines if it fails."""
    lines: list[str] = []
    seen = 0
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        lines = [*lines[-20:], line.rstrip()]
        if line.startswith(("Collecting ", "Requirement already satisfied")):
            seen += 1
            if seen % 10 == 0:
                say(f"  {seen} of {total}")
        elif line.startswith("Installing collected"):
            say("  unpacking")
    return lines if process.wait() else None


if __name__ == "__main__":
    main(sys.argv[1:])
