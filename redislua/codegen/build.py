"""From the registry to what the templates see: all decisions about one family's module."""

from __future__ import annotations

import hashlib

from redislua.codegen import arguments, replies
from redislua.codegen.names import Names, check_clashes, error_class, names_of, surface_classes
from redislua.codegen.quoting import source_lines
from redislua.codegen.view import (
    BuilderView,
    CaseView,
    ClassView,
    DecoderView,
    ErrorView,
    FieldView,
    ModuleView,
    RowEncoderView,
    ScriptView,
)
from redislua.spec.model import Arg, Script, Variant
from redislua.spec.pattern import Pattern
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
    builders = [_keys_builder(script, names)]
    if script.channels:
        builders.append(_channels_builder(script, names))
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
        keys=tuple(f"{'*' if key.variadic else ''}_keys.{key.name}" for key in script.keys),
        channels=tuple(f"_channels.{channel.name}" for channel in script.channels),
        arguments=(
            *(arguments.encoder(names, arg, arg.name) for arg in script.args),
            *(f"_channels.{channel.name}" for channel in script.channels),
            *(arguments.group_encoder(names, group) for group in script.groups),
        ),
        row_encoders=tuple(_row_encoders(script, names)),
        decoders=tuple(_decoders(script, names)),
        errors=errors,
    )


# --- classes ---------------------------------------------------------------------------------


def _classes(script: Script, names: Names) -> list[ClassView]:
    views = []
    for variant in script.variants:
        if variant.group:
            row = names.reply_row(variant)
            doc = _class_doc(f"One row of `{names.variant(variant)}`.", variant.group.columns)
            views.append(ClassView(row, doc, _fields(variant.group.columns)))
        views.append(_variant_class(names, variant))
    for group in script.groups:
        row = names.argument_row(group)
        doc = f"One row of ``{group.name}``.\n\nAttributes:\n" + "\n".join(
            f"    {column.name}: {arguments.about(column)}" for column in group.columns
        )
        fields = tuple(
            FieldView(column.name, arguments.annotation(column)) for column in group.columns
        )
        views.append(ClassView(row, doc, fields))
    views.append(_keys_class(script, names))
    if script.channels:
        fields = tuple(FieldView(channel.name, "bytes") for channel in script.channels)
        doc = f"Channels that `{names.function}` publishes to."
        views.append(ClassView(names.channels_class, doc, fields))
    return views


def _variant_class(names: Names, variant: Variant) -> ClassView:
    doc = _class_doc(f"Reply ``{variant.name}`` of `{names.function}`.", variant.fields)
    fields = _fields(variant.fields)
    if variant.group:
        row = names.reply_row(variant)
        fields += (FieldView(variant.group.name, f"tuple[{row}, ...]"),)
        doc += "" if variant.fields else "\n\nAttributes:"
        doc += f"\n    {variant.group.name}: Rows, in the script's order."
    return ClassView(names.variant(variant), doc, fields)


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
    return ClassView(names.keys_class, doc, fields)


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


def _keys_builder(script: Script, names: Names) -> BuilderView:
    return BuilderView(
        name=names.keys_function,
        returns=names.keys_class,
        doc=f"Name the keys of `{names.function}`, for plain commands on them.",
        constant=names.constant,
        parameters=arguments.key_parameters(script, (key.pattern for key in script.keys)),
        locals=_locals(script, names, [key.pattern for key in script.keys]),
        fields=tuple(
            (key.name, _key_field(key.pattern, script.spread if key.variadic else None))
            for key in script.keys
        ),
    )


def _key_field(pattern: Pattern, spread: str | None) -> str:
    text = arguments.key_expression(pattern, spread=spread)
    return f"tuple([{text} for _item in {arguments.local(spread)}])" if spread else text


def _channels_builder(script: Script, names: Names) -> BuilderView:
    return BuilderView(
        name=names.channels_function,
        returns=names.channels_class,
        doc=f"Name the channels of `{names.function}`, to subscribe with SSUBSCRIBE.",
        constant=names.constant,
        parameters=arguments.key_parameters(
            script, (channel.pattern for channel in script.channels)
        ),
        locals=_locals(script, names, [channel.pattern for channel in script.channels]),
        fields=tuple(
            (channel.name, arguments.key_expression(channel.pattern, spread=None))
            for channel in script.channels
        ),
    )


def _locals(script: Script, names: Names, patterns: list[Pattern]) -> tuple[tuple[str, str], ...]:
    used = {name for pattern in patterns for name in pattern.placeholders}
    return tuple(
        (arguments.local(name), arguments.placeholder_encoder(script, names, name))
        for name in script.placeholders
        if name in used
    )


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
    views = []
    cases = []
    if script.bare:
        returns = replies.annotation(script.bare)
        cases.append(
            CaseView(
                replies.pattern(script.bare, "value"), replies.expression(script.bare, "value")
            )
        )
    else:
        returns = names.reply
    for variant in script.variants:
        cases.append(_case(names, variant))
        if variant.group:
            columns = variant.group.columns
            shape = ", ".join(replies.pattern(column.type, column.name) for column in columns)
            built = ", ".join(replies.expression(column.type, column.name) for column in columns)
            row = names.reply_row(variant)
            case = CaseView(f"[{shape}]", f"{row}({built})")
            views.append(DecoderView(names.row_decoder(variant), row, names.constant, (case,)))
    views.insert(0, DecoderView(names.decoder, returns, names.constant, tuple(cases)))
    return views


def _case(names: Names, variant: Variant) -> CaseView:
    tag = ascii(variant.name.encode())
    shape = [tag, *(replies.pattern(field.type, field.name) for field in variant.fields)]
    built = [replies.expression(field.type, field.name) for field in variant.fields]
    if variant.group:
        shape.append("*_rows")
        width = len(variant.group.columns)
        each = f"{names.row_decoder(variant)}(_row) for _row in decode.chunks(_rows, {width})"
        built.append(f"tuple([{each}])")
    return CaseView(f"[{', '.join(shape)}]", f"{names.variant(variant)}({', '.join(built)})")
