"""The names and addresses under which browsers on the network may reach this machine."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

__all__ = ["addresses_of_machine", "names_of_box"]

_SIOCGIFADDR = 0x8915
_IPV6 = Path("/proc/net/if_inet6")
# Addresses that come and go by themselves: temporary, deprecated and tentative ones.
_PASSING = 0x01 | 0x20 | 0x40


def names_of_box(host: str, further: list[str]) -> list[str]:
    """Return what somebody chose to call this box, most specific first; an address to listen on is one."""
    own = socket.gethostname()
    found = [host, *further, own, f"{own.partition('.')[0]}.local", "localhost", "127.0.0.1", "::1"]
    usable = [name.strip().lower().strip("[]") for name in found if name.strip() not in ("", "0.0.0.0", "::")]
    return list(dict.fromkeys(usable))


def addresses_of_machine() -> list[str]:
    """Return the addresses of this machine's network interfaces that others can use, in order.

    Source: netdevice(7), SIOCGIFADDR; the kernel's ``/proc/net/if_inet6`` (address, index, prefix
    length, scope, flags, name).
    """
    found = [*_version_4(), *_version_6()]
    with contextlib.suppress(OSError):
        found += [str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(socket.gethostname(), None)]
    return list(dict.fromkeys(one for one in found if _usable(one)))


def _version_4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _version_6() -> list[str]:
    with contextlib.suppress(OSError):
        rows = [line.split() for line in _IPV6.read_text("ascii").splitlines()]
        return [str(ipaddress.IPv6Address(int(row[0], 16))) for row in rows if not int(row[4], 16) & _PASSING]
    return []


def _usable(address: str) -> bool:
    kind = ipaddress.ip_address(address)
    return not (kind.is_loopback or kind.is_unspecified or (kind.version == 6 and kind.is_link_local))
