"""The container's health check: exit status 0 if the service can score now, else 1 and the reason.

Python's own library only, so that a check every half minute costs next to nothing.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from collections.abc import Mapping

SECONDS = 8.0
"""Longer than `EVENMATCH_READY_SECONDS` by default, shorter than the image's HEALTHCHECK timeout."""


def problem(port: int, *, tls: bool = False) -> str | None:
    """What the readiness route says against scoring, or None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    if tls:  # its certificate is for the name by which others know it, and this never leaves the container
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=context)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(1000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"status {answer.status}: {body}"


def port_of(environment: Mapping[str, str]) -> int:
    """The port of the service; what Kubernetes sets for a Service named `evenmatch` is none."""
    given = (environment.get(name, "") for name in ("EVENMATCH_PORT", "EVENMATCH_SERVER_PORT"))
    return int(next((port for port in given if port and "://" not in port), 8000))


def found_problem(environment: Mapping[str, str]) -> str | None:
    """As `problem`, asked on the port of metrics and probes, if there is one."""
    for name in ("EVENMATCH_METRICS_PORT", "EVENMATCH_ACCESS_METRICS_PORT"):
        if port := environment.get(name, "").strip():
            return problem(int(port))
    names = ("EVENMATCH_TLS_CERTIFICATE", "EVENMATCH_SERVER_TLS_CERTIFICATE")
    return problem(port_of(environment), tls=any(environment.get(name, "").strip() for name in names))


if __name__ == "__main__":
    sys.exit(found_problem(os.environ))
