"""The lab's own TCP listeners: proxies that pass connections through, the box that shows forged
certificates, and servers that answer with garbage."""
from __future__ import annotations

import asyncio
import ipaddress
import pathlib
import ssl
from collections.abc import Callable

from .hosting import Listener, VirtualHost
from .names import is_ip4
from .origin import NotHttp, Request, read_request, respond

HELLO_BYTES_MAX = 16 * 1024
HANDSHAKE = 0x16


def server_name_in(stream: bytes) -> str | None:
    """The server name in a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3); IndexError while bytes are
    missing, None where there is none."""
    body = b""
    at = 0
    while at + 5 <= len(stream) and stream[at] == HANDSHAKE:
        length = int.from_bytes(stream[at + 3:at + 5])
        body += stream[at + 5:at + 5 + length]
        at += 5 + length
    need = int.from_bytes(body[1:4]) + 4
    if len(body) < need or need < 40:
        raise IndexError
    at = 38 + 1 + body[38]
    at += 2 + int.from_bytes(body[at:at + 2])
    at += 1 + body[at]
    end = at + 2 + int.from_bytes(body[at:at + 2])
    at += 2
    while at + 4 <= end:
        kind, length = int.from_bytes(body[at:at + 2]), int.from_bytes(body[at + 2:at + 4])
        if kind == 0:
            return body[at + 9:at + 4 + length].decode("ascii", "replace").lower()
        at += 4 + length
    return None


async def read_hello(reader: asyncio.StreamReader) -> tuple[bytes, str | None]:
    stream = b""
    while len(stream) < HELLO_BYTES_MAX:
        chunk = await reader.read(4096)
        if not chunk:
            break
        stream += chunk
        try:
            return stream, server_name_in(stream)
        except IndexError:
            continue
    return stream, None


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (ConnectionError, ssl.SSLError):
        pass


async def join(near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
               far: tuple[asyncio.StreamReader, asyncio.StreamWriter], first: bytes = b"") -> None:
    """Carries bytes both ways until both directions have ended."""
    far[1].write(first)
    try:
        await asyncio.gather(pump(near[0], far[1]), pump(far[0], near[1]), return_exceptions=True)
    finally:
        far[1].close()


class Relays:
    """Runs in the world's namespace. `where_is` tells the true address of a host."""

    def __init__(self, where_is: Callable[[str], str | None],
                 certificate_of: Callable[[VirtualHost], tuple[pathlib.Path, pathlib.Path]]):
        self.where_is = where_is
        self.certificate_of = certificate_of

    async def listen(self, listener: Listener) -> None:
        host = listener.hosts[0]
        if host.site.proxy:
            handler = self._pass_tls if listener.tls else self._pass_http
            await start(handler, listener.address, listener.port)
            return
        context = None
        if listener.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate_of(host))
        scheme = "https" if listener.tls else "http"

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await read_request(reader)
            await respond(writer, host, scheme, request)

        await start(answer, listener.address, listener.port, context)

    async def intercept(self, addresses: tuple[str, ...], port: int, default_host: str | None,
                        forge: Callable[[str], tuple[pathlib.Path, pathlib.Path]]) -> None:
        """Ends TLS with forged certificates and passes the content on to the true site."""
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            name = writer.get_extra_info("ssl_object").lab_name or default_host
            address = self.where_is(name) if name else None
            if address:
                trusting = ssl._create_unverified_context()  # noqa: S323 - the site is the lab's own
                far = await asyncio.open_connection(address, 443, ssl=trusting, server_hostname=name)
                await join((reader, writer), far)

        contexts: dict[str, ssl.SSLContext] = {}

        def context_for(name: str) -> ssl.SSLContext:
            if name not in contexts:
                contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                contexts[name].load_cert_chain(*forge(name))
            return contexts[name]

        def choose(socket: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            socket.lab_name = name
            if name or default_host:
                socket.context = context_for(name or default_host)

        outer = context_for(default_host or "intercepted.example")
        outer.sni_callback = choose
        for address in addresses:
            await start(handle, address, port, outer)

    async def _pass_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, name = await read_hello(reader)
        address = self.where_is(name) if name else None
        if address:
            await join((reader, writer), await asyncio.open_connection(address, 443), first)

    async def _pass_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        address = self.where_is(request.host)
        if address:
            await join((reader, writer), await asyncio.open_connection(address, 80), write_request(request))


def write_request(request: Request) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


async def start(handler, address: str, port: int, context: ssl.SSLContext | None = None) -> None:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, NotHttp, ssl.SSLError):
            pass  # whoever called has gone, or spoke something else
        finally:
            writer.close()

    family_is_four = is_ip4(str(ipaddress.ip_address(address)))
    await asyncio.start_server(guarded, address, port, ssl=context,
                               **({} if family_is_four else {"flags": 0}))
