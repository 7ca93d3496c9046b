"""A container's health check: exit code 0 when the address answers with a status below 400.

Usage: ``python check_health.py http://127.0.0.1:4001/health``. The image has neither curl nor wget,
and this starts in a few hundredths of a second.
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 4.0


def is_healthy(url: str) -> bool:
    """Whether a GET of ``url`` is answered in time, and well."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)
