"""A wide link: what goes over it arrives later, and nothing of it costs either host more CPU."""
import asyncio
import os
import socket


async def carry(reader, writer, delay_s):
    """Each piece on its own, so that many are on their way at once."""
    loop, last = asyncio.get_running_loop(), asyncio.Queue()

    async def arrive():
        while True:
            when, octets = await last.get()
            await asyncio.sleep(max(0, when - loop.time()))
            if not octets:
                writer.write_eof()
                return
            writer.write(octets)
    arriving = asyncio.ensure_future(arrive())
    octets = b"-"
    while octets:
        octets = await reader.read(65536)
        last.put_nowait((loop.time() + delay_s, octets))
    await arriving


def start(links, round_trip_ms):
    """A process with a listener on each address, port 25, that leads to the other of its pair; its number."""
    socks = [(socket.create_server((here, 25), backlog=100), there) for here, there in links]
    pid = os.fork()
    if pid:
        for sock, _ in socks:
            sock.close()
        return pid
    delay_s = round_trip_ms / 2000

    async def main():
        for sock, there in socks:
            async def connected(reader, writer, there=there):
                # the caller is connected already: this is the round trip of that
                await asyncio.sleep(2 * delay_s)
                try:
                    far_reader, far_writer = await asyncio.open_connection(there, 25)
                    await asyncio.gather(carry(reader, far_writer, delay_s), carry(far_reader, writer, delay_s))
                    far_writer.close()
                except OSError:
                    pass
                writer.close()
            await asyncio.start_server(connected, sock=sock)
        await asyncio.Event().wait()
    try:
        asyncio.run(main())
    finally:
        os._exit(1)
