"""Looks at a stranger's file: at its bytes here, into a PDF by a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from dsar.rules.documents import FileType
from dsar.rules.files import ACTIVE_PDF, DAMAGED, FileRefused, Taken, looked_at

_CHILD: Final = Path(__file__).with_name("pdf_child.py")
_SECONDS: Final = 15
_SENTENCES: Final = {
    "encrypted": "The PDF is locked by a password. Send it without.",
    "active": ACTIVE_PDF,
    "pages": "The PDF has no pages, or too many.",
}


def examined(content: bytes) -> Taken:
    """Give what can be kept of a file. Raises `FileRefused`."""
    taken = looked_at(content)
    if taken.file_type is FileType.PDF:
        word = _word_of(content)
        if word != "plain":
            raise FileRefused(_SENTENCES.get(word, DAMAGED))
    return taken


def _word_of(content: bytes) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", str(_CHILD)], input=content, capture_output=True,
            timeout=_SECONDS, check=False, env={},
        )  # fmt: skip
    except (subprocess.TimeoutExpired, BrokenPipeError):
        return "unreadable"
    return done.stdout.decode("ascii", "replace")
