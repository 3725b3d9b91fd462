"""A plain client, to see what the lab does without the programs under test: sockets in a home's
namespace, and what became of them in one word."""
from __future__ import annotations

import pathlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass

from .names import is_ip4
from .world import dns_query


@dataclass
class Seen:
    """How a step ended: ok, or reset, refused, timeout, eof, alert, unreachable …"""
    outcome: str
    detail: str = ""
    body: bytes = b""
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.outcome} {self.detail}".strip()


def name_of(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "untrusted"
        case ConnectionResetError():
            return "reset"
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "timeout"
        case ssl.SSLEOFError():
            return "eof"
        case ssl.SSLError():
            text = str(error)  # which class an early end has depends on Python's OpenSSL
            return "alert" if "ALERT" in text else "eof" if "EOF" in text else f"tls {text}"
        case OSError():
            return "unreachable"
    return type(error).__name__


def connect(address: str, port: int, seconds: float) -> socket.socket:
    made = socket.socket(socket.AF_INET if is_ip4(address) else socket.AF_INET6, socket.SOCK_STREAM)
    made.settimeout(seconds)
    try:
        made.connect((address, port))
    except BaseException:
        made.close()
        raise
    return made


def tcp(address: str, port: int, seconds: float = 1.0) -> Seen:
    begun = time.monotonic()
    try:
        connect(address, port, seconds).close()
    except OSError as error:
        return Seen(name_of(error), seconds=time.monotonic() - begun)
    return Seen("ok", seconds=time.monotonic() - begun)


def fetch(address: str, port: int, host: str, path: str = "/", root: pathlib.Path | None = None,
          seconds: float = 1.0, bytes_max: int = 4_000_000) -> Seen:
    """One GET; over TLS where a trusted root is given. `detail` is the status, or the step that failed."""
    step = "connect"
    begun = time.monotonic()
    body = b""
    try:
        with connect(address, port, seconds) as plain:
            stream: socket.socket = plain
            if root:
                step = "handshake"
                context = ssl.create_default_context(cafile=str(root))
                context.set_alpn_protocols(["http/1.1"])
                stream = context.wrap_socket(plain, server_hostname=host)
            step = "answer"
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while len(body) < bytes_max and (chunk := stream.recv(65536)):
                body += chunk
    except (OSError, ssl.SSLError) as error:
        return Seen(name_of(error), step, body, time.monotonic() - begun)
    if not body:
        return Seen("eof", step, body, time.monotonic() - begun)
    head = body.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return Seen("ok", head[1] if len(head) > 1 else "no head", body, time.monotonic() - begun)


def lookup(resolver: str, name: str, kind: int = 1, seconds: float = 0.7) -> list[str]:
    """Every reply within a while, as `addresses` or the response code, in order of arrival."""
    replies = []
    with socket.socket(socket.AF_INET if is_ip4(resolver) else socket.AF_INET6, socket.SOCK_DGRAM) as asker:
        asker.settimeout(seconds)
        asker.connect((resolver, 53))
        asker.send(dns_query(name, kind))
        try:
            while True:
                replies.append(describe_reply(asker.recv(4096)))
                asker.settimeout(0.2)
        except OSError as error:
            if not replies:
                replies.append(name_of(error))
    return replies


def describe_reply(reply: bytes) -> str:
    code = struct.unpack("!H", reply[2:4])[0] & 15
    if code:
        return {2: "servfail", 3: "nxdomain", 5: "refused"}.get(code, f"rcode {code}")
    answers = struct.unpack("!H", reply[6:8])[0]
    at = reply.index(b"\0", 12) + 5
    addresses = []
    for _ in range(answers):
        while reply[at] and reply[at] < 192:
            at += 1 + reply[at]
        at += 2 if reply[at] >= 192 else 1
        kind, _, _, length = struct.unpack("!HHIH", reply[at:at + 10])
        data = reply[at + 10:at + 10 + length]
        if kind in (1, 28):
            addresses.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
        at += 10 + length
    return " ".join(addresses) or "empty"


def trace(address: str, seconds: float = 0.5, hops: int = 8) -> list[str]:
    """Who answers a UDP datagram of each hop limit: read from the socket's error queue."""
    ip_recverr, ip_ttl, msg_errqueue = 11, 2, 0x2000
    seen = []
    for limit in range(1, hops):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, ip_recverr, 1)
            sender.setsockopt(socket.IPPROTO_IP, ip_ttl, limit)
            sender.connect((address, 33434))
            sender.send(b"trace")
            until = time.monotonic() + seconds
            who = "*"
            while time.monotonic() < until and who == "*":
                try:
                    _, ancillary, _, _ = sender.recvmsg(512, 512, msg_errqueue)
                except OSError:
                    time.sleep(0.01)
                    continue
                for _, _, data in ancillary:
                    if len(data) >= 24:
                        who = socket.inet_ntoa(data[20:24])
            seen.append(who)
            if who == address:
                break
    return seen
