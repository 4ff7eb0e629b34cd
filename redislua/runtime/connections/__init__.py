"""The only package that touches the client library's connections.

A client's own pool retries: by default redis-py sends EVALSHA again up to ten times after a
lost reply. So each client gets a pool of redislua's own, made from the same connection
class and settings without retries, in which no write is repeated unseen.

What is used of redis-py and valkey-py is listed in ``tests/runtime/test_redis_py.py``.
"""

from redislua.runtime.connections.asynchronous import AsyncPool
from redislua.runtime.connections.blocking import Pool
from redislua.runtime.connections.cluster import AsyncClusterPool, ClusterPool, ClusterSource

__all__ = ["AsyncClusterPool", "AsyncPool", "ClusterPool", "ClusterSource", "Pool"]
