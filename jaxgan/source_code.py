"""Hashes of code: a comment, a docstring or another layout changes none, and a changed number does.

A hash is of one definition with every definition that it mentions, directly or through others, as far as the sources are
among those given. Of what is imported from elsewhere, the name alone counts. What is not mentioned by a name is not found: a
method of an argument, for one. The hashes are the same on every version of Python.
"""

import ast
import hashlib
import types
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Place = tuple[str, str]  # a module, and a name that it defines


class _Module(NamedTuple):
    """statements: by the names that they define. imports: the dotted names behind a name. loose: what defines nothing."""

    tree: ast.Module
    statements: dict[str, list[ast.AST]]
    imports: dict[str, set[str]]
    loose: list[ast.AST]


class Definitions:
    """What modules define. texts: {module: its source, or a function that reads it}. stop: places that nothing follows."""

    def __init__(self, texts: Mapping[str, str | Callable[[], str]], stop: Collection[Place] = ()):
        self._texts, self._stop = texts, frozenset(stop)
        self._modules: dict[str, _Module] = {}
        self._notes: dict[int, tuple[str, list[list[str]]]] = {}  # of nodes, which the modules keep alive

    def module(self, name: str) -> _Module:
        if name not in self._modules:
            text = self._texts[name]
            self._modules[name] = _module(ast.parse(text if isinstance(text, str) else text()))
        return self._modules[name]

    def of(self, module: str, name: str) -> list[tuple[str, ast.AST]]:
        """The statements of a module that define a name."""
        return [(module, node) for node in self.module(module).statements.get(name, [])]

    def hash(self, begin: Iterable[tuple[str, ast.AST]], beside: Iterable[str] = ()) -> str:
        """16 hex digits, of nodes of modules and of all that they mention. beside: what else counts."""
        waiting, seen, lines, modules = list(begin), set(), set(beside), set()
        while waiting:
            module, node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if id(node) not in self._notes:
                self._notes[id(node)] = (spelled(node), list(_mentioned(node)))
            text, mentioned = self._notes[id(node)]
            lines.add(text)
            if module not in modules:  # its loose statements run as well
                modules.add(module)
                waiting += [(module, loose) for loose in self.module(module).loose]
            for parts in mentioned:
                found, foreign = self._behind(module, parts)
                waiting += found
                lines |= {f"{parts[0]} is {name}" for name in foreign}
        return hashlib.sha256("\n".join(sorted(lines)).encode(errors="backslashreplace")).hexdigest()[:16]

    def _behind(self, module: str, parts: list[str]) -> tuple[list[tuple[str, ast.AST]], set[str]]:
        """(nodes behind a dotted name of a module, names of what is imported from elsewhere)."""
        if (module, parts[0]) in self._stop:
            return [], set()
        found, foreign = self.of(module, parts[0]), set()
        for target in self.module(module).imports.get(parts[0], ()):
            names = [*target.split("."), *parts[1:]]
            for cut in range(len(names), 0, -1):
                other, rest = ".".join(names[:cut]), names[cut:]
                if other in self._texts:
                    break
            else:
                foreign.add(target)
                continue
            if not rest:  # the module itself is handed on
                found += [(other, self.module(other).tree)]
            elif other != module or rest[0] != parts[0]:
                more = self._behind(other, rest)
                found, foreign = found + more[0], foreign | more[1]
        return found, foreign


def function_hash(function: Any) -> str:
    """The hash of a function in a file of its own, with what it mentions there and the values that it has enclosed; "" where
    there is no source."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return ""
    try:
        known = Definitions({function.__module__: Path(code.co_filename).read_text(encoding="utf-8")})
        tree = known.module(function.__module__).tree
    except (OSError, ValueError, SyntaxError):
        return ""
    kinds = ast.Lambda if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds) and _line(node) == code.co_firstlineno]
    enclosed = zip(code.co_freevars, function.__closure__ or ())
    values = [f"{name} = {cell.cell_contents!r}" for name, cell in enclosed if _is_plain(cell)]
    return known.hash([(function.__module__, node) for node in found], values) if found else ""


def _line(node: Any) -> int:
    """Where Python says that a function begins."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])


def _is_plain(cell: Any) -> bool:
    try:
        return isinstance(cell.cell_contents, int | float | str | tuple | None)
    except ValueError:  # not filled yet
        return False


def spelled(node: Any) -> str:
    """A syntax tree as text, without positions, docstrings, messages of errors and what is empty."""
    if isinstance(node, ast.Raise):  # a message changes no number
        return "Raise"
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr({', '.join(_joined(node.values))})"
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in sorted({*node._fields} - {"ctx", "kind", "type_comment"}))
        given = ((name, _without_texts(x) if isinstance(x, list) else x) for name, x in fields)
        inner = ", ".join(f"{name}={spelled(x)}" for name, x in given if x is not None and x != [])
        return f"{type(node).__name__}({inner})"
    return f"[{', '.join(map(spelled, node))}]" if isinstance(node, list) else repr(node)


def _without_texts(some: list[Any]) -> list[Any]:
    """Statements without docstrings, wherever they are."""
    return [x for x in some if not (isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant))]


def _joined(values: list[Any]) -> list[str]:
    """The parts of an f-string; versions of Python cut the text between two values differently."""
    out: list[str] = []
    text = ""
    for part in [*values, None]:
        if isinstance(part, ast.Constant):
            text += str(part.value)
            continue
        out += [repr(text)] if text else []
        text = ""
        out += [spelled(part)] if part is not None else []
    return out


def _mentioned(node: ast.AST) -> Iterator[list[str]]:
    """The dotted names in a syntax tree, in parts."""
    parts, at = [], node
    while isinstance(at, ast.Attribute):
        parts, at = [at.attr, *parts], at.value
    if isinstance(at, ast.Name):
        if not isinstance(at.ctx, ast.Store):
            yield [at.id, *parts]
    elif not isinstance(node, ast.Raise):
        for child in ast.iter_child_nodes(node):
            yield from _mentioned(child)


def _module(tree: ast.Module) -> _Module:
    statements, imports, loose = defaultdict(list), defaultdict(set), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                imports[alias.asname or alias.name].add(f"{'.' * node.level}{node.module or ''}.{alias.name}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.partition(".")[0]].add(
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
    for node in [part for whole in _without_texts(tree.body) for part in _single(whole)]:
        names = _defined(node)
        for name in names:
            statements[name].append(node)
        if not names and not isinstance(node, ast.Import | ast.ImportFrom) and ["__name__"] not in _mentioned(node):
            loose.append(node)
    return _Module(tree, dict(statements), dict(imports), loose)


def _single(node: Any) -> list[ast.AST]:
    """A statement a, b = 1, 2 as two."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        one = node.targets[0]
        if len(node.targets) == 1 and isinstance(one, ast.Tuple) and len(one.elts) == len(node.value.elts):
            if any(isinstance(part, ast.Starred) for part in (*one.elts, *node.value.elts)):
                return [node]
            return [ast.Assign([name], value) for name, value in zip(one.elts, node.value.elts)]
    return [node]


def _defined(node: ast.AST) -> set[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):  # its names are its own
        return set()
    inner = set().union(*map(_defined, ast.iter_child_nodes(node)))
    return inner | ({node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set())
