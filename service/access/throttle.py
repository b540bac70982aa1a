"""Wrong keys by address: after some of them a minute, the address is told to wait.

A key is too long to be guessed. This tells a caller with an old key in a loop to stop, and its connections
end; the log names the address, once a minute. It does not keep out right keys from the same address: behind
one address there may be many callers, and one of them must not lock out the others.

The `limits` library is not used for this: its counters in memory have no bound, and each hit looks through
all of them. Here the addresses that were seen longest ago are forgotten.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from service.logs import LinesPerMinute

log = logging.getLogger(__name__)

_WINDOW_SECONDS = 60.0
_IPV6_PREFIX = 64
"""What a household or a machine gets: it has 2^64 addresses."""

_NAMED = 10
"""Addresses that the log names a minute."""


class Throttle:
    """Counts of one process, of `addresses` at most. For one event loop."""

    def __init__(
        self, most: int, *, addresses: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`most`: wrong keys a minute that are answered as such."""
        self.most = most
        self._addresses = addresses
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lines = LinesPerMinute(log, _NAMED, "addresses that sent too many wrong keys", clock)

    def __len__(self) -> int:
        return len(self._counts)

    def failed(self, address: str) -> int | None:
        """Count a wrong key. The seconds for which its address has to wait, None if it has not to."""
        source, now = source_of(address), self._clock()
        began, count = self._counts.pop(source, (now, 0))
        if now - began >= _WINDOW_SECONDS:
            began, count = now, 0
        self._counts[source] = began, count + 1
        if len(self._counts) > self._addresses:
            self._counts.popitem(last=False)
        if count == self.most and self._lines.take():
            log.warning(
                "more than %d wrong keys a minute come from %s: it gets 429", self.most, _shown(source)
            )
        return None if count < self.most else max(1, math.ceil(began + _WINDOW_SECONDS - now))


def source_of(address: str) -> str:
    """What counts as one caller: an address of IPv4, a network of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


def _shown(source: str) -> str:
    """For the log: behind a gateway that believes its callers, an address can be any text."""
    try:
        return str(ipaddress.ip_network(source)).removesuffix("/32")
    except ValueError:
        return "what is no address"
