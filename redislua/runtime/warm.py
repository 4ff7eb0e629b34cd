"""Load the scripts of generated modules ahead of their first call."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from redislua.runtime import aio, blocking
from redislua.runtime.call import Script
from redislua.runtime.clients import AsyncClient, BlockingClient
from redislua.runtime.plan import DEFAULT_DEADLINE, ends, load
from redislua.runtime.pools import async_pools, pools

__all__ = ["ScriptModule", "awarm", "warm"]


class ScriptModule(Protocol):
    """A generated module.

    Attributes:
        SCRIPTS: Every script of the module.
    """

    @property
    def SCRIPTS(self) -> tuple[Script, ...]: ...  # noqa: N802 - a module's constant


def warm(
    client: BlockingClient,
    *modules: ScriptModule,
    deadline: timedelta | float = DEFAULT_DEADLINE,
) -> list[str]:
    """Load every script of the modules on every node, and return their sha1 digests.

    Calls load what is missing by themselves; warming moves that to start-up and shows
    there whether this user may load scripts.

    Raises:
        AccessDenied: This user may not run SCRIPT LOAD.
        ScriptFault: The server does not compile a script.
        NotExecuted, OutcomeUnknown: The server could not be reached or did not answer.
    """
    until = ends("warm", deadline)
    pool = pools.of(client)
    plan = load(_scripts(modules), topology=pool.topology, until=until)
    return blocking.drive(pool, plan, until)


async def awarm(
    client: AsyncClient,
    *modules: ScriptModule,
    deadline: timedelta | float = DEFAULT_DEADLINE,
) -> list[str]:
    """Load every script of the modules: `warm` for asyncio clients."""
    until = ends("awarm", deadline)
    pool = async_pools.of(client)
    plan = load(_scripts(modules), topology=pool.topology, until=until)
    return await aio.drive(pool, plan, until)


def _scripts(modules: tuple[ScriptModule, ...]) -> list[Script]:
    return [script for module in modules for script in module.SCRIPTS]
