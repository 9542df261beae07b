"""Where notifications may go: the operator's list decides, and what a name resolves to. Pure functions.

An address that is not of the public internet (loopback, link-local, private, the server's own) is refused
unless the operator allowed that very address or a network around it: a host name is not enough.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_WITH_PORT: Final = re.compile(r"(?P<host>\[[^\]]+\](/\d+)?|[^:]+):(?P<port>\d{1,5})")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_PORTS: Final = range(1, 65536)


class PlaceError(ValueError):
    """A text that names neither a host nor a network."""


@dataclass(frozen=True, slots=True)
class Place:
    """A host by name, or a network of addresses (one address is the smallest), at one port or any."""

    name: str | None
    network: Network | None
    port: int | None

    def __str__(self) -> str:
        """The text that `place_of` reads."""
        if self.network is None:
            text = self.name or ""
        else:
            is_one = self.network.num_addresses == 1
            text = str(self.network.network_address if is_one else self.network)
            text = f"[{text}]" if ":" in text and self.port is not None else text
        return text if self.port is None else f"{text}:{self.port}"

    def fits(self, port: int) -> bool:
        """Whether it is about a port."""
        return self.port is None or self.port == port


def place_of(text: str) -> Place:
    """What `HOST`, `HOST:PORT`, `ADDRESS`, `[ADDRESS]:PORT` or `NETWORK` (CIDR) stands for. PlaceError."""
    given = text.strip().lower()
    port: int | None = None
    found = _WITH_PORT.fullmatch(given)
    if found is not None:
        given, port = found["host"], int(found["port"])
        if port not in _PORTS:
            raise PlaceError(f"{text[:80]!r}: the port is not 1 to 65535")
    given = given.replace("[", "").replace("]", "")
    try:
        return Place(None, ipaddress.ip_network(given), port)
    except ValueError as flaw:
        name = given.rstrip(".")
        if "/" in given or ":" in given or not is_name(name):
            raise PlaceError(f"{text[:80]!r} is neither a host, an address nor a network ({flaw})") from None
        return Place(name, None, port)


def is_name(host: str) -> bool:
    """Whether a text is a host name; `2130706433`, `0x7f.1` and `127.1` are addresses in disguise and not."""
    return bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host.rpartition(".")[2])


def address_of(host: str) -> Address | None:
    """The address that a host of a URI is written as, None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def refusal_of_host(places: Iterable[Place], host: str, port: int) -> str | None:
    """Why no notification may go to a host of a URI, None if it may as far as can be said without DNS."""
    address = address_of(host)
    if address is not None:
        return refusal_of_address(places, host, address, port, frozenset())
    name = host.lower().rstrip(".")
    if not is_name(name):
        return f"{host[:80]!r} is no host name"
    fitting = [place for place in places if place.fits(port)]
    if any(place.name == name or place.network is not None for place in fitting):
        return None
    return f"{name} port {port} is not allowed by the operator"


def refusal_of_address(
    places: Iterable[Place], host: str, address: Address, port: int, own: frozenset[Address]
) -> str | None:
    """Why no connection may be made to an address that a host resolved to; `own` are the server's.

    An IPv4 address inside of an IPv6 one counts too: both must be allowed.
    """
    fitting = [place for place in places if place.fits(port)]
    for one in (address, *_within(address)):
        if one.is_unspecified or one.is_multicast:
            return f"{address} is no address of a host"
        if any(place.network is not None and _holds(place.network, one) for place in fitting):
            continue
        name = host.lower().rstrip(".")
        if not any(place.name == name for place in fitting):
            return f"{address} port {port} is not allowed by the operator"
        if not one.is_global or one in own:
            return f"{address} is of a network that is not public: the operator must allow it by its address"
    return None


def _holds(network: Network, address: Address) -> bool:
    return address.version == network.version and address in network


def _within(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(one for one in found if one is not None)
