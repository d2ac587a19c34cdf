"""What stands below a field or a member in the source: its docstring, read from there so that it is written once."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise


@cache
def docstrings(cls: type) -> dict[str, str]:
    """Field or member → the text below it, also of those that a class inherits; what has none is left out."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("evcs."):
            found.update(_below(base))
    return found


def own_text(cls: type) -> str:
    """The class's own docstring, one line a paragraph; empty where it has none."""
    paragraphs = inspect.cleandoc(cls.__dict__.get("__doc__") or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _below(cls: type) -> Iterator[tuple[str, str]]:
    module = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    body = next(node.body for node in module.body if isinstance(node, ast.ClassDef))
    for statement, following in pairwise(body):
        name = _named(statement)
        if name and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            yield name, " ".join(str(following.value.value).split())


def _named(statement: ast.stmt) -> str | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None
