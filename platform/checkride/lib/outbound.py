"""The only client for other people's servers.

Somebody who names an address must not thereby reach what only this machine can reach. So `post`
takes https on its usual port alone; the name is resolved once, every address it has must be a
public one, the connection goes to that very address, redirects are not followed, and time is
bounded. What comes back is the status alone.

`ask` is for the one server that the operator names in the settings. It may stand inside the
operator's network; nothing but that server is ever asked, and its answer is read with bounds.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from checkride.lib.errors import DomainError

PORT = 443
TIME_ALLOWED_S = 10.0

Resolve = Callable[[str], list[str]]
Allow = Callable[[str], bool]

# Unicast on the public internet, less what only looks like it: documentation, 6to4, Teredo.
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ipaddress.ip_network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NOT_PUBLIC_4 = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
)


class AddressRefused(DomainError):
    code = "address-refused"
    sentence = (
        "This address cannot be used: {why} Nothing was sent. Give the https address of a server "
        "that the public internet can reach."
    )


class NotDelivered(DomainError):
    code = "not-delivered"
    sentence = "The message was not taken: {why} It is kept and sent again later."


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the public internet; mapped ones are unpacked first."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        else:
            return parsed in _PUBLIC_6 and not any(parsed in net for net in _NOT_PUBLIC_6)
    return not any(parsed in net for net in _NOT_PUBLIC_4)


def resolve(host: str) -> list[str]:
    """Every numeric address of a name. Raises `NotDelivered` when it has none."""
    try:
        found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise NotDelivered(why="its name was not found.") from problem
    return [str(row[4][0]) for row in found]


def host_of(url: str) -> str:
    """The host of an address that may be sent to. Raises `AddressRefused`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise AddressRefused(why="it is not a web address.") from problem
    if parts.scheme != "https":
        raise AddressRefused(why="it does not begin with https.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(why="it holds a user name or a password.")
    if port not in (None, PORT):
        raise AddressRefused(why=f"it names the port {port}; only {PORT} is allowed.")
    if not host or not url.isascii() or any(character <= " " for character in url):
        raise AddressRefused(why="its host cannot be read.")
    return host


class _Connection(http.client.HTTPSConnection):
    """HTTPS to an address that was looked at, under the name that was asked for."""

    def __init__(self, host: str, address: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=TIME_ALLOWED_S, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    find: Resolve = resolve,
    allow: Allow = is_public,
    port: int = PORT,
    context: ssl.SSLContext | None = None,
) -> int:
    """Post `body` and return the HTTP status; what the answer says is not read.

    Raises `AddressRefused` before anything is sent, and `NotDelivered` when nobody took it in
    time. `find`, `allow`, `port` and `context` are for tests with servers of their own.
    """
    host = host_of(url)
    addresses = find(host)
    # One bad address among good ones is a trap as well.
    if not addresses or not all(allow(one) for one in addresses):
        raise AddressRefused(why="it leads into a network that is not public.")
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _Connection(host, addresses[0], port, context or ssl.create_default_context())
    # A server that sends a byte now and then never runs into the time-out of one read.
    watchman = threading.Timer(TIME_ALLOWED_S, _hang_up, [connection])
    watchman.start()
    try:
        connection.request("POST", target, body=body, headers=dict(headers))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise NotDelivered(why=f"{type(problem).__name__}.") from problem
    finally:
        watchman.cancel()
        connection.close()


Trouble = Literal["away", "slow", "cut", "long"]
CHUNK = 64 * 1024


class NoAnswer(DomainError):
    """The operator's server gave no whole answer. `trouble` says which way."""

    code = "no-answer"
    sentence = "The server gave no whole answer: {why}"

    def __init__(self, trouble: Trouble, why: str) -> None:
        self.trouble = trouble
        super().__init__(why=why)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    chosen: str,
    seconds: float,
    most_bytes: int,
) -> Answer:
    """Post `body` to a server that the operator chose, and read what it answers.

    `chosen` is the operator's address; `url` must have its scheme, host and port, and may be http
    and internal. Redirects come back as they are and are never followed. Raises `AddressRefused`
    for any other server, and `NoAnswer` when there is no whole answer of at most `most_bytes`
    within `seconds`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or _server(parts) != _server(urlsplit(chosen)):
        raise AddressRefused(why="it is not the server that the operator chose.")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    late = threading.Event()
    # The connection forgets its socket once the head of an answer came; a slow body needs it still.
    line: list[socket.socket] = []

    def too_late() -> None:
        late.set()
        for one in line:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    watchman = threading.Timer(seconds, too_late)
    watchman.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.connect()
        line.append(connection.sock)
        if late.is_set():
            raise TimeoutError
        connection.request("POST", target, body=body, headers=dict(headers))
        response = connection.getresponse()
        try:
            found = _read_all(response, most_bytes)
        finally:
            if late.is_set():
                raise TimeoutError
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, found)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if late.is_set() or isinstance(problem, TimeoutError):
            raise NoAnswer("slow", f"it took longer than {seconds:g} seconds.") from problem
        cut = isinstance(problem, http.client.HTTPException | ConnectionResetError)
        if cut:
            raise NoAnswer("cut", "it hung up in the middle.") from problem
        raise NoAnswer("away", "it could not be reached.") from problem
    finally:
        watchman.cancel()
        connection.close()


def _server(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of an address. Raises `AddressRefused` when it holds a password."""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as problem:
        raise AddressRefused(why="its port cannot be read.") from problem
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(why="it holds a user name or a password.")
    return parts.scheme, (parts.hostname or "").lower(), port


def _read_all(response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    found = bytearray()
    while chunk := response.read(CHUNK):
        found += chunk
        if len(found) > most_bytes:
            raise NoAnswer("long", f"it is longer than {most_bytes:,} bytes.")
    if response.length:  # the server promised more than it sent
        raise NoAnswer("cut", "it hung up in the middle.")
    return bytes(found)


def _hang_up(connection: Any) -> None:
    if connection.sock is not None:
        # Only this makes a read in another thread return at once.
        connection.sock.shutdown(socket.SHUT_RDWR)
