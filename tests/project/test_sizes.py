"""Files, functions and parameter lists stay within the sizes CONTRIBUTING.md states.

Two kinds of function are exempt from the limit on parameters: kernels, which take arrays
and scalars one by one, and commands, whose parameters are the options of a verb. A
function's length is counted without its signature and docstring.
"""

from __future__ import annotations

import ast

MAX_FILE, MAX_FUNCTION, MAX_PARAMETERS = 400, 60, 7
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions(body, prefix=""):
    """Yield (qualified name, function) of functions and methods, nested ones left out."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, FUNCTIONS):
            yield f"{prefix}{node.name}", node


def _length(function):
    """Count the lines of a body, the docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def _n_parameters(function):
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def _is_kernel(function):
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    is_compiled = any("jit" in d or "intrinsic" in d for d in decorators)
    return is_compiled or function.name.endswith("_kernel")


def test_file_is_short(source, root):
    n_lines = len((root / source.path).read_text(encoding="utf-8").splitlines())
    assert n_lines <= MAX_FILE, f"{source.path}: {n_lines} lines, at most {MAX_FILE}"


def test_functions_are_short(source):
    long = [
        f"{source.place(function)} {name}: {_length(function)} lines"
        for name, function in _functions(source.tree.body)
        if _length(function) > MAX_FUNCTION and not _is_kernel(function)
    ]
    assert not long, f"over {MAX_FUNCTION} lines: {'; '.join(long)}"


def test_functions_take_few_parameters(source):
    is_command = source.module.startswith("tfimpute_tracks.commands.")
    wide = [
        f"{source.place(function)} {name}: {_n_parameters(function)}"
        for name, function in _functions(source.tree.body)
        if _n_parameters(function) > MAX_PARAMETERS
        and not _is_kernel(function)
        and not (is_command and not name.startswith("_"))
    ]
    assert not wide, f"over {MAX_PARAMETERS} positional parameters: {'; '.join(wide)}"
