"""Each caller gets the reply of its own call, whatever the server says."""

from __future__ import annotations

from typing import Any

import pytest

from redislua.errors import OutcomeUnknown
from tests.runtime.callers import Caller
from tests.runtime.coalescing.crowd import at_once, echo
from tests.runtime.proxy import Proxy


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_reply_too_many_never_meets_the_next_call(
    caller: Caller, proxy: Proxy, opened: Any, protocol: int
) -> None:
    client = opened(proxy.url, protocol=protocol)
    caller.run(client, echo(0))
    proxy.arm("answer", reply=b"$1\r\nA\r\n$1\r\nB\r\n")

    caller.run(client, echo(1))

    assert caller.run(client, echo(2)) == b"2"


@pytest.mark.parametrize("protocol", [2, 3])
def test_half_a_reply_too_many_never_meets_the_next_call(
    caller: Caller, proxy: Proxy, opened: Any, protocol: int
) -> None:
    client = opened(proxy.url, protocol=protocol)
    caller.run(client, echo(0))
    proxy.arm("answer", reply=b"$1\r\nA\r\n$3\r\n")

    caller.run(client, echo(1))

    assert caller.run(client, echo(2)) == b"2"


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\xfe", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$x\r\n"]
)
def test_what_is_no_resp_is_no_reply(
    caller: Caller, proxy: Proxy, opened: Any, garbage: bytes
) -> None:
    client = opened(proxy.url)
    caller.run(client, echo(0))
    proxy.arm("answer", reply=garbage)

    with pytest.raises(OutcomeUnknown):
        caller.run(client, echo(1))

    assert at_once(caller, client, [echo(n) for n in range(9)]) == [b"%d" % n for n in range(9)]
