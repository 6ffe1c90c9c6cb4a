"""What is sent to addresses that people give us, and what is not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from checkride.lib import outbound

HOSTILE = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://example.com:8443/",
    "https://example.com:22/",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com/\r\nHost: evil",
    "https://example.com/\x00",
    "https://ex\u00e4mple.com/",
    "https://[::1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
]
INNER = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "0.0.0.0",  # noqa: S104  refused here, not bound to
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:db8::1]",
    "[2001::1]",
    "[fec0::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[ff02::1]",
    "localhost",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_what_is_no_plain_https_address_is_refused_before_any_name_is_asked_for(url: str) -> None:
    def never(_host: str) -> list[str]:
        raise AssertionError("a name was asked for")

    with pytest.raises(outbound.AddressRefused) as refusal:
        outbound.post(url, b"{}", {}, find=never)
    assert "Nothing was sent" in refusal.value.message


@pytest.mark.parametrize("host", INNER)
def test_an_address_inside_our_network_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(outbound.AddressRefused, match="not public"):
        outbound.post(f"https://{host}/hook", b"{}", {})


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(outbound.AddressRefused, match="not public"):
        outbound.post("https://example.com/", b"", {}, find=lambda _h: ["8.8.8.8", "127.0.0.1"])


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert outbound.is_public(address)


@dataclass
class Receiver:
    """A real TLS server that keeps what it was sent and answers what it was told to."""

    port: int
    trust: ssl.SSLContext
    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    hangs: bool = False  # whether it keeps the line open after its answer
    got: list[bytes] = field(default_factory=list)

    def post(self, url: str) -> int:
        return outbound.post(
            url,
            b'{"n":1}',
            {"content-type": "application/json"},
            find=lambda _host: ["127.0.0.1"],
            allow=lambda _address: True,
            port=self.port,
            context=self.trust,
        )


def _whole_request(client: ssl.SSLSocket) -> bytes:
    """Head and body, which may come in pieces; a server that hangs up before has not listened."""
    got = b""
    while not got.endswith(b'\r\n\r\n{"n":1}'):
        piece = client.recv(65536)
        if not piece:
            break
        got += piece
    return got


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hook.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0))
    one = Receiver(
        port=listener.getsockname()[1],
        trust=ssl.create_default_context(
            cadata=made.public_bytes(serialization.Encoding.PEM).decode()
        ),
    )

    def serve() -> None:
        while True:
            try:
                plain, _from = listener.accept()
            except OSError:
                return
            try:
                with closing(serving.wrap_socket(plain, server_side=True)) as client:
                    one.got.append(_whole_request(client))
                    client.sendall(one.answer)
                    if one.hangs:
                        client.recv(1)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield one
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_message_reaches_a_server_under_its_name(receiver: Receiver) -> None:
    assert receiver.post("https://hook.example/in?x=1") == 204
    head = receiver.got[0].decode().splitlines()
    assert head[0] == "POST /in?x=1 HTTP/1.1"
    assert any(line.lower().startswith("host: hook.example") for line in head)


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/admin\r\n\r\n"
    assert receiver.post("https://hook.example/in") == 302
    assert len(receiver.got) == 1


def test_a_certificate_for_another_name_takes_no_message(receiver: Receiver) -> None:
    with pytest.raises(outbound.NotDelivered):
        receiver.post("https://other.example/in")
    assert receiver.got == []


def test_a_server_that_never_finishes_is_hung_up_on(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "TIME_ALLOWED_S", 0.2)
    receiver.answer, receiver.hangs = b"HTTP/1.1 20", True
    with pytest.raises(outbound.NotDelivered, match="sent again later"):
        receiver.post("https://hook.example/in")


def test_what_is_no_http_is_not_taken_for_an_answer(receiver: Receiver) -> None:
    receiver.answer = b"220 mail.example ESMTP\r\n"
    with pytest.raises(outbound.NotDelivered):
        receiver.post("https://hook.example/in")
