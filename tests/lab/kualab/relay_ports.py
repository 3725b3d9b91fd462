"""Carries connections between a port of this machine and one inside a stage, over a Unix socket: files are
the one thing that both can see."""
from __future__ import annotations

import asyncio
import pathlib

from .relays import join


def forget_errors(handler):
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except OSError:
            pass  # the other side has gone
        finally:
            writer.close()
    return guarded


async def from_socket_to_port(path: pathlib.Path, address: str, port: int) -> None:
    """Inside: whoever connects to the socket reaches the port."""
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join((reader, writer), await asyncio.open_connection(address, port))
    await asyncio.start_unix_server(forget_errors(handle), str(path))


async def from_port_to_socket(port: int, path: pathlib.Path) -> None:
    """Outside: whoever connects to the port on loopback reaches the socket."""
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await join((reader, writer), await asyncio.open_unix_connection(str(path)))
    await asyncio.start_server(forget_errors(handle), "127.0.0.1", port)
