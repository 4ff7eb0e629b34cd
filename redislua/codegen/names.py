"""What generated things are called, and that no two of them are called the same.

A clash is an error that names both sides. A suffix would hide it until the day one
of the two is removed and every caller breaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redislua.errors import GenerateError
from redislua.spec.model import Group, Script, Variant
from redislua.spec.registry import Registry

IMPORTED = (
    "Any",
    "AsyncBindings",
    "Bindings",
    "Call",
    "Literal",
    "Mapping",
    "Script",
    "ScriptError",
    "Sequence",
    "TypeAlias",
    "UnexpectedReplyError",
    "cast",
    "dataclass",
    "decode",
    "encode",
    "timedelta",
    "warnings",
)
"""Names that a generated module may import."""

FOR_SEVERAL = frozenset({"Mapping", "Sequence"})
"""Those that it imports only where a parameter takes several values."""

BUILTINS = ("bool", "bytes", "float", "int", "str", "tuple", "type")
"""Builtins that a generated module refers to; a script may be called like any other."""

IN_FUNCTIONS = frozenset({"Call", "encode", "timedelta", "tuple", "warnings"})
"""What a generated function's body refers to: no parameter may hide it."""

IN_DECODERS = frozenset({"bytes", "cast", "decode", "int", "reply", "tuple", "type"})
"""What a generated decoder refers to: no field may hide it."""


def pascal(name: str) -> str:
    """``get_or_lock`` as ``GetOrLock``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@dataclass(frozen=True, slots=True)
class Names:
    """The generated names of one script.

    Attributes:
        function: ``gcra``, or ``gcra_v1`` for an older major.
        stem: What its classes start with: ``Gcra``, ``GcraV1``.
    """

    function: str
    stem: str

    @property
    def constant(self) -> str:
        """The module's `Script` value."""
        return f"_{self.function.upper()}"

    @property
    def keys_function(self) -> str:
        """The function that builds the keys."""
        return f"{self.function}_keys"

    @property
    def keys_class(self) -> str:
        """What it returns."""
        return f"{self.stem}Keys"

    @property
    def channels_function(self) -> str:
        """The function that builds the channels."""
        return f"{self.function}_channels"

    @property
    def channels_class(self) -> str:
        """What it returns."""
        return f"{self.stem}Channels"

    @property
    def settings(self) -> str:
        """The encoder of the arguments that callers repeat."""
        return f"_{self.function}_settings"

    @property
    def decoder(self) -> str:
        """The reply's decoder."""
        return f"_decode_{self.function}"

    @property
    def reply(self) -> str:
        """The union of the variants."""
        return f"{self.stem}Reply"

    def variant(self, variant: Variant) -> str:
        """The class of one variant."""
        return f"{self.stem}{variant.name}"

    def reply_row(self, variant: Variant) -> str:
        """The row class of a variant's group."""
        return f"{self.stem}{variant.name}Row"

    def row_decoder(self, variant: Variant) -> str:
        """The decoder of one row of a variant's group."""
        return f"{self.decoder}_{variant.name.lower()}_row"

    def row_encoder(self, group: Group) -> str:
        """The encoder of one row of an argument's group."""
        return f"_encode_{self.function}_{group.name}"

    def argument_row(self, group: Group) -> str:
        """The row class of an argument's group."""
        return f"{self.stem}{pascal(group.name)}Row"


def names_of(registry: Registry, script: Script) -> Names:
    """The generated names of a script."""
    function = registry.callable_name(script)
    stem = pascal(script.name)
    return Names(function, stem if registry.is_newest(script) else f"{stem}V{script.major}")


def error_class(name: str) -> str:
    """The exception class of an ``@error``."""
    return f"{name}Error"


def surface_classes(family: str) -> tuple[str, str]:
    """The blocking and the asyncio class of a family."""
    return pascal(family), f"Async{pascal(family)}"


def check_clashes(registry: Registry, family: str, scripts: Iterable[Script]) -> None:
    """Raise `GenerateError` with every clash of names in one family's module."""
    scripts = tuple(scripts)
    takes_several = any(script.spread or script.groups for script in scripts)
    imported = [name for name in IMPORTED if takes_several or name not in FOR_SEVERAL]
    taken = dict.fromkeys(imported, "an import of the module")
    taken |= dict.fromkeys(BUILTINS, "a builtin that the module uses")
    taken["SCRIPTS"] = "the module's list of scripts"
    problems: list[str] = []

    def claim(name: str, owner: str) -> None:
        held = taken.setdefault(name, owner)
        if held is not owner:
            problems.append(f"{name}: {owner} clashes with {held}")

    for name in surface_classes(family):
        claim(name, f"the class of family {family}")
    errors: dict[str, str] = {}
    for script in scripts:
        names = names_of(registry, script)
        for name, role in _claims(names, script):
            claim(name, f"{role} of {script.file}")
        for error in script.errors:
            if error.name not in errors:
                errors[error.name] = script.file
                claim(error_class(error.name), f"error {error.name} of {script.file}")
        problems.extend(_hidden(names, script))
    if problems:
        raise GenerateError("\n".join(problems))


def _claims(names: Names, script: Script) -> Iterable[tuple[str, str]]:
    yield names.function, "the function"
    yield names.constant, "the constant"
    yield names.settings, "the settings encoder"
    yield names.decoder, "the decoder"
    yield names.keys_function, "the keys function"
    yield names.keys_class, "the keys class"
    if script.channels:
        yield names.channels_function, "the channels function"
        yield names.channels_class, "the channels class"
    yield names.reply, "the reply type"
    for group in script.groups:
        yield names.argument_row(group), f"the row class of argument {group.name}"
        yield names.row_encoder(group), f"the row encoder of argument {group.name}"
    for variant in script.variants:
        yield names.variant(variant), f"variant {variant.name}"
        if variant.group:
            yield names.reply_row(variant), f"the row class of variant {variant.name}"
            yield names.row_decoder(variant), f"the row decoder of variant {variant.name}"


def _hidden(names: Names, script: Script) -> Iterable[str]:
    """Parameters and fields that would hide what the generated bodies refer to."""
    used = IN_FUNCTIONS | {names.function}
    parameters = [*script.placeholders]
    parameters += [arg.name for arg in script.args]
    parameters += [group.name for group in script.groups]
    for name in parameters:
        if name in used:
            yield f"{name}: a parameter of {script.file} hides a name that the function uses"
    for variant in script.variants:
        fields = [field.name for field in variant.fields]
        if variant.group:
            fields += [variant.group.name, *(column.name for column in variant.group.columns)]
        for name in fields:
            if name in IN_DECODERS:
                yield f"{name}: a field of {script.file} hides a name that the decoder uses"
