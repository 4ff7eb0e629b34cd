"""How values become bytes in a cache, and back: JSON by default.

`MsgspecCodec` needs msgspec. `PickleCodec` runs code of whoever can write to the server:
choose it only where nobody else can.
"""

from __future__ import annotations

import importlib
import json
from typing import Any, Protocol, TypeVar

__all__ = ["BYTES", "JSON", "BytesCodec", "Codec", "JsonCodec", "MsgspecCodec", "PickleCodec"]

T = TypeVar("T")


class Codec(Protocol[T]):
    """A way to write values as bytes.

    What either method raises is an error of this one value: it reaches the caller, or the
    key's own result where there are several.
    """

    def encode(self, value: T, /) -> bytes:
        """Write a value."""

    def decode(self, data: bytes, /) -> T:
        """Read what `encode` wrote."""


class JsonCodec:
    """JSON in UTF-8, without spaces. NaN and infinity are refused: JSON has none."""

    def encode(self, value: Any, /) -> bytes:
        """Write a value; a tuple comes back as a list."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def decode(self, data: bytes, /) -> Any:
        """Read a value."""
        return json.loads(data)


class BytesCodec:
    """Bytes as they are."""

    def encode(self, value: bytes, /) -> bytes:
        """Return the bytes; anything else is refused."""
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} is not bytes: give the cache another codec")
        return value

    def decode(self, data: bytes, /) -> bytes:
        """Return the bytes."""
        return data


class MsgspecCodec:
    """MessagePack by msgspec, checked against a type when read.

    Args:
        kind: What values are: a `msgspec.Struct`, a dataclass, ``dict[str, int]``...
    """

    def __init__(self, kind: Any = Any) -> None:
        msgpack = importlib.import_module("msgspec.msgpack")
        self._encoder = msgpack.Encoder()
        self._decoder = msgpack.Decoder(kind)

    def encode(self, value: Any, /) -> bytes:
        """Write a value."""
        data: bytes = self._encoder.encode(value)
        return data

    def decode(self, data: bytes, /) -> Any:
        """Read a value of the type."""
        return self._decoder.decode(data)


class PickleCodec:
    """Pickle: any Python value, for servers that nobody else can write to.

    Reading a pickle runs what its author wants.
    """

    def __init__(self) -> None:
        self._pickle = importlib.import_module("pickle")

    def encode(self, value: Any, /) -> bytes:
        """Write a value."""
        data: bytes = self._pickle.dumps(value, protocol=5)
        return data

    def decode(self, data: bytes, /) -> Any:
        """Read a value, which runs whatever it says."""
        return self._pickle.loads(data)


JSON = JsonCodec()
BYTES = BytesCodec()
