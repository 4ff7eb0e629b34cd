"""The limit for one blocking caller: a socket, prepared bytes, and hiredis to read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import hiredis

from ..workload import Target, is_raw_allowed
from . import Blocking

READ_BYTES = 65_536
SUBJECT_BYTES = len("user:000000000000")  # all subjects are of this length


@contextmanager
def _bare(target: Target) -> Iterator[Callable[[str], object]]:
    length = len(target.before) + SUBJECT_BYTES + len(target.after)
    arguments = [str(argument).encode() for argument in target.args]
    head = b"*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$1\r\n1\r\n$%d\r\n%b" % (
        4 + len(arguments),
        target.sha1.encode(),
        length,
        target.before.encode(),
    )
    tail = target.after.encode() + b"\r\n"
    tail += b"".join(b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments)
    with socket.create_connection((target.host, target.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        send, receive = connection.sendall, connection.recv
        reader = hiredis.Reader()
        feed, gets = reader.feed, reader.gets

        def call(subject: str) -> object:
            send(head + subject.encode() + tail)
            feed(receive(READ_BYTES))
            while (reply := gets()) is False:
                feed(receive(READ_BYTES))
            return reply

        yield call


BARE = Blocking(_bare, is_raw_allowed)
