"""The connections that the kernel has accepted on a listening socket, and the service not yet. Floor 3.

Closing the socket resets them, though their clients may have sent a request. So newcomers are turned away first, and
the socket is closed once the queue is empty.
"""

import ctypes
import select
import socket
import struct
import sys
from contextlib import suppress
from typing import Final, Protocol

SO_ATTACH_FILTER: Final = 26  # of Linux on every common processor; Python does not name it
SYN: Final = 0x02
ACK: Final = 0x10
# A classic BPF program over a TCP header: (code, jump if true, jump if false, operand). It drops what opens a
# connection and lets pass what completes one that was opened before.
SYN_FILTER: Final = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the flags' byte
        (0x54, 0, 0, SYN | ACK),  # keep these two
        (0x15, 0, 1, SYN),  # SYN alone?
        (0x06, 0, 0, 0),  # drop
        (0x06, 0, 0, 0xFFFFFFFF),  # pass
    )
)


class Listener(Protocol):
    """A listening socket as event loops show theirs: one may look, but not set."""

    @property
    def family(self) -> int: ...
    def fileno(self) -> int: ...


def turn_away_newcomers(listener: Listener) -> None:
    """Have the kernel drop requests for new connections: clients repeat them a second later, and are refused then.

    Outside Linux, and where a sandbox forbids it, nothing is done; what is opened in the moment of closing is reset.
    """
    if sys.platform != "linux":
        return
    instructions = ctypes.create_string_buffer(SYN_FILTER, len(SYN_FILTER))
    program = struct.pack("HP", len(SYN_FILTER) // 8, ctypes.addressof(instructions))
    with socket.fromfd(listener.fileno(), listener.family, socket.SOCK_STREAM) as shared, suppress(OSError):
        shared.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def has_waiting(listener: Listener) -> bool:
    """Return whether there are connections in the queue."""
    poll = select.poll()
    poll.register(listener.fileno(), select.POLLIN)
    return bool(poll.poll(0))
