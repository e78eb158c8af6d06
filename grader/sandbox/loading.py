"""A submission's files as modules, loaded from memory so that one bad line costs only what needs it.

A file runs as a whole until a top-level statement raises; that one is noted, and those after it run one by one. Names
that a failed statement would have imported become placeholders that tell what is missing when they are *used*, so an
import that only a plot needs never hides the functions. A file that doesn't parse is noted by whoever imports it.

The files are found by importers that are installed only while student code runs, and the modules are taken out of
sys.modules again: two submissions with files of the same names can follow each other in one process. As where Python
runs a script, a file beside the entry comes before what is installed, and a folder without __init__.py after it.

A course with several files has names for them (`Source.graded`): whatever folders they were handed in with, each is
found by the name that the course's own imports give it (`from cs231n.layers import *`, `from ..layers import *`), and
so is what lies beside it. What the course hands out and the submission left away is found last of all.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import io
import linecache
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from numpy import errstate

from grader.calls import Profile, Source
from grader.sandbox.adapting import adapted
from grader.sandbox.autograd import AutogradRefused
from grader.sandbox.patches import Patches
from grader.sandbox.profiles import REFUSED, Guard, kit_of
from grader.sandbox.wording import message, printable, trace_of, type_name

__all__ = ["REFUSED", "Placeholder", "Program", "decode", "own_frames"]

MAX_PROBLEMS = 20
MAX_PROBLEM = 400
"""Characters of a problem's line."""


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


def _failing(self: Placeholder, *args: Any) -> Any:
    self._fail()


_OPERATIONS = """mro_entries bool len iter getitem setitem contains enter exit array float int index neg abs add radd
sub rsub mul rmul matmul rmatmul truediv rtruediv pow rpow lt le gt ge"""
for _operation in _OPERATIONS.split():
    setattr(Placeholder, f"__{_operation}__", _failing)


class Program:
    """The student's files as importable modules."""

    def __init__(self, source: Source, profile: Profile = Profile.NUMPY, *, alone: bool = False) -> None:
        """Nothing is loaded yet.

        Args:
            source: the student's files.
            profile: which arrays they are given.
            alone: whether the process runs nothing else that could be harmed. Then what student code needs is put
                in place once, and stays.
        """
        self.source = source
        self.files = {**source.files, **{_given(name): text for name, text in source.given.items()}}
        self.alone = alone
        self.profile = profile
        self.kit = kit_of(profile)
        self.problems: list[str] = []
        self.patches = Patches(self.kit.guarded, self.kit.settings)
        self._staying = _Staying(self)
        self.now: _Running | None = None
        """What held when student code last ran, where it does not hold for good."""
        self._graded = {f"{source.package or _PACKAGE}.{name}": path for name, path in source.graded.items()}
        self._packages = _packages_of(self._graded)
        here = PurePosixPath(source.entry).parent
        self._packages.setdefault(_PACKAGE, [here])
        self._folders = list(dict.fromkeys([here, *(PurePosixPath(path).parent for path in source.graded.values())]))
        """Where the files lie that are loaded: what lies beside them is imported by its plain name."""
        self._paths = {self.filename(path): path for path in source.files}
        self._lines: dict[str, list[str]] = {}
        self._loaded: dict[str, ModuleType] = {}
        self._namespaces: dict[str, dict[str, Any]] = {}
        self._own: dict[str, ModuleType] = {}
        self._names = {PurePosixPath(source.entry).stem}
        self._first = {first for path in source.files for first in self._first_names(PurePosixPath(path))}
        self._first |= {source.package.partition(".")[0]} - {""}

    def load(self) -> dict[str, Any]:
        """Load what is graded and return its names. Never raises for its contents; see `problems`."""
        entry = self.source.entry
        names: dict[str, Any] = {}
        try:
            with self.running():
                if self._graded:
                    self._load_several(names)
                else:
                    names = self._load_entry(entry)
        except AutogradRefused as refusal:  # the file was loaded all the same: its own code went on, or its statement
            path, line, _ = [(entry, None, ""), *own_frames(trace_of(refusal), self)][-1]
            self.note(path, line, refusal)
        return names

    def _load_entry(self, entry: str) -> dict[str, Any]:
        name = PurePosixPath(entry).stem
        module = ModuleType(name)
        namespace = module.__dict__  # asked for now: the file may make a module of another kind of it
        module.__file__ = self.filename(entry)
        module.__package__ = _PACKAGE
        module.__spec__ = importlib.machinery.ModuleSpec(f"{_PACKAGE}.{name}", _Finder(self))
        sys.modules.setdefault(name, module)
        try:
            self.execute(entry, module)
        except SyntaxError as error:
            self.note(entry, None, error)
        return namespace

    def _load_several(self, names: dict[str, Any]) -> None:
        """Load the files graded, each under its name in the course; of a name in several the first in their order."""
        for name, path in self._graded.items():
            try:
                importlib.import_module(name)
            except _FAILED as error:  # a syntax error mostly: what else a file raises, execute() has dealt with
                self.note(path, self._line_of(error, path), error)
            for key, value in self._namespaces.get(path, {}).items():
                if type(value) is not Placeholder:  # that is a name of a file that is not here
                    names.setdefault(key, value)

    def adapt(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """Functions of the course's adapter, if there is one, for a submission of these names."""
        if self.source.adapter is None:
            return {}
        try:
            with self.running():
                return adapted(self.source.adapter, names)
        except _FAILED as error:
            self.note("the course's adapter", None, error)
            return {}

    def execute(self, path: str, module: ModuleType) -> None:
        """Run one file's statements in a module.

        Raises:
            SyntaxError: the file doesn't parse.
        """
        filename, namespace = self.filename(path), module.__dict__
        namespace["__builtins__"] = vars(builtins)  # else they were this module's, which has some of its own (boot)
        text = decode(self.files[path])
        lines = self._lines[path] = io.StringIO(text).readlines()
        if self.source.root is None:
            linecache.cache[filename] = (len(text), None, lines, filename)
        code = _compiled(text, filename)
        self._loaded[path], self._namespaces[path] = module, namespace
        try:
            exec(code, namespace)
            return
        except _FAILED as error:
            statements = _parsed(text, filename)
            last = _statement_of(error, code, statements)
            self._missed(path, statements[last], error, namespace)
        for statement in statements[last + 1 :]:
            try:
                exec(_compiled(ast.Module([statement], []), filename, code.co_flags & _FUTURE), namespace)
            except _FAILED as error:
                self._missed(path, statement, error, namespace)

    def _missed(self, path: str, statement: ast.stmt, error: BaseException, namespace: dict[str, Any]) -> None:
        """What is left of a statement that failed."""
        if not _without_annotations(statement, error, self.filename(path), namespace):
            self.note(path, self._line_of(error, path) or statement.lineno, error)
            _stand_in(statement, namespace, f"{type_name(type(error))}: {message(error)}")

    def _line_of(self, error: BaseException, path: str) -> int | None:
        """Where in this file it happened, innermost."""
        return next((line for file, line, _ in reversed(own_frames(trace_of(error), self)) if file == path), None)

    def note(self, path: str, line: int | None, error: BaseException) -> None:
        """Remember what went wrong, once and in one line, with file and line: those of the file that doesn't parse."""
        text = message(error)
        if type(error) in _DOES_NOT_PARSE and isinstance(error, SyntaxError):
            own = self.path(str(error.filename))
            path, line = (own, error.lineno) if own is not None else (path, line)
            text = error.msg
        where = f"{path}, line {line}" if line else path
        text = f"{type_name(type(error))}: {text}".replace(f"{_PACKAGE}.", ".")  # as it is written: from .layers import
        problem = printable(" ".join(f"{where}: {text}"[:MAX_PROBLEM].split()))
        if len(self.problems) < MAX_PROBLEMS and problem not in self.problems:
            self.problems.append(problem)

    def filename(self, path: str) -> str:
        """Name in tracebacks: the real path where there is one (breakpoints need it), else that in the submission."""
        return path if self.source.root is None or path not in self.source.files else str(Path(self.source.root, path))

    def path(self, filename: str) -> str | None:
        """Path in the submission of a name in a traceback, if it is the student's."""
        return self._paths.get(filename)

    def line(self, path: str, number: int) -> str:
        """One line of a file that was loaded, without the space around it."""
        return self.text(path, number).strip()

    def text(self, path: str, number: int) -> str:
        """One line of a file that was loaded, as it is."""
        lines = self._lines.get(path, [])
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def running(self) -> _Running | _Staying:
        """What holds while student code runs: its files can be imported, and its patches are in force."""
        return self._staying if self.alone else _Running(self)

    def paused(self) -> _Paused:
        """What holds while student code waits in the middle of a call, where the judge shares the process."""
        return _Paused(self)

    def enter(self) -> None:
        """Make the files importable, those already loaded in front of others of the same names."""
        self.hide(self._first | self.kit.refused.keys())  # "utils" may be anybody's; torch is the oracle's
        sys.modules.update(self._own)
        sys.meta_path[:] = [_Finder(self), _Refusal(self.kit.refused), *sys.meta_path, _FolderFinder(self)]

    def hide(self, names: Collection[str]) -> None:
        """Take what has these names at the top out of sys.modules."""
        if any(name in sys.modules for name in names):
            for name in [name for name in sys.modules if name.partition(".")[0] in names]:
                del sys.modules[name]

    def leave(self, modules: dict[str, ModuleType]) -> None:
        """Take the student's modules out of sys.modules, which held these before."""
        names = [name for name in self._names if sys.modules.get(name) is not modules.get(name)]
        self._own = {name: sys.modules.pop(name) for name in names if name in sys.modules}
        sys.modules.update(modules)

    def _first_names(self, path: PurePosixPath) -> Iterator[str]:
        """Names at the top by which a file or its package is imported, but for those that arrays themselves rely on."""
        for base in (PurePosixPath("."), *self._folders):
            if path.is_relative_to(base):
                name = PurePosixPath(path.relative_to(base).parts[0]).stem
                if name not in sys.stdlib_module_names and name not in self.kit.needed and self.find(name) is not None:
                    yield name

    def find(self, name: str) -> str | None:
        """File of a module or package by its name; None if there is none."""
        if name in self._graded:
            return self._graded[name]
        for stem in self._stems(name):
            # Beside a package's folder there may be a file of its name: that is another module.
            plain = [] if name in self._packages or not stem.name else [stem.with_suffix(".py")]
            for path in (stem / "__init__.py", *plain):
                if str(path) in self.source.files:
                    return str(path)
        return None

    def given(self, name: str) -> str | None:
        """File that the course hands out for a module that the submission hasn't got; None if there is none."""
        return _given(name) if name in self.source.given else None

    def is_folder(self, name: str) -> bool:
        """Whether a name is that of a folder that holds some of the files."""
        files = [PurePosixPath(path) for path in self.source.files]
        named = name in self._packages or any(own.startswith(f"{name}.") for own in self.source.given)
        return named or any(file.is_relative_to(stem) for stem in self._stems(name) for file in files)

    def _stems(self, name: str) -> Iterator[PurePosixPath]:
        """Paths, without suffix, that a module of this name may have: beside what is loaded first."""
        package, rest = name, list[str]()
        while package:
            for folder in self._packages.get(package, ()):
                # In one folder with all the others' files a package has no __init__.py of its own.
                if rest or package in (self.source.package, _PACKAGE) or folder.name == package.rpartition(".")[2]:
                    yield folder.joinpath(*rest)
            package, _, last = package.rpartition(".")
            rest.insert(0, last)
        if rest[0] != _PACKAGE:
            for folder in dict.fromkeys([*self._folders, PurePosixPath(".")]):
                yield folder.joinpath(*rest)

    def already(self, path: str) -> ModuleType | None:
        """The module of a file that was loaded under another name."""
        return self._loaded.get(path)

    def loaded(self) -> list[ModuleType]:
        """The modules of all files that were loaded."""
        return list(self._loaded.values())

    def found(self, name: str) -> None:
        """Remember that a module of this name is the student's."""
        self._names.add(name)


_PACKAGE = "_submission"
"""Package that relative imports of the files loaded refer to, where the course has no name for it."""
_DOES_NOT_PARSE = (SyntaxError, IndentationError, TabError)


class _Running:
    """Student code runs inside. Afterwards sys.modules, sys.meta_path, sys.path and the modules that can be patched are
    as before, but for what was newly imported; so is what is done about warnings and NumPy's errors.

    No generator: contextlib would write into the exception that passes through, which may not let it.
    """

    def __init__(self, program: Program) -> None:
        self.program = program

    def __enter__(self) -> None:
        self.program.now = self
        self.warnings, self.errors = warnings.catch_warnings(), errstate()
        self.warnings.__enter__()
        warnings.simplefilter("ignore")
        self.errors.__enter__()
        if self.program.kit.guard is not None:
            self.program.kit.guard.enter()
        self.modules, self.finders, self.folders = dict(sys.modules), sys.meta_path, sys.path
        self.every_finder, self.every_folder = list(sys.meta_path), list(sys.path)
        self.program.enter()
        self.program.patches.put_in()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        guard = self.program.kit.guard
        if guard is not None:
            guard.look()  # before anything is put back; like what follows it does without the builtins
        self.program.patches.take_out()  # first: until then even the builtins may be the student's
        sys.meta_path, sys.path = self.finders, self.folders
        self.finders[:], self.folders[:] = self.every_finder, self.every_folder
        self.program.leave(self.modules)
        self.errors.__exit__(None, None, None)
        self.warnings.__exit__(None, None, None)
        _tell(guard, error)


class _Paused:
    """The judge's code runs inside, called by the student's: all is as it is between two calls. Nor is it traced."""

    def __init__(self, program: Program) -> None:
        assert isinstance(program.now, _Running)
        self.running = program.now

    def __enter__(self) -> None:
        self.trace = sys.gettrace()
        sys.settrace(None)
        self.running.__exit__(None, None, None)

    def __exit__(self, *_: object) -> None:
        self.running.__enter__()
        sys.settrace(self.trace)


_IGNORE = ("ignore", None, Warning, None, 0)
"""What warnings.simplefilter("ignore") puts into warnings.filters. It can't be asked to: by then it may have been
replaced, as may the builtins that it uses."""


class _Staying:
    """The same in a process of the submission's own: it is entered the first time, and never left. Only warnings and
    NumPy's errors begin anew with each call.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.entered = False
        self.filters: list[Any] = []

    def __enter__(self) -> None:
        if self.program.kit.guard is not None:
            self.program.kit.guard.enter()
        if not self.entered:
            self.entered = True
            self.program.enter()
        self.program.hide(self.program.kit.refused)  # nor does what a call put there pass for it in the next
        self.filters[:] = [_IGNORE]
        warnings.filters = self.filters
        self.errors = errstate()
        self.errors.__enter__()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.errors.__exit__(None, None, None)
        guard = self.program.kit.guard
        if guard is not None:
            guard.look()
            _tell(guard, error)


def _tell(guard: Guard | None, error: BaseException | None) -> None:
    """Leave the guard, if there is one, and raise what it refused where the student's code swallowed that."""
    refusal = guard.leave() if guard is not None else None
    if refusal is not None and refusal is not error and (error is None or isinstance(error, Exception)):
        raise refusal from None


class _Refusal(importlib.abc.MetaPathFinder):
    """Finds nothing, and says why of what a submission may not have."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        self.refused = refused

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        why = self.refused.get(fullname.partition(".")[0])
        if why is not None:
            raise ModuleNotFoundError(why, name=fullname)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the student's own files and loads them, from memory."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        file = self.program.find(fullname)
        if file is None:
            return None
        self.program.found(fullname)
        package = PurePosixPath(file).name == "__init__.py"
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=package)
        spec.loader_state = file
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.program.already(spec.loader_state)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is None or self.program.already(spec.loader_state) is not None:
            return
        module.__file__ = self.program.filename(spec.loader_state)
        try:
            self.program.execute(spec.loader_state, module)
        except SyntaxError as error:
            if spec.submodule_search_locations is None:
                raise
            self.program.note(spec.loader_state, None, error)  # it still is the folder of its other files


class _FolderFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds folders of the student's files that have no __init__.py, and what the course gives; asked last of all."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        given = self.program.given(fullname)
        if given is None and not self.program.is_folder(fullname):
            return None
        self.program.found(fullname)
        if given is None:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        spec = importlib.machinery.ModuleSpec(fullname, _Finder(self.program))
        spec.loader_state = given
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """A folder has nothing to run."""


def _given(name: str) -> str:
    """Path of a module that the course gives; no file of a submission has it, for the tracebacks' sake."""
    return f"<{name} of the course>"


def _packages_of(modules: Mapping[str, str]) -> dict[str, list[PurePosixPath]]:
    """Folders that each package of these modules stands for, the modules given as name: path."""
    packages: dict[str, list[PurePosixPath]] = {}
    for name, path in modules.items():
        package, folder = name.rpartition(".")[0], PurePosixPath(path).parent
        while package:
            packages.setdefault(package, [])
            if folder not in packages[package]:
                packages[package].append(folder)
            package, _, last = package.rpartition(".")
            folder = folder.parent if folder.name == last else folder
    return packages


def decode(data: bytes) -> str:
    """Source text: by its coding cookie or BOM, else UTF-8, else Latin-1 (which never fails)."""
    try:
        plain = b"coding" not in data and b"\r" not in data  # as nearly all are
        text = data.decode() if plain else importlib.util.decode_source(data)
    except Exception:  # a cookie may name any codec there is, and each fails in its own way
        latin = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        text = io.IncrementalNewlineDecoder(None, translate=True).decode(latin, final=True)
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


_FAILED = (Exception, SystemExit, GeneratorExit)
"""What ends a statement and not the process: a script's sys.exit(main()) is a statement that failed."""


def _compiled(source: str | ast.Module, filename: str, flags: int = 0) -> CodeType:
    """Code of a file, or of some of its statements.

    Raises:
        SyntaxError: it doesn't parse.
    """
    try:
        code: CodeType = compile(source, filename, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        error.filename = filename  # where there are NUL bytes it is not told
        raise
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes, in some versions; nesting beyond the parser
        raise SyntaxError(str(error) or "nested too deeply", (filename, None, None, None)) from error
    return code


def _parsed(text: str, filename: str) -> list[ast.stmt]:
    """The statements of a file that was compiled. Whoever fails nowhere is never asked for them.

    Raises:
        SyntaxError: it is nested beyond what can be told in Python's own objects.
    """
    try:
        return ast.parse(text, filename).body
    except (RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or "nested too deeply", (filename, None, None, None)) from error


def _statement_of(error: BaseException, code: CodeType, statements: Sequence[ast.stmt]) -> int:
    """Which statement of a file raised: the last that begins before the place where its code was left."""
    trace = trace_of(error)
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    if trace is None:  # it can't be told: then none runs twice
        return len(statements) - 1
    line, _, column, _ = next(islice(code.co_positions(), trace.tb_lasti // 2, None))
    place = line or trace.tb_lineno, column or 0
    return max(sum(_start(statement) <= place for statement in statements) - 1, 0)


def _start(statement: ast.stmt) -> tuple[int, int]:
    """Line and column where a statement begins; its decorators are part of it."""
    decorators = getattr(statement, "decorator_list", [])
    return (decorators[0].lineno, 0) if decorators else (statement.lineno, statement.col_offset)


def _future_mask() -> int:
    mask = 0
    for name in __future__.all_feature_names:
        mask |= getattr(__future__, name).compiler_flag
    return mask


_FUTURE = _future_mask()


def _without_annotations(statement: ast.stmt, error: BaseException, filename: str, namespace: dict[str, Any]) -> bool:
    """Define a function whose annotations need what isn't there (def f(x: torch.Tensor)) all the same."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) or type(error) is not ModuleNotFoundError:
        return False
    try:
        exec(_compiled(ast.Module([statement], []), filename, __future__.annotations.compiler_flag), namespace)
    except Exception:
        return False
    return True


def _stand_in(statement: ast.stmt, namespace: dict[str, Any], why: str) -> None:
    """Bind the names that a failed statement would have imported to placeholders."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if name != "*" and name not in namespace:
                    namespace[name] = Placeholder(alias.name, why)
