"""How an object becomes the fields of a hash, and back: by the annotations of its class."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union

from redislua.errors import InvalidArgumentType, InvalidArgumentValue, RedisLuaError
from redislua.patterns.codecs import Codec

__all__ = ["MOST_FIELDS", "BadRecord", "Layout"]

T = TypeVar("T")

MOST_FIELDS = 64
"""Fields of a record, as its scripts take them."""

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_BOOLS = {b"1": True, b"0": False}
_PLAIN = (str, bytes, bool, int, float)


class BadRecord(RedisLuaError):
    """What is stored under a key is no such record.

    Attributes:
        key: The key.
        reason: Why not.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} holds another record: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: Its name, in the class and in the hash.
        kind: `str`, `bytes`, `bool`, `int` or `float`; None where the codec writes it.
        is_optional: None is a value, and is stored by leaving the field out.
        has_default: The class fills it in.
    """

    name: str
    kind: type | None
    is_optional: bool
    has_default: bool

    @property
    def may_be_absent(self) -> bool:
        """Whether a record without it can be read."""
        return self.is_optional or self.has_default


class Layout(Generic[T]):
    """The fields of one class.

    Attributes:
        fields: By name, in the order of the class.
    """

    def __init__(self, kind: type[T], codec: Codec[Any]) -> None:
        """Read the annotations.

        Args:
            kind: A dataclass of up to 64 fields.
            codec: Writes what is no str, bytes, bool, int or float.

        Raises:
            InvalidArgument: It is none.
        """
        if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
            raise InvalidArgumentType("RecordStore", "kind", kind, "a dataclass")
        found = dataclasses.fields(kind)
        if not 0 < len(found) <= MOST_FIELDS or not all(one.init for one in found):
            expected = f"1 to {MOST_FIELDS} fields, each a parameter of the class"
            raise InvalidArgumentValue("RecordStore", "kind", kind.__name__, expected)
        hints = typing.get_type_hints(kind)
        self._make: type[T] = kind
        self._codec = codec
        self._defaults = {
            one.name: one.default for one in found if one.default is not dataclasses.MISSING
        }
        self.fields: Mapping[str, Field] = {one.name: _field(one, hints[one.name]) for one in found}

    def stored(self, values: Mapping[str, Any], caller: str) -> tuple[dict[str, bytes], list[str]]:
        """What is written, and the names of those that are left out since they are None.

        Raises:
            InvalidArgument: A value is not of its field's type, or there is no such field.
        """
        sets: dict[str, bytes] = {}
        absent: list[str] = []
        for name, value in values.items():
            field = self._known(name, caller)
            if value is None and field.is_optional:
                absent.append(name)
            else:
                sets[name] = self._encoded(field, value, caller)
        return sets, absent

    def values(self, record: T, caller: str) -> dict[str, Any]:
        """The values of an object of the class.

        Raises:
            InvalidArgumentType: It is of another class.
        """
        if not isinstance(record, self._make):
            raise InvalidArgumentType(caller, "record", record, f"a {self._make.__name__}")
        return {name: getattr(record, name) for name in self.fields}

    def loaded(self, key: str, stored: Mapping[str, bytes]) -> T:
        """The object whose fields these are.

        Raises:
            BadRecord: A field is missing that the class has no value for, or cannot be read.
        """
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name in stored:
                values[name] = self._decoded(key, field, stored[name])
            elif field.is_optional:
                values[name] = None
            elif not field.has_default:
                raise BadRecord(key, f"it has no field {name!r}")
        return self._make(**values)

    def counter(self, name: str, *, creates: bool) -> str:
        """The name of a field that can be added to.

        Raises:
            InvalidArgumentValue: It is no integer that counts from 0, or a record that has
                nothing else could not be read.
        """
        field = self._known(name, "RecordStore.increment")
        if field.kind is not int or self._defaults.get(name) not in (None, 0):
            expected = "an integer field, with no default but 0: a new one counts from there"
            raise InvalidArgumentValue("RecordStore.increment", "field", name, expected)
        needed = [one.name for one in self.fields.values() if not one.may_be_absent]
        if creates and set(needed) - {name}:
            expected = f"no create, since a record needs {', '.join(needed)}"
            raise InvalidArgumentValue("RecordStore.increment", "create", creates, expected)
        return name

    def _known(self, name: str, caller: str) -> Field:
        field = self.fields.get(name)
        if field is None:
            raise InvalidArgumentValue(caller, "field", name, f"one of {', '.join(self.fields)}")
        return field

    def _encoded(self, field: Field, value: Any, caller: str) -> bytes:
        if field.kind is None:
            return self._codec.encode(value)
        if field.kind is float and type(value) is int:
            value = float(value)
        is_other = isinstance(value, bool) and field.kind is int
        if is_other or not isinstance(value, field.kind):
            raise InvalidArgumentType(caller, field.name, value, f"of {field.kind.__name__}")
        match value:
            case bytes():
                return value
            case str():
                return value.encode()
            case float():
                return repr(float(value)).encode()
        return b"%d" % int(value)  # type: ignore[call-overload]  # a bool or an int

    def _decoded(self, key: str, field: Field, text: bytes) -> Any:
        try:
            if field.kind is None:
                return self._codec.decode(text)
            if field.kind is bytes:
                return text
            if field.kind is bool:
                return _BOOLS[text]
            if field.kind is int and not _INTEGER.fullmatch(text.decode()):
                raise ValueError("it is no integer")
            return field.kind(text.decode())
        except Exception as error:
            raise BadRecord(key, f"{field.name!r} is {text[:64]!r}: {error}") from error


def _field(one: dataclasses.Field[Any], hint: Any) -> Field:
    options = typing.get_args(hint)
    is_union = typing.get_origin(hint) in (Union, types.UnionType)
    is_optional = is_union and types.NoneType in options
    others = [option for option in options if option is not types.NoneType]
    plain = others[0] if is_optional and len(others) == 1 else hint
    has_default = not (
        one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    )
    return Field(one.name, plain if plain in _PLAIN else None, is_optional, has_default)
