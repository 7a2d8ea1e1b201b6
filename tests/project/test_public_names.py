"""Nothing is public by accident: ``__all__`` says exactly what a module offers.

Its order is ruff's business (RUF022: constants, classes, functions).
"""

from __future__ import annotations

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _top_level(body):
    """Yield the statements that run at import, also those under if, try and with."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _top_level(node.body)
            yield from _top_level(getattr(node, "orelse", []))
            yield from _top_level(getattr(node, "finalbody", []))
            for handler in getattr(node, "handlers", []):
                yield from _top_level(handler.body)


def _bound(node):
    """Give the names that a statement binds."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        targets = []
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def _all(source):
    """Give (node, names) of ``__all__``, or (None, []) where there is none."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in _bound(node):
            return node, ast.literal_eval(node.value)
    return None, []


def _faults(source):
    node, exported = _all(source)
    place = source.place(node) if node else f"{source.path}:1"
    statements = list(_top_level(source.tree.body))
    own = {
        name: statement
        for statement in statements
        if isinstance(statement, (*FUNCTIONS, ast.ClassDef))
        for name in _bound(statement)
        if not name.startswith("_")
    }
    if source.is_package:
        # What a folder's __init__ imports from its own files, it offers.
        own |= {
            name: statement
            for statement in statements
            if isinstance(statement, ast.ImportFrom)
            and (statement.module or "").startswith(f"{source.module}.")
            for name in _bound(statement)
        }
    for name in own:
        if name not in exported:
            yield f"{source.place(own[name])}: {name} is public, but not in __all__"
    bound = {name for statement in statements for name in _bound(statement)}
    for name in exported:
        if name not in bound:
            yield f"{place}: __all__ names {name}, bound nowhere"
        if name.startswith("_"):
            yield f"{place}: __all__ offers the private {name}"
    if len(set(exported)) < len(exported):
        yield f"{place}: __all__ repeats a name"


def test_all_holds_what_the_module_offers(sources):
    faults = [fault for source in sources for fault in _faults(source)]
    assert not faults, "\n".join(faults)


def test_nobody_reaches_for_a_private_name(sources):
    """A leading underscore means: this file only."""
    reached = [
        f"{source.place(node)} {alias.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("tfimpute_tracks")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not reached, f"private names imported: {', '.join(reached)}"
