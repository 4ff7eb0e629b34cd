"""What the templates see: every decision is taken before, so that they only loop and choose."""

from __future__ import annotations

from dataclasses import dataclass

from redislua.codegen.arguments import ParameterView


@dataclass(frozen=True, slots=True)
class FieldView:
    """One attribute of a generated class."""

    name: str
    annotation: str


@dataclass(frozen=True, slots=True)
class ClassView:
    """One frozen dataclass: a variant, a row, or the keys of a script.

    Attributes:
        decorator: What makes it one.
        name: Its name.
        doc: Its docstring.
        fields: Its attributes.
    """

    decorator: str
    name: str
    doc: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    """One ``case`` of a decoder: the pattern, what must hold besides, and what it returns."""

    pattern: str
    guard: str
    result: str


@dataclass(frozen=True, slots=True)
class DecoderView:
    """One decoder: of a whole reply, or of a row."""

    name: str
    returns: str
    constant: str
    cases: tuple[CaseView, ...]


@dataclass(frozen=True, slots=True)
class BuilderView:
    """A function that builds keys or channels.

    Attributes:
        name: Its name.
        returns: Its class.
        doc: Its docstring.
        constant: The script's constant.
        parameters: Its parameters.
        locals: Encoded placeholders: local name and expression.
        fields: Attribute and expression for each key.
    """

    name: str
    returns: str
    doc: str
    constant: str
    parameters: tuple[ParameterView, ...]
    locals: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CallView:
    """What a script's function makes its `Call` of.

    Attributes:
        locals: Encoded placeholders, and channels: local name and expression.
        keys: The tuple of KEYS.
        arguments: The tuple of ARGV.
        channels: The tuple of channels, or ``""`` when there are none.
    """

    locals: tuple[tuple[str, str], ...]
    keys: str
    arguments: str
    channels: str


@dataclass(frozen=True, slots=True)
class SettingsView:
    """A function that encodes the arguments that callers repeat.

    Attributes:
        name: Its name.
        parameters: Its parameters, in the order of ARGV.
        parts: The expression of each.
    """

    name: str
    parameters: tuple[ParameterView, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowEncoderView:
    """A function that encodes one row of an argument's group."""

    name: str
    row: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorView:
    """One exception class, and the code that raises it."""

    name: str
    doc: str
    code: str


@dataclass(frozen=True, slots=True)
class ScriptView:
    """Everything that one script adds to its module."""

    name: str
    full_name: str
    version: str
    file: str
    sha1: str
    source: tuple[str, ...]
    read_only: bool
    retry: str
    requires: tuple[tuple[str, tuple[int, ...]], ...]
    summary: str
    doc: str
    deprecated: str
    constant: str
    reply: str
    reply_doc: str
    variants: tuple[str, ...]
    bare: str
    parameters: tuple[ParameterView, ...]
    classes: tuple[ClassView, ...]
    builders: tuple[BuilderView, ...]
    call: CallView
    settings: tuple[SettingsView, ...]
    row_encoders: tuple[RowEncoderView, ...]
    decoders: tuple[DecoderView, ...]
    errors: tuple[ErrorView, ...]


@dataclass(frozen=True, slots=True)
class ModuleView:
    """One family's module."""

    family: str
    folder: str
    digest: str
    blocking: str
    asynchronous: str
    scripts: tuple[ScriptView, ...]
    errors: tuple[ErrorView, ...]

    @property
    def exports(self) -> tuple[str, ...]:
        """``__all__``: constants, classes, functions, as linters sort it."""
        names = {self.blocking, self.asynchronous, "SCRIPTS"}
        names |= {error.name for error in self.errors}
        for script in self.scripts:
            names |= {script.name, script.reply}
            names |= {view.name for view in script.classes}
            names |= {builder.name for builder in script.builders}
        return tuple(sorted(names, key=_export_order))


def _export_order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
