"""Ask the web server of this container whether it is ready; exit 0 if it is.

On the standard library alone, for it runs every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys

PATIENCE = 4.0


def main() -> int:
    # The server answers only to the names it serves.
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".*")
    port = int(os.environ.get("PORT", "8000"))
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        link.request("GET", "/readyz", headers={"Host": host})
        return 0 if link.getresponse().status == http.HTTPStatus.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main())
