"""Parses generated text back and compares it with what it was made from.

The quoting filters are meant to make this impossible to fail. It is here because a
header is input from somebody else, and its text ends up in a program.
"""

from __future__ import annotations

import ast
import inspect

from redislua.codegen.view import ModuleView, ScriptView
from redislua.errors import GenerateError


def verify_module(view: ModuleView, text: str) -> None:
    """Raise `GenerateError` unless the text holds exactly the view's texts and sources."""
    tree = ast.parse(text)
    _same_shape(view, tree)
    found = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for error in view.errors:
        _same_doc(view, found[error.name], error.doc)
    for script in view.scripts:
        _same_doc(view, found[script.name], script.doc)
        for cls in script.classes:
            _same_doc(view, found[cls.name], cls.doc)
        _same_source(view, tree, script)


_TOP_LEVEL = (
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
    ast.ClassDef,
    ast.FunctionDef,
    ast.Expr,
)


def _same_shape(view: ModuleView, tree: ast.Module) -> None:
    """Nothing stands at the top level but what the templates put there."""
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not isinstance(node, _TOP_LEVEL) or (isinstance(node, ast.Expr) and not docstring):
            raise GenerateError(f"{view.family}: unexpected statement in line {node.lineno}")


def _same_doc(view: ModuleView, node: ast.AST, expected: str) -> None:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef):
        raise GenerateError(f"{view.family}: a definition is missing")
    found = ast.get_docstring(node) or ""
    if _words(found) != _words(expected):
        raise GenerateError(f"{view.family}: the text of {node.name} did not survive quoting")


def _words(text: str) -> list[str]:
    """Lines without trailing blanks: the formatter takes those away."""
    return [line.rstrip() for line in inspect.cleandoc(text).split("\n")]


def _same_source(view: ModuleView, tree: ast.Module, script: ScriptView) -> None:
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        if node.targets[0].id == script.constant and isinstance(node.value, ast.Call):
            given = {word.arg: word.value for word in node.value.keywords}
            source = ast.literal_eval(given["source"])
            expected = b"".join(ast.literal_eval(line) for line in script.source)
            if source == expected and ast.literal_eval(given["sha1"]) == script.sha1:
                return
    raise GenerateError(f"{view.family}: the source of {script.name} did not survive quoting")
