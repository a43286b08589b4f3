"""Identifiers that sort by time, and the little of a request that an event may keep."""

from __future__ import annotations

import ipaddress
import os
import time
from hashlib import blake2b
from uuid import UUID


def time_ordered_uuid() -> UUID:
    """Return a UUID of version 7 (RFC 9562, 5.7): milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def truncated_network(address: str) -> str:
    """Return the network of an address: /24 of IPv4, /48 of IPv6; empty if it is no address.

    The whole address tells people apart; the network still tells a hospital from elsewhere.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def session_digest(session_key: str, secret: str) -> str:
    """Return 32 hexadecimal characters that link the events of one session and open none."""
    if not session_key:
        return ""
    key = blake2b(secret.encode(), digest_size=32, person=b"audit/session").digest()
    return blake2b(session_key.encode(), key=key, digest_size=16).hexdigest()
