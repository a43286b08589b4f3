"""Commands of `manage.py`, each in a process of its own, without loading Django for each anew.

Loading takes seconds, and a journey in the browser signs in a dozen people. So one process loads
it, and each command is carried out by a fork of that, which begins and ends as the program does.

    python -m tests.commands      a command a line on standard input, as JSON; its end likewise
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.clock import set_clock

ROOT = Path(__file__).resolve().parent.parent


class Commands:
    """Runs commands of one portal; `environment` names its databases."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one to its end. Raises as `subprocess.run` does, if it fails and `check` is set."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps(arguments) + "\n")
        asked.flush()
        answer: dict[str, Any] = json.loads(answers.readline())
        done = subprocess.CompletedProcess(list(arguments), **answer)
        if check:
            done.check_returncode()
        return done


@contextmanager
def commands_of(environment: dict[str, str]) -> Iterator[Commands]:
    """Begin loading at once; the first command waits for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.commands"],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Commands(process)
    finally:
        process.communicate()


def serve() -> None:
    """Answer until standard input ends; only in a fork does this return before."""
    import django
    from django.conf import settings
    from django.urls import get_resolver

    django.setup()
    # What the checks before a command would load.
    assert get_resolver(settings.ROOT_URLCONF).url_patterns
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            child = os.fork()
            if not child:
                _carry_out(json.loads(line), output, errors)
            _, status = os.waitpid(child, 0)
            answer = {
                "returncode": os.waitstatus_to_exitcode(status),
                "stdout": _read(output),
                "stderr": _read(errors),
            }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _carry_out(arguments: list[str], output: IO[bytes], errors: IO[bytes]) -> None:
    """Be the program from here on. Ends the process, the way a program ends."""
    from django.core.management import execute_from_command_line

    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    set_clock()
    execute_from_command_line(["manage.py", *arguments])
    sys.exit(0)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    serve()
