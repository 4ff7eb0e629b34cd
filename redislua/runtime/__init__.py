"""How a script is called: what generated modules import, and what runs their calls."""

from redislua.runtime import decode, encode
from redislua.runtime.aio import arun, arun_many
from redislua.runtime.blocking import run, run_many
from redislua.runtime.bound import AsyncBindings, Bindings
from redislua.runtime.call import Call, RetryClass, Script
from redislua.runtime.clients import AsyncClient, BlockingClient
from redislua.runtime.configure import configure
from redislua.runtime.encode import new_owner
from redislua.runtime.plan import DEFAULT_DEADLINE
from redislua.runtime.warm import awarm, warm

__all__ = [
    "DEFAULT_DEADLINE",
    "AsyncBindings",
    "AsyncClient",
    "Bindings",
    "BlockingClient",
    "Call",
    "RetryClass",
    "Script",
    "arun",
    "arun_many",
    "awarm",
    "configure",
    "decode",
    "encode",
    "new_owner",
    "run",
    "run_many",
    "warm",
]
