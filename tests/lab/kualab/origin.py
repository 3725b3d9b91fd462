"""The lab's origin server: says what a scenario's sites say. It stands behind nginx and caddy on a Unix
socket, which name the virtual host in a header, and is also spoken to directly by the lab's own
listeners."""
from __future__ import annotations

import asyncio
import html
import os
import random
import zlib
from dataclasses import dataclass, replace
from http import HTTPStatus

from .hosting import VirtualHost
from .scenario import Answer

HOST_HEADER = "x-lab-host"      # which VirtualHost
SCHEME_HEADER = "x-lab-scheme"  # http or https
HEAD_BYTES_MAX = 64 * 1024
ENDLESS_BYTES_MAX = 256 * 1024 * 1024
BOMB_BYTES = 128 * 1024 * 1024  # of zeros, which deflate to about 130 kB
WORDS = "the of and to in is that for it was on are as with his they at be this from have or by one had".split()


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]

    @property
    def host(self) -> str:
        return self.headers.get("host", "").rsplit(":", 1)[0].lower()


class NotHttp(Exception):
    """The bytes are no request."""


async def read_request(reader: asyncio.StreamReader) -> Request:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise NotHttp from error
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, path, _ = lines[0].split(" ", 2)
    except ValueError:
        raise NotHttp from None
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers)


def answer_for(host: VirtualHost, scheme: str, path: str) -> Answer:
    """The most exact path that fits, else the site's answer for the scheme."""
    plain = path.split("?", 1)[0]
    default = host.site.http if scheme == "http" else host.site.https
    best, best_length = default, -1
    for pattern, answer in host.site.paths:
        fits = plain == pattern or (pattern.endswith("*") and plain.startswith(pattern[:-1]))
        length = len(pattern) + (1000 if plain == pattern else 0)
        if fits and length > best_length:
            best, best_length = answer, length
    return count_down(best, plain) if best.countdown else best


def count_down(answer: Answer, path: str) -> Answer:
    """/redirect/3 leads to /redirect/2 and so on; at 0 the answer itself comes."""
    stem, _, number = path.rpartition("/")
    if not number.isdigit() or int(number) == 0:
        return replace(answer, countdown=False)
    return Answer(status=302, location=f"{stem}/{int(number) - 1}", body_bytes=0)


def page(title: str, body_bytes: int, seed: str) -> bytes:
    """An HTML page of exactly that many bytes, where the frame leaves room for it."""
    head = f"<!doctype html><html><head><meta charset=utf-8><title>{html.escape(title)}</title></head><body><p>"
    tail = "</p></body></html>\n"
    room = body_bytes - len(head.encode()) - len(tail)
    if room < 0:
        return f"<title>{html.escape(title)}</title>".encode()[:body_bytes] if body_bytes else b""
    dice = random.Random(seed)
    text = ""
    while len(text) < room:
        text += dice.choice(WORDS) + " "
    return (head + text[:room] + tail).encode()


def body_of(answer: Answer, title: str, host: str) -> tuple[bytes, list[tuple[str, str]]]:
    """The body and the headers that belong to it, for every kind but the endless one."""
    kind = [("Content-Type", "text/html; charset=utf-8")]
    if answer.body == "changing":  # like a front page: other words, another length, the same site
        size = int(answer.body_bytes * random.uniform(0.85, 1.15))
        return page(title, size, os.urandom(8).hex()), kind
    if answer.body == "bomb":
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        zeros = bytes(1024 * 1024)
        packed = b"".join(squeeze.compress(zeros) for _ in range(BOMB_BYTES // len(zeros))) + squeeze.flush()
        return packed, kind + [("Content-Encoding", "gzip")]
    return page(title, answer.body_bytes, host), kind


def head_of(answer: Answer, request: Request, headers: list[tuple[str, str]], quic: bool) -> bytes:
    given = {name.lower() for name, _ in answer.headers}
    lines = [("Server", "kua-lab")] + headers + [("Connection", "close")]
    if quic:
        lines.append(("Alt-Svc", 'h3=":443"; ma=86400'))
    if answer.location is not None:
        location = answer.location.replace("{host}", request.host).replace("{path}", request.path)
        lines.append(("Location", location))
    lines = [(name, value) for name, value in lines if name.lower() not in given] + list(answer.headers)
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Answer"
    text = f"HTTP/1.1 {answer.status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    return (text + "\r\n").encode("utf-8", "surrogateescape")


async def respond(writer: asyncio.StreamWriter, host: VirtualHost, scheme: str, request: Request) -> None:
    answer = answer_for(host, scheme, request.path)
    quic = host.site.quic and scheme == "https"
    if answer.body == "garbage":
        writer.write(random.Random(host.key).randbytes(3000))
        await writer.drain()
        return
    if answer.body == "endless":
        kind = [("Content-Type", "text/html; charset=utf-8")]
        writer.write(head_of(answer, request, kind, quic))
        chunk = page(host.site.hosts[0], 65536, host.key)
        for _ in range(ENDLESS_BYTES_MAX // len(chunk)):
            writer.write(chunk)
            await writer.drain()
        return
    title = answer.title if answer.title is not None else host.site.hosts[0]
    body, kind = body_of(answer, title, host.site.hosts[0])
    writer.write(head_of(answer, request, kind + [("Content-Length", str(len(body)))], quic))
    if request.method != "HEAD":
        writer.write(body)
    await writer.drain()


class Origin:
    """Serves requests that nginx and caddy pass on."""

    def __init__(self, hosts: dict[str, VirtualHost]):
        self.hosts = hosts

    async def serve(self, path: str) -> None:
        await asyncio.start_unix_server(self._handle, path, limit=HEAD_BYTES_MAX)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            host = self.hosts[request.headers[HOST_HEADER]]
            await respond(writer, host, request.headers[SCHEME_HEADER], request)
        except (NotHttp, KeyError, ConnectionError):
            pass
        finally:
            writer.close()
