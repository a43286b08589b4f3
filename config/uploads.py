"""Which forms may bring a file, and how large: small ones are kept in memory, never on a disk.

Django's own handler takes as much on every address. Here only pages that take papers of people,
or pictures of them, get more than a form ever needs.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.files.uploadhandler import MemoryFileUploadHandler

# By address: what is under it is a page that takes files itself.
LARGE: Final = re.compile(r"^/requests/(?:.+/)?documents/$")
# A paper of 8 MB, and the words around it.
LARGEST: Final = 9 << 20


class SmallFiles(MemoryFileUploadHandler):
    """Keeps what is small enough for its address; a larger file never reaches the form."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        super().handle_raw_input(input_data, META, content_length, boundary, encoding)
        if LARGE.match(META.get("PATH_INFO", "")):
            self.activated = content_length <= LARGEST
