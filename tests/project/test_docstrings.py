"""A docstring names every parameter, no other, and says what comes back.

Read from the syntax tree, so a stale name in a Parameters section fails here.
"""

from __future__ import annotations

import ast
import inspect
import re

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# The docstring of a method that does what another one documents.
REFERENCE = re.compile(r"See :(meth|func):`~?[\w.]+`\.")
HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


def _sections(docstring):
    """Split a numpy docstring into {heading: text}; the summary stands under ''."""
    pieces = HEADING.split(inspect.cleandoc(docstring))
    return dict(zip(["", *pieces[1::2]], pieces[::2], strict=True))


def _described(section):
    """Give the names of a Parameters section, which stand at the margin."""
    lines = [line for line in section.splitlines() if line and not line[0].isspace()]
    return [name.strip() for line in lines for name in line.split(" : ")[0].split(",")]


def _parameters(function, is_method):
    arguments = function.args
    names = [a.arg for a in arguments.posonlyargs + arguments.args]
    if is_method and not _has_decorator(function, "staticmethod"):
        names = names[1:]
    if arguments.vararg:
        names.append(f"*{arguments.vararg.arg}")
    names += [a.arg for a in arguments.kwonlyargs]
    if arguments.kwarg:
        names.append(f"**{arguments.kwarg.arg}")
    return names


def _has_decorator(node, *names):
    tails = (
        ast.unparse(d.func if isinstance(d, ast.Call) else d).rpartition(".")[2]
        for d in node.decorator_list
    )
    return any(tail in names for tail in tails)


def _returns_something(function):
    """Tell whether the annotation, or without one the body, gives a value back."""
    if function.returns is not None:
        return ast.unparse(function.returns) not in ("None", "NoReturn", "Never")
    returns = (n for n in ast.walk(function) if isinstance(n, ast.Return))
    return any(n.value is not None for n in returns)


def _function_faults(source, function, is_method):
    docstring = ast.get_docstring(function)
    place = f"{source.place(function)} {function.name}"
    if not docstring:
        yield f"{place}: no docstring"
        return
    if REFERENCE.fullmatch(docstring):
        return
    if source.module.startswith("tfimpute_tracks.commands."):
        # A verb's docstring is what --help prints; each option carries its own help.
        return
    sections = _sections(docstring)
    described = _described(sections.get("Parameters", ""))
    expected = _parameters(function, is_method)
    if described != expected:
        yield f"{place}: Parameters {described}, signature {expected}"
    is_property = _has_decorator(function, "property", "cached_property")
    says = {"Returns", "Yields"} & set(sections)
    if _returns_something(function) and not (says or is_property):
        yield f"{place}: gives something back, but has no Returns"


def _fields(class_):
    """Give the names a dataclass or named tuple is built from."""
    return [
        node.target.id
        for node in class_.body
        if isinstance(node, ast.AnnAssign)
        and not node.target.id.startswith("_")
        and "ClassVar" not in ast.unparse(node.annotation)
    ]


def _attributes(class_):
    """Give the fields, the properties and what methods set on ``self``."""
    own = {node.name for node in class_.body if isinstance(node, FUNCTIONS)}
    return own.union(
        _fields(class_),
        (
            node.attr
            for node in ast.walk(class_)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) == "self"
        ),
    )


def _class_faults(source, class_):
    docstring = ast.get_docstring(class_)
    place = f"{source.place(class_)} {class_.name}"
    if not docstring:
        yield f"{place}: no docstring"
        return
    methods = [node for node in class_.body if isinstance(node, FUNCTIONS)]
    init = next((m for m in methods if m.name == "__init__"), None)
    expected = _parameters(init, is_method=True) if init else _fields(class_)
    sections = _sections(docstring)
    described = _described(sections.get("Parameters", ""))
    attributes = _described(sections.get("Attributes", ""))
    if attributes and not described:
        # Properties may stand beside the fields, and what __init__ takes is then the
        # business of the function that makes the object.
        described = expected if init else [n for n in attributes if n in expected]
    needed = init or _has_decorator(class_, "dataclass")
    if described != expected and (described or needed):
        yield f"{place}: Parameters {described}, built from {expected}"
    absent = [name for name in attributes if name not in _attributes(class_)]
    if absent:
        yield f"{place}: Attributes that it has not: {absent}"
    for method in methods:
        hidden = method.name.startswith("_") or _has_decorator(method, "setter")
        if not hidden and not _has_decorator(method, "overload"):
            yield from _function_faults(source, method, is_method=True)


def _faults(source):
    for node in source.tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name[0] != "_":
            if isinstance(node, ast.ClassDef):
                yield from _class_faults(source, node)
            elif not _has_decorator(node, "overload"):
                yield from _function_faults(source, node, is_method=False)


def test_modules_say_what_they_are(sources):
    bare = [source.path for source in sources if not ast.get_docstring(source.tree)]
    assert not bare, f"no module docstring: {', '.join(bare)}"


def test_docstrings_match_signatures(sources):
    faults = [fault for source in sources for fault in _faults(source)]
    assert not faults, "\n".join(faults)
