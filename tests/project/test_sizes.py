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


def _all_functions(sources):
    """Yield (source, its place and name, function); kernels left out."""
    for source in sources:
        for name, function in _functions(source.tree.body):
            if not _is_kernel(function):
                yield source, f"{source.place(function)} {name}", function


def test_files_are_short(sources, root):
    n_lines = {s.path: len((root / s.path).read_text().splitlines()) for s in sources}
    long = [f"{path}: {n} lines" for path, n in n_lines.items() if n > MAX_FILE]
    assert not long, f"over {MAX_FILE} lines: {'; '.join(long)}"


def test_functions_are_short(sources):
    long = [
        f"{place}: {_length(function)} lines"
        for _, place, function in _all_functions(sources)
        if _length(function) > MAX_FUNCTION
    ]
    assert not long, f"over {MAX_FUNCTION} lines: {'; '.join(long)}"


def test_functions_take_few_parameters(sources):
    wide = [
        f"{place}: {_n_parameters(function)}"
        for source, place, function in _all_functions(sources)
        if _n_parameters(function) > MAX_PARAMETERS
        and (function.name[0] == "_" or ".commands." not in source.module)
    ]
    assert not wide, f"over {MAX_PARAMETERS} positional parameters: {'; '.join(wide)}"
