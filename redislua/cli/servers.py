"""The options that say which server a verb works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Verb = TypeVar("Verb", bound=Callable[..., Any])

KINDS = "embedded, binary:/path/to/redis-server, or container:redis:8.2"


def server_option(verb: Verb) -> Verb:
    """Add ``--server KIND``: a server of our own, gone when the verb ends."""
    return click.option(
        "--server",
        "kind",
        default="embedded",
        show_default=True,
        metavar="KIND",
        help=f"A server started for this run: {KINDS}.",
    )(verb)
