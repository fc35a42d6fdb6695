"""What the service needs of the machine before it starts: a folder to write and a free port. Floor 3."""

import errno
import os
import socket
import tempfile
from pathlib import Path

from recsys.commands.outcome import Unavailable, UsageError, existing_log
from recsys.config import Settings


def check_surroundings(settings: Settings) -> None:
    """Raise Unavailable or UsageError, with the mend, before anything is read or written."""
    check_folder(settings.data_dir)
    check_port(settings.host, settings.port)


def check_folder(folder: Path) -> None:
    """Make the folder if need be, and a file in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Unavailable(
            f"the data directory {folder} cannot be written: {error.strerror}; "
            "give this user the right to, or name another one with --data-dir or DATA_DIR"
        ) from error


def writable_log(data_dir: Path) -> Path:
    """Return the log of a data directory, for a command that appends to it if no service does. Raises Unavailable."""
    log = existing_log(data_dir)
    check_folder(data_dir)
    return log


def check_port(host: str, port: int) -> None:
    """Bind the port on each address of the host and let go of it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"HOST: found {host!r}, allowed is an address or a host name of this machine: {error}"
        ) from error
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as the event loop does
            try:
                probe.bind(address)
            except OSError as error:
                raise Unavailable(f"cannot listen on port {port} of {address[0]}: {reason(error)}") from error


def reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "it is in use; stop what listens there, or choose another port with --port or PORT"
    return f"{os.strerror(error.errno or 0)}; choose another with --host and --port"
