"""From the registry to what the templates see: all decisions about one family's module."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from redislua.codegen import arguments, calls, replies
from redislua.codegen.names import Names, check_clashes, error_class, names_of, surface_classes
from redislua.codegen.quoting import source_lines
from redislua.codegen.view import (
    CaseView,
    ClassView,
    DecoderView,
    ErrorView,
    FieldView,
    ModuleView,
    RowEncoderView,
    ScriptView,
)
from redislua.spec.model import Arg, Script, Type, Variant
from redislua.spec.registry import Registry


def module_view(registry: Registry, family: str, folder: str) -> ModuleView:
    """Decide everything about one family's module.

    Args:
        registry: All scripts.
        family: The family.
        folder: The scripts folder as the project writes it, for the header comment.

    Raises:
        GenerateError: With every clash of names.
    """
    scripts = registry.families[family]
    check_clashes(registry, family, scripts)
    views = tuple(_script(registry, script) for script in scripts)
    errors = {error.name: error for view in views for error in view.errors}
    blocking, asynchronous = surface_classes(family)
    listing = "".join(f"{script.sha1}  {script.file}\n" for script in scripts)
    return ModuleView(
        family=family,
        folder=f"{folder}/{family}",
        digest=hashlib.sha256(listing.encode()).hexdigest(),
        blocking=blocking,
        asynchronous=asynchronous,
        scripts=views,
        errors=tuple(errors[name] for name in sorted(errors)),
    )


def _script(registry: Registry, script: Script) -> ScriptView:
    names = names_of(registry, script)
    errors = tuple(
        ErrorView(error_class(error.name), error.text, error.code) for error in script.errors
    )
    builders = [calls.keys_builder(script, names)]
    if script.channels:
        builders.append(calls.channels_builder(script, names))
    bare = replies.annotation(script.bare) if script.bare else ""
    return ScriptView(
        name=names.function,
        full_name=f"{script.family}.{names.function}",
        version=script.version,
        file=script.file,
        sha1=script.sha1,
        source=tuple(source_lines(script.source)),
        read_only=script.read_only,
        retry=script.retry,
        requires=tuple((bound.product, bound.version) for bound in script.requires),
        summary=script.summary,
        doc=_function_doc(script, names, errors),
        deprecated=script.deprecated,
        constant=names.constant,
        reply=names.reply,
        reply_doc=f"Every reply of `{names.function}`.",
        variants=tuple(names.variant(variant) for variant in script.variants),
        bare=bare,
        parameters=arguments.parameters(script, names),
        classes=tuple(_classes(script, names)),
        builders=tuple(builders),
        call=calls.call(script, names),
        settings=calls.settings(script, names),
        row_encoders=tuple(_row_encoders(script, names)),
        decoders=tuple(_decoders(script, names)),
        errors=errors,
    )


# --- classes ---------------------------------------------------------------------------------


_VALUE = "dataclass(frozen=True, slots=True)"
_REPLY = "decode.reply"


def _classes(script: Script, names: Names) -> list[ClassView]:
    views = []
    for variant in script.variants:
        if variant.group:
            row = names.reply_row(variant)
            doc = _class_doc(f"One row of `{names.variant(variant)}`.", variant.group.columns)
            views.append(ClassView(_REPLY, row, doc, _fields(variant.group.columns)))
        views.append(_variant_class(names, variant))
    for group in script.groups:
        row = names.argument_row(group)
        doc = f"One row of ``{group.name}``.\n\nAttributes:\n" + "\n".join(
            f"    {column.name}: {arguments.about(column)}" for column in group.columns
        )
        fields = tuple(
            FieldView(column.name, arguments.annotation(column)) for column in group.columns
        )
        views.append(ClassView(_VALUE, row, doc, fields))
    views.append(_keys_class(script, names))
    if script.channels:
        fields = tuple(FieldView(channel.name, "bytes") for channel in script.channels)
        doc = f"Channels that `{names.function}` publishes to."
        views.append(ClassView(_VALUE, names.channels_class, doc, fields))
    return views


def _variant_class(names: Names, variant: Variant) -> ClassView:
    doc = _class_doc(f"Reply ``{variant.name}`` of `{names.function}`.", variant.fields)
    fields = _fields(variant.fields)
    if variant.group:
        row = names.reply_row(variant)
        fields += (FieldView(variant.group.name, f"tuple[{row}, ...]"),)
        doc += "" if variant.fields else "\n\nAttributes:"
        doc += f"\n    {variant.group.name}: Rows, in the script's order."
    return ClassView(_REPLY, names.variant(variant), doc, fields)


def _keys_class(script: Script, names: Names) -> ClassView:
    fields = tuple(
        FieldView(key.name, "tuple[bytes, ...]" if key.variadic else "bytes") for key in script.keys
    )
    lines = [
        f"    {key.name}: ``{key.pattern.text}``, a {key.redis_type}"
        f"{' that expires' if key.expires else ''}."
        for key in script.keys
    ]
    doc = f"Keys of `{names.function}`.\n\nAttributes:\n" + "\n".join(lines)
    return ClassView(_VALUE, names.keys_class, doc, fields)


def _fields(columns: tuple[Arg, ...]) -> tuple[FieldView, ...]:
    return tuple(FieldView(column.name, replies.annotation(column.type)) for column in columns)


def _class_doc(summary: str, columns: tuple[Arg, ...]) -> str:
    if not columns:
        return summary
    lines = [f"    {column.name}: {replies.about(column)}" for column in columns]
    return f"{summary}\n\nAttributes:\n" + "\n".join(lines)


# --- functions -------------------------------------------------------------------------------


def _function_doc(script: Script, names: Names, errors: tuple[ErrorView, ...]) -> str:
    parts = [script.summary]
    if script.description:
        parts.append(script.description)
    if script.deprecated:
        parts.append(f"Deprecated: {script.deprecated}")
    lines = [f"    {view.name}: {view.about}" for view in arguments.parameters(script, names)]
    lines.append("    namespace: Put before every key, with a colon.")
    parts.append("Args:\n" + "\n".join(lines))
    if errors:
        raised = "\n".join(f"    {error.name}: {error.doc}" for error in errors)
        parts.append("Errors of the call, when it is run:\n" + raised)
    return "\n\n".join(parts)


def _row_encoders(script: Script, names: Names) -> list[RowEncoderView]:
    return [
        RowEncoderView(
            names.row_encoder(group),
            names.argument_row(group),
            tuple(
                arguments.encoder(names, column, f"row.{column.name}") for column in group.columns
            ),
        )
        for group in script.groups
    ]


# --- decoders --------------------------------------------------------------------------------


def _decoders(script: Script, names: Names) -> list[DecoderView]:
    if script.bare:
        returns = replies.annotation(script.bare)
        cases = [_bare_case(script.bare)]
    else:
        returns = names.reply
        cases = [_case(names, variant) for variant in script.variants]
    views = [DecoderView(names.decoder, returns, names.constant, tuple(cases))]
    for variant in script.variants:
        if variant.group:
            row = names.reply_row(variant)
            case = _fields_case(variant.group.columns, row)
            views.append(DecoderView(names.row_decoder(variant), row, names.constant, (case,)))
    return views


def _bare_case(of: Type) -> CaseView:
    return CaseView(
        replies.pattern(of, "value"), replies.guard(of, "value"), replies.expression(of, "value")
    )


def _case(names: Names, variant: Variant) -> CaseView:
    tag = ascii(variant.name.encode())
    if not variant.group:
        return _fields_case(variant.fields, names.variant(variant), [tag])
    width = len(variant.group.columns)
    each = f"{names.row_decoder(variant)}(_row) for _row in decode.chunks(_rows, {width})"
    return _fields_case(
        variant.fields, names.variant(variant), [tag], ["*_rows"], [f"tuple([{each}])"]
    )


def _fields_case(
    fields: tuple[Arg, ...],
    made: str,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
    besides: Sequence[str] = (),
) -> CaseView:
    """The case that makes ``made`` of the fields, and of what stands before and after them."""
    shape = [replies.pattern(field.type, field.name) for field in fields]
    guards = [replies.guard(field.type, field.name) for field in fields]
    built = [replies.expression(field.type, field.name) for field in fields]
    return CaseView(
        f"[{', '.join([*before, *shape, *after])}]",
        " and ".join(filter(None, guards)),
        f"{made}({', '.join([*built, *besides])})",
    )
