"""A submission's files as modules, loaded from memory so that one bad line costs only what needs it.

Every top-level statement runs by itself: one that raises is noted, and the rest still runs. Names that a failed
statement would have imported become placeholders that tell what is missing when they are *used*, so an import that
only a plot needs never hides the functions. A file that doesn't parse is noted by whoever imports it.

The files are found by an importer that is installed only while student code runs, and the modules are taken out of
sys.modules again: two submissions with files of the same names can follow each other in one process.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from grader.calls import Source

__all__ = ["Program", "decode", "own_frames"]

MAX_PROBLEMS = 20


class Placeholder:
    """Stands for a name that could not be imported; using it says why."""

    def __init__(self, name: str, why: str) -> None:
        self.__dict__.update(_name=name, _why=why)

    def _fail(self) -> NoReturn:
        raise ModuleNotFoundError(f"{self._name} is not there: {self._why}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._fail()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._fail()


class Program:
    """The student's files as importable modules."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[str] = []
        self._loaded: dict[str, ModuleType] = {}
        self._own: dict[str, ModuleType] = {}
        self._finder = _Finder(self)

    def load(self) -> ModuleType:
        """Load the entry file. Never raises for its contents; see `problems`."""
        name = ".".join(PurePosixPath(self.source.entry).with_suffix("").parts)
        with self.running():
            module = ModuleType(name)
            module.__file__ = self.filename(self.source.entry)
            module.__package__ = _PACKAGE
            sys.modules[name] = module
            try:
                self.execute(self.source.entry, module)
            except SyntaxError as error:
                self.note(self.source.entry, error.lineno, error)
            return module

    def execute(self, path: str, module: ModuleType) -> None:
        """Run one file's statements in a module.

        Raises:
            SyntaxError: the file doesn't parse.
        """
        self._loaded[path] = module
        filename = self.filename(path)
        text = decode(self.source.files[path])
        if self.source.root is None:
            linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        for statement, code in _statements(text, filename):
            try:
                exec(code, module.__dict__)
            except Exception as error:
                line = next((line for name, line, _ in reversed(own_frames(error.__traceback__, self)) if name == path), None)
                self.note(path, line or statement.lineno, error)
                _stand_in(statement, module, f"{type(error).__name__}: {_text(error)}")

    def note(self, path: str, line: int | None, error: BaseException) -> None:
        """Remember what went wrong, with file and line."""
        if len(self.problems) < MAX_PROBLEMS:
            where = f"{path}, line {line}" if line else path
            text = error.msg if isinstance(error, SyntaxError) else _text(error)
            self.problems.append(f"{where}: {type(error).__name__}: {text}"[:400])

    def filename(self, path: str) -> str:
        """Name in tracebacks: the real path where there is one (breakpoints need it), else the one in the submission."""
        return path if self.source.root is None else f"{self.source.root}/{path}"

    def path(self, filename: str) -> str | None:
        """Path in the submission of a name in a traceback, if it is the student's."""
        path = filename if self.source.root is None else filename.removeprefix(f"{self.source.root}/")
        return path if path in self.source.files else None

    @contextmanager
    def running(self) -> Iterator[None]:
        """While student code runs: its files can be imported, and are found loaded."""
        before = {name: sys.modules.get(name) for name in self._own}
        known = set(sys.modules)
        sys.modules.update(self._own)
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)
            mine = {id(module) for module in self._loaded.values()} | {id(m) for m in self._finder.packages.values()}
            for name in [name for name, module in sys.modules.items() if id(module) in mine]:
                self._own[name] = sys.modules.pop(name)
            for name, module in before.items():
                if module is not None and name in known:
                    sys.modules[name] = module

    def find(self, name: str) -> tuple[str | None, bool] | None:
        """File and whether it is a package, for a module's name; (None, True) for a folder; None if it isn't there."""
        parts = name.split(".")
        here = PurePosixPath(self.source.entry).parent
        if parts[0] == _PACKAGE:
            parts = parts[1:]
            bases: Sequence[PurePosixPath] = (here,)
        else:
            bases = (here, PurePosixPath("."))
        for base in bases:
            stem = base.joinpath(*parts)
            for path, package in ((f"{stem}.py", False), (str(stem / "__init__.py"), True)):
                if path in self.source.files:
                    return path, package
            if parts and any(PurePosixPath(path).is_relative_to(stem) for path in self.source.files):
                return None, True
        return (None, True) if name == _PACKAGE else None

    def already(self, path: str) -> ModuleType | None:
        """The module of a file that was loaded under another name."""
        return self._loaded.get(path)


_PACKAGE = "submission"
"""Package that relative imports of the entry file refer to: the folder it lies in."""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the student's own modules, from memory."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.packages: dict[str, ModuleType] = {}

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        found = self.program.find(fullname)
        if found is None:
            return None
        file, package = found
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=package)
        spec.loader_state = file
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.program.already(spec.loader_state) if spec.loader_state else None

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        file = spec.loader_state if spec is not None else None
        if file is None:
            self.packages[module.__name__] = module
        elif self.program.already(file) is None:
            module.__file__ = self.program.filename(file)
            self.program.execute(file, module)


def decode(data: bytes) -> str:
    """Source text: by its coding cookie or BOM, else UTF-8, else Latin-1 (which never fails)."""
    try:
        text = importlib.util.decode_source(data)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.decode("latin-1")
    return text.lstrip("\ufeff")


def own_frames(trace: TracebackType | None, program: Program) -> list[tuple[str, int, str]]:
    """(path, line, function) of the student's own frames, outermost first."""
    frames = []
    while trace is not None:
        path = program.path(trace.tb_frame.f_code.co_filename)
        if path is not None:
            frames.append((path, trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    return frames


def _statements(text: str, filename: str) -> Iterator[tuple[ast.stmt, CodeType]]:
    """Top-level statements, each compiled by itself with the file's __future__ flags."""
    try:
        flags = compile(text, filename, "exec", dont_inherit=True).co_flags & _FUTURE
        tree = ast.parse(text, filename)
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes; nesting beyond the parser
        raise SyntaxError(str(error) or "nested too deeply") from error
    for statement in tree.body:
        yield statement, compile(ast.Module([statement], []), filename, "exec", flags=flags, dont_inherit=True)


def _future_mask() -> int:
    import __future__

    mask = 0
    for name in __future__.all_feature_names:
        mask |= getattr(__future__, name).compiler_flag
    return mask


_FUTURE = _future_mask()


def _stand_in(statement: ast.stmt, module: ModuleType, why: str) -> None:
    """Bind the names that a failed statement would have imported to placeholders."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if name != "*" and name not in module.__dict__:
                    setattr(module, name, Placeholder(alias.name, why))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text can't be shown)"
