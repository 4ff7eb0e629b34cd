"""A registry of atomic Redis and Valkey operations.

Each operation is one versioned ``.lua`` file with a metadata header; typed
Python bindings, documentation and checks are made from that file.

An application imports ``redislua.bindings`` (or its own generated modules) and
``redislua.runtime``. Everything else is the toolchain behind the ``redislua``
command.
"""

__version__ = "0.1.0"
