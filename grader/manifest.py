"""Reading an assignment.toml: one function that turns it into an Assignment or fails naming file and field.

The manifest, key by key (`?` marks what may be left out):

    format = 1                    version of this format
    name, title, file             the topic, a line about it, the file that students edit
    reference, solution?, data?   below the reference folder: torch functions, the worked solution, an .npz
    slips?                        below the reference folder: known mistakes, by which wrong answers are recognised and
                                  their cause named; grader.slips says how to write them
    adapter?                      below the reference folder: Python that turns the students' signatures into those of
                                  the kinds. It runs in their process, beside their code, which it finds in `student`
                                  (`student.conv_forward(x, w, {"pad": pad})`), and its functions come before theirs.
                                  It only translates: what is right is judged elsewhere
    more_files?                   that students edit: ["optim.py", "classifiers/fc_net.py"], by their paths in the
                                  folder of `file`. They are found in whatever layout they are handed in
                                  (grader.submission). Of a name that two define, that of the first counts. Nothing
                                  needs to lie beside such a manifest: pytest skips it until something does
    package?                      what the imports between these files call their folder: "cs231n"
    given?                        {module = file below the reference folder}: what the course hands out, in case that
                                  a submission leaves it away ("cs231n.layer_utils"). It runs beside their code
    seed                          of the visible cases, and of the hidden ones where no private seed is given
    profile? = "numpy"            "numpy": the student's code gets NumPy arrays, in a process without torch. "torch": it
                                  gets torch tensors, float64 on the CPU, and autograd is refused as well as a process
                                  can: a deterrent, no wall (grader.sandbox.autograd says what goes through).
                                  "pretend-cuda": the same tensors as if on a GPU, under its rules, on any machine.
                                  "jax": arrays of jax's on the CPU (the extra "jax"), jax.grad refused likewise
    [also_on]?                    {setting = share}: the same file on other arrays, for that share of each part,
                                  in hundredths; the profile in float64 has the rest. "torch", "torch float32",
                                  "cuda", "cuda float32": a profile and, where it is not float64, float32. A part
                                  that fails with the profile's arrays is not judged on others, and has none of their
                                  shares. Engines have none: all their points stay where they were
    follow_through? = 0.5         share of the points for a right backward of a wrong forward, in hundredths
    mutation? = "warn"            writing into an argument: "warn" or "fail"; an exercise may override it
    one_slip_costs_once? = true   what fails and calls functions that fail in exercises of their own is judged once more
                                  with those calls answered by the reference: a network is right whose layer alone is
                                  wrong. Layers are answered for networks, those for trainings, and each for what
                                  stands behind it in the manifest (grader.answering). With an adapter nothing is
    feedback? = "full"            what students are told of a check that did not pass; an exercise may override it:
                                  "full": the worst element with both values, pattern, likely cause, case
                                  "hint": what is wrong, the kind of pattern, likely cause, case; no value, no number
                                  of elements
                                  "verdict": which part and case, and how it ended (failed, timed out, raised)
                                  Every door for students keeps to it, in text and JSON; a class's gradebook has
                                  everything (grader.report.feedback). Of a hidden case under a private seed no value
                                  is shown whatever it says here
    [limits]?                     call_seconds = 10, load_seconds = 20, total_seconds = 300, output_bytes = 65536,
                                  memory_mb = 2048; grader.assignment.Limits says what each counts

    [[exercise]]
    name, kind                    kind: function, layer, loss, step, model, training, dropout or engine
    function | forward, backward | loss | step | train | engine     the student's functions, by kind; "Linear.forward"
                                  is a static method of a class, an engine a class
    writes?                       with an adapter: the student's functions and classes that it calls
    reference                     the torch function (for step: makes a torch.optim.Optimizer); an engine has none
    also_right?                   more torch functions that are right, where a statement leaves something open (half of
                                  a penalty or all of it; a maximum's gradient at a tie). What follows any of them
                                  passes; a gradient must follow one that the student's own results follow
    evaluate?                     training only: torch function (params, *data) -> (loss, accuracy)
    inputs                        in order; a leaf is "N D" (axis names) or {axes, draw?, scale?, shift?, of?, field?};
                                  anything else is a table or a list of them; an engine has none
    output?                       axis names of the result; layer and model need it. A list of several: the forward
                                  returns (first, second, ..., cache), the backward takes their upstream gradients
    derived?                      {axis = "(H + 2 * pad - HH) // stride + 1"}: sizes that follow from others
    gradients?                    names of the inputs with a gradient; every floating-point one if left out
    arguments?                    scalars handed over after the inputs, in order; a case may override them
    steps?                        step only: length of the trajectory
    state?                        step only: {student's field = torch.optim's field}
    also_on? = true               false: all points of this exercise are the main setting's
    points                        {part = points}
    outside?                      {input = [draws]}: numbers that the statement leaves out. No case draws them, and
                                  `grader calibrate` asks nothing of them

    [[exercise.case]]
    name, sizes                   sizes: {N = 3} or {N = [2, 9]}, drawn so that all sizes of the case differ
    draw?                         {input = draw} or {input = {draw, scale?, shift?}}: another way to draw an input
                                  ("params.W1" for a leaf)
    part?, hidden?, repeat?, arguments?
    also_on? = true               false: it is asked in the main setting alone (numbers that float32 can't hold)
    accuracy?, loss?              training only: the least accuracy and the largest loss of the trained network
    graph                         engine only: {nodes, operations, shapes?, form?, backwards?, upstream?}, explained in
                                  grader.operations.GraphSpec
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec

from grader.assignment import ArraySpec, Assignment, CaseSpec, Draw, Exercise, Feedback, Kind, Limits, Part, named_specs
from grader.calls import Profile
from grader.errors import ManifestError
from grader.operations import GraphSpec
from grader.settings import Precision, Setting
from grader.sizes import Formula
from grader.slips import declared
from grader.topics import reference_folder

__all__ = ["load_assignment"]


MAX_BYTES = 200_000
MAX_LINE = 4_000
"""Characters. The parser's time grows with the square of a dotted key's length."""
MAX_DEPTH = 32
MAX_CASES = 2_000
"""Of all exercises, each repeated one counted."""
MAX_STEPS = 10_000
MAX_BACKWARDS = 10
MAX_SIZE = 1_000_000

_NEED_AN_AXIS = (Draw.PROBABILITY, Draw.DATA, Draw.IGNORED)
_OF_CLASSES = (Draw.CLASSES, Draw.IGNORED)


class _RawDraw(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    draw: Draw
    scale: float | None = None
    shift: float | None = None


class _RawCase(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    sizes: dict[str, int | list[int]] = {}
    draw: dict[str, Draw | _RawDraw] = {}
    arguments: dict[str, bool | int | float] = {}
    part: str | None = None
    hidden: bool = False
    repeat: int = 1
    accuracy: float | None = None
    loss: float | None = None
    graph: GraphSpec | None = None
    also_on: bool = True


class _RawExercise(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: Kind
    points: dict[str, int | float]
    case: list[_RawCase]
    reference: str | None = None
    inputs: dict[str, Any] = {}
    function: str | None = None
    forward: str | None = None
    backward: str | None = None
    loss: str | None = None
    step: str | None = None
    train: str | None = None
    engine: str | None = None
    also_right: list[str] = []
    evaluate: str | None = None
    writes: list[str] | None = None
    output: str | list[str] | None = None
    derived: dict[str, str] = {}
    gradients: list[str] | None = None
    arguments: dict[str, bool | int | float] = {}
    steps: int = 4
    state: dict[str, str] = {}
    mutation: Literal["warn", "fail"] | None = None
    feedback: Feedback | None = None
    also_on: bool = True
    outside: dict[str, list[Draw]] = {}


class _RawAssignment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    format: Literal[1]
    name: str
    title: str
    file: str
    reference: str
    seed: int
    exercise: list[_RawExercise]
    solution: str | None = None
    data: str | None = None
    slips: str | None = None
    adapter: str | None = None
    more_files: list[str] = []
    package: str = ""
    given: dict[str, str] = {}
    profile: Profile = Profile.NUMPY
    also_on: dict[str, int | float] = {}
    follow_through: float = 0.5
    mutation: Literal["warn", "fail"] = "warn"
    one_slip_costs_once: bool = True
    feedback: Feedback = Feedback.FULL
    limits: Limits = msgspec.field(default_factory=Limits)


class _RawArray(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    axes: str
    draw: Draw = Draw.NORMAL
    scale: float = 1.0
    shift: float = 0.0
    of: str | None = None
    field: str | None = None


def load_assignment(manifest: Path) -> Assignment:
    """Read and check an assignment.toml.

    Raises:
        ManifestError: it can't be read, or a field is missing, unknown or out of range; names file and field.
    """
    text, raw = _read(manifest)
    folder = reference_folder(manifest)
    reference = _existing(manifest, folder, "reference", raw.reference)
    solution = _existing(manifest, folder, "solution", raw.solution) if raw.solution else None
    data = _existing(manifest, folder, "data", raw.data) if raw.data else None
    adapter = _code(manifest, folder, "adapter", raw.adapter) if raw.adapter else None
    given = {name: _code(manifest, folder, f"given.{name}", file) for name, file in raw.given.items()}
    if not 0 <= raw.follow_through <= 1 or not _in_hundredths(raw.follow_through):
        raise ManifestError(str(manifest), "follow_through", "must lie between 0 and 1, in steps of 0.01")
    if not 0 <= raw.seed < 2**63:
        raise ManifestError(str(manifest), "seed", "must be a whole number of at least 0 and less than 2^63")
    if not _is_text(raw.title):
        raise ManifestError(str(manifest), "title", f"{raw.title!r} holds control characters")
    _unique(manifest, "name", [raw.name])
    if Path(raw.file).suffix != ".py" or "/" in raw.file or not raw.file.isprintable():
        raise ManifestError(str(manifest), "file", f"{raw.file!r} is not the name of a Python file")
    _check_modules(manifest, raw)
    if not raw.exercise:
        raise ManifestError(str(manifest), "exercise", "there is none")
    if sum(max(case.repeat, 1) for item in raw.exercise for case in item.case) > MAX_CASES:
        raise ManifestError(str(manifest), "exercise", f"has more than {MAX_CASES} cases in all")
    also_on = _also_on(manifest, raw)
    exercises = tuple(_Builder(manifest, raw, item, also_on).exercise() for item in raw.exercise)
    _unique(manifest, "exercise", [exercise.name for exercise in exercises])
    slips = _existing(manifest, folder, "slips", raw.slips) if raw.slips else None
    known = _slips(manifest, slips, {exercise.name for exercise in exercises}) if slips else None
    return Assignment(
        name=raw.name,
        title=raw.title,
        file=raw.file,
        seed=raw.seed,
        limits=raw.limits,
        profile=raw.profile,
        exercises=exercises,
        manifest=manifest,
        reference=reference,
        solution=solution,
        data=data,
        adapter=adapter,
        more_files=tuple(raw.more_files),
        one_slip_costs_once=raw.one_slip_costs_once,
        package=raw.package,
        given=given,
        slips=slips,
        digest=_digest(text, reference, [code for code in (adapter, *given.values(), known) if code is not None], data),
    )


def _also_on(manifest: Path, raw: _RawAssignment) -> tuple[tuple[Setting, Fraction], ...]:
    """Further settings with their shares."""
    shares: dict[Setting, Fraction] = {}
    for name, value in raw.also_on.items():
        where = f"also_on.{name}"
        try:
            setting = Setting.parse(name)
        except ValueError as error:
            raise ManifestError(str(manifest), where, str(error)) from error
        if setting == Setting(raw.profile):
            raise ManifestError(str(manifest), where, "is the main setting, which has what the others leave")
        if setting in shares:
            raise ManifestError(str(manifest), where, "is named twice")
        if setting.precision is Precision.TF32 and setting.profile is not Profile.CUDA:
            raise ManifestError(str(manifest), where, "tf32 is what a GPU multiplies with: there is cuda tf32 alone")
        if setting.precision is Precision.BFLOAT16 and not setting.profile.has_torch:
            raise ManifestError(str(manifest), where, f"bfloat16 is graded with torch tensors, not {setting.profile}")
        if not 0 < value < 1 or not _in_hundredths(value):
            raise ManifestError(str(manifest), where, f"{value} is not a share between 0 and 1, in steps of 0.01")
        shares[setting] = Fraction(str(value))
    if sum(shares.values()) >= 1:
        raise ManifestError(
            str(manifest), "also_on", "leaves nothing for the main setting: the shares must sum to less than 1"
        )
    return tuple(shares.items())


def _check_modules(manifest: Path, raw: _RawAssignment) -> None:
    """Names by which files can be imported."""
    for file in raw.more_files:
        path = PurePosixPath(file)
        if path.suffix != ".py" or path.is_absolute() or not all(map(str.isidentifier, path.with_suffix("").parts)):
            raise ManifestError(str(manifest), "more_files", f"{file!r} is not the path of a module")
    if len({raw.file, *raw.more_files}) <= len(raw.more_files):
        raise ManifestError(str(manifest), "more_files", "names a file twice")
    if raw.package and not raw.more_files:
        raise ManifestError(str(manifest), "package", "is for several files: there are no more_files")
    for field, name in [("package", raw.package or "p"), *(("given", name) for name in raw.given)]:
        if not all(word.isidentifier() for word in name.split(".")):
            raise ManifestError(str(manifest), field, f"{name!r} is not the name of a module")


def _code(manifest: Path, folder: Path, key: str, name: str) -> bytes:
    """A file of course code that runs beside the student's."""
    path = _existing(manifest, folder, key, name)
    text = path.read_bytes()
    try:
        compile(text, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise ManifestError(str(manifest), key, f"{name} does not parse: {error}") from error
    return text


def _slips(manifest: Path, path: Path, exercises: set[str]) -> bytes:
    """A file of known slips; what it names must be there."""
    text = path.read_bytes()
    try:
        found = list(declared(text))
    except (SyntaxError, ValueError) as error:
        raise ManifestError(str(manifest), "slips", f"{path.name}: {error}") from error
    for function, exercise in found:
        if exercise not in exercises:
            raise ManifestError(
                str(manifest), "slips", f"{path.name}: {function}: there is no exercise named {exercise!r}"
            )
    return text


def _digest(text: bytes, reference: Path, beside: Sequence[bytes], data: Path | None) -> str:
    """What a result depends on. The data by their own digest: they are the largest."""
    parts = [text, reference.read_bytes(), *beside]
    if data is not None:
        with data.open("rb") as file:
            parts.append(hashlib.file_digest(file, "sha256").digest())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _read(manifest: Path) -> tuple[bytes, _RawAssignment]:
    try:
        text = manifest.read_bytes()
    except OSError as error:
        raise ManifestError(str(manifest), "", error.strerror or str(error)) from error
    if len(text) > MAX_BYTES or max(map(len, text.split(b"\n"))) > MAX_LINE:
        problem = f"holds more than {MAX_BYTES} bytes, or {MAX_LINE} in one line"
        raise ManifestError(str(manifest), "", problem)
    try:
        document = tomllib.loads(text.decode("utf-8"))
    except RecursionError as error:
        raise ManifestError(str(manifest), "", "is nested too deeply") from error
    except ValueError as error:  # not only TOMLDecodeError: text in no UTF-8, a number of too many digits
        raise ManifestError(str(manifest), "", f"not TOML: {error}") from error
    _check_depth_and_numbers(manifest, document)
    try:
        return text, msgspec.convert(document, _RawAssignment)
    except msgspec.ValidationError as error:
        problem, at, path = str(error).rpartition(" - at `$")
        problem, path = (problem, path) if at else (path, "")
        raise ManifestError(str(manifest), _field(path.rstrip("`").lstrip("."), document), problem) from error


def _check_depth_and_numbers(manifest: Path, document: dict[str, Any]) -> None:
    """What the parser lets through, and nothing behind it can take: even a message about it would fail."""
    waiting: list[tuple[str, Any, int]] = [("", document, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ManifestError(str(manifest), _field(path, document), "is nested too deeply")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ManifestError(str(manifest), _field(path, document), "is a whole number of more than 64 bits")
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}".lstrip("."), item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", item, depth + 1) for index, item in enumerate(value)]


def _field(path: str, document: Any) -> str:
    """`exercise[2].case[1].sizes` with names: `exercise[2] (softmax).case[1] (ties).sizes`."""
    words, here = [], document
    for word in filter(None, path.split(".")):
        key, _, index = word.partition("[")
        here = here.get(key) if isinstance(here, dict) else None
        if re.fullmatch("[0-9]{1,6}]", index) and isinstance(here, list) and int(index[:-1]) < len(here):
            here = here[int(index[:-1])]
            name = here.get("name") if isinstance(here, dict) else None
            word += f" ({name})" if isinstance(name, str) else ""
        words.append(word)
    return ".".join(words)


def _existing(manifest: Path, folder: Path, key: str, name: str) -> Path:
    path = folder / name
    try:
        found = path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError, RuntimeError):  # no file can have this name
        found = False
    if not found:
        raise ManifestError(str(manifest), key, f"there is no file {name!r} in the reference folder")
    return path


def _unique(manifest: Path, where: str, names: list[str]) -> None:
    for name in names:
        if not _is_text(name) or not re.fullmatch(r"[^\s/:\[\]](?:[^/:\[\]]*[^\s/:\[\]])?", name):
            problem = f"{name!r} is not a good name: no / : [ ], control characters or outer blanks"
            raise ManifestError(str(manifest), where, problem)
    for name, count in Counter(names).items():
        if count > 1:
            raise ManifestError(str(manifest), where, f"there are two named {name!r}")


def _is_text(text: str) -> bool:
    """Whether it can be shown in a terminal: blanks of any kind, but no control characters."""
    return all(c.isprintable() or unicodedata.category(c) == "Zs" for c in text)


def _in_hundredths(value: float) -> bool:
    return (Fraction(str(value)) * 100).denominator == 1


class _Builder:
    """One exercise of the file into an Exercise, with every rule that the types alone don't hold."""

    def __init__(
        self,
        manifest: Path,
        raw: _RawAssignment,
        item: _RawExercise,
        also_on: tuple[tuple[Setting, Fraction], ...],
    ) -> None:
        self.manifest, self.raw, self.item = manifest, raw, item
        self.also_on = also_on if item.also_on and item.kind is not Kind.ENGINE else ()

    def fail(self, field: str, problem: str) -> ManifestError:
        return ManifestError(str(self.manifest), f"exercise {self.item.name}.{field}", problem)

    def exercise(self) -> Exercise:
        item = self.item
        inputs = {name: self.spec(f"inputs.{name}", value) for name, value in item.inputs.items()}
        if bool(inputs) == (item.kind is Kind.ENGINE):
            raise self.fail("inputs", "does not belong here: an engine is given graphs" if inputs else "there is none")
        if (item.reference is None) != (item.kind is Kind.ENGINE):
            raise self.fail("reference", "is missing" if item.reference is None else "an engine is held against torch")
        for name in inputs:
            if not name.isidentifier():
                raise self.fail("inputs", f"{name!r} is not a name that an argument can have")
        cases = tuple(case for raw in item.case for case in self.cases(raw, inputs))
        _unique(self.manifest, f"exercise {item.name}.case", [case.name for case in cases])
        functions = self.functions()
        if not 1 <= item.steps <= MAX_STEPS:
            raise self.fail("steps", f"must be at least 1 and at most {MAX_STEPS}")
        return Exercise(
            name=item.name,
            kind=item.kind,
            functions=functions,
            writes=self.writes(functions),
            reference=item.reference or "",
            also_right=tuple(item.also_right),
            evaluate=self.evaluate(),
            inputs=inputs,
            outputs=self.outputs(inputs),
            derived=self.derived(),
            gradients=self.gradients(inputs),
            arguments=item.arguments,
            steps=item.steps,
            state=item.state,
            mutation=item.mutation or self.raw.mutation,
            feedback=item.feedback or self.raw.feedback,
            follow_through=Fraction(str(self.raw.follow_through)),
            cases=cases,
            parts=self.parts(cases),
            outside=self.outside(inputs, cases),
        )

    def outside(self, inputs: Mapping[str, Any], cases: Sequence[CaseSpec]) -> dict[str, tuple[Draw, ...]]:
        leaves = dict(spec for name, tree in inputs.items() for spec in named_specs(name, tree))
        for name, draws in self.item.outside.items():
            if name not in leaves:
                raise self.fail("outside", f"there is no input {name!r}; there are {', '.join(leaves)}")
            for case in cases:
                if case.draw.get(name, leaves[name]).draw in draws:
                    raise self.fail("outside", f"case {case.name} draws {name} in a way that the statement leaves out")
        return {name: tuple(draws) for name, draws in self.item.outside.items()}

    def functions(self) -> dict[str, str]:
        functions = {}
        for role in sorted({role for kind in Kind for role in kind.roles}):
            name = getattr(self.item, role)
            if (name is None) == (role in self.item.kind.roles):
                problem = "is missing" if name is None else "does not belong here"
                raise self.fail(role, f"{problem}: a {self.item.kind} has {' and '.join(self.item.kind.roles)}")
            if name is not None:
                self.check_name(role, name)
                functions[role] = name
        return functions

    def check_name(self, field: str, name: str) -> None:
        if not all(word.isidentifier() for word in name.split(".")):
            raise self.fail(field, f"{name!r} is not a function's name")

    def writes(self, functions: Mapping[str, str]) -> tuple[str, ...]:
        """Names at the top of the student's file."""
        if self.item.writes is not None and self.raw.adapter is None:
            raise self.fail("writes", "only an adapter needs it: here it is the functions of the kind")
        names = self.item.writes or [functions[role] for role in self.item.kind.roles]
        for name in names:
            self.check_name("writes", name)
        return tuple(dict.fromkeys(name.partition(".")[0] for name in names))

    def evaluate(self) -> str | None:
        if (self.item.evaluate is None) == (self.item.kind is Kind.TRAINING):
            raise self.fail("evaluate", "a training needs it, and nothing else has it")
        return self.item.evaluate

    def outputs(self, inputs: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
        output = self.item.output
        if self.item.kind is Kind.DROPOUT:
            return self.dropout(inputs)
        if output is None and self.item.kind in (Kind.LAYER, Kind.MODEL):
            raise self.fail("output", f"is missing: a {self.item.kind} needs the axis names of its result")
        if isinstance(output, list) and (not output or self.item.kind not in (Kind.LAYER, Kind.MODEL)):
            raise self.fail("output", "a list is for a layer or a model of several results")
        every = output if isinstance(output, list) else [output or ""]
        return tuple(tuple(axes.split()) for axes in every)

    def dropout(self, inputs: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
        """Axes of what a dropout gives: those of its one input."""
        (spec, *others), names = inputs.values(), list(self.item.arguments)
        if others or not isinstance(spec, ArraySpec) or self.item.output is not None:
            raise self.fail("inputs", "a dropout has one array, and gives one of the same axes")
        if names != ["p", "train"]:
            raise self.fail("arguments", "a dropout has just p, the probability to drop, and train, in this order")
        for where, p in [("arguments", self.item.arguments["p"])] + [
            (f"case {case.name}.arguments", case.arguments["p"]) for case in self.item.case if "p" in case.arguments
        ]:
            if not 0 < p < 1 or p == 0.5:
                raise self.fail(where, f"p = {p} must lie between 0 and 1; 0.5 can't tell dropping from keeping")
        return (spec.axes,)

    def derived(self) -> dict[str, Formula]:
        formulas = {}
        for axis, text in self.item.derived.items():
            where = f"derived.{axis}"
            try:
                formulas[axis] = Formula(text)
            except ValueError as error:
                raise self.fail(where, str(error)) from error
            for name in formulas[axis].names:
                number = self.item.arguments.get(name, 0)
                if isinstance(number, bool) or not isinstance(number, int):
                    raise self.fail(where, f"{name} is no whole number")
                if name in self.item.derived:
                    raise self.fail(where, f"{name} is derived itself: write it out")
        return formulas

    def spec(self, where: str, value: Any) -> Any:
        if isinstance(value, str):
            return ArraySpec(axes=tuple(value.split()))
        if value in ({}, []):
            raise self.fail(where, "there is no array in it")
        if isinstance(value, list):
            return [self.spec(f"{where}[{index}]", item) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            raise self.fail(where, f"expected axis names or a table, got {value!r}")
        if "axes" not in value:
            return {name: self.spec(f"{where}.{name}", item) for name, item in value.items()}
        try:
            raw = msgspec.convert(value, _RawArray)
        except msgspec.ValidationError as error:
            raise self.fail(where, str(error)) from error
        if (raw.draw in _OF_CLASSES) != (raw.of is not None):
            raise self.fail(where, "`of` names the axis of the classes: needed for 'classes' and 'ignored', only there")
        if raw.draw is Draw.DATA and not (raw.field and self.raw.data):
            raise self.fail(where, "draw = 'data' needs a `field`, and `data` at the top")
        if not 0 < raw.scale < math.inf:
            raise self.fail(where, f"a scale of {raw.scale} is not a number above 0")
        if not math.isfinite(raw.shift):
            raise self.fail(where, f"a shift of {raw.shift} is not a finite number")
        if raw.draw in _NEED_AN_AXIS and not raw.axes.split():
            raise self.fail(where, f"draw = {raw.draw.value!r} needs at least one axis")
        return ArraySpec(
            axes=tuple(raw.axes.split()),
            draw=raw.draw,
            scale=raw.scale,
            shift=raw.shift,
            of=raw.of,
            field=raw.field,
        )

    def gradients(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        able = [
            name for name, tree in inputs.items() if all(spec.differentiable for _, spec in named_specs(name, tree))
        ]
        names = able if self.item.gradients is None else self.item.gradients
        if not names and self.item.kind in (Kind.LAYER, Kind.MODEL, Kind.LOSS):
            raise self.fail("gradients", "there is none, so there is nothing to check")
        for name in names:
            if name not in able:
                raise self.fail("gradients", f"{name!r} is not an input with a gradient; those are {', '.join(able)}")
        return tuple(names)

    def cases(self, raw: _RawCase, inputs: Mapping[str, Any]) -> Iterator[CaseSpec]:
        where = f"case {raw.name}"
        leaves = dict(spec for name, tree in inputs.items() for spec in named_specs(name, tree))
        needed = {axis for spec in leaves.values() for axis in (*spec.axes, *([spec.of] if spec.of else []))}
        needed |= {axis for axes in self.outputs(inputs) for axis in axes} | self.axes_of_graph(where, raw)
        derived = self.derived()
        needed |= {name for formula in derived.values() for name in formula.names if name not in self.item.arguments}
        needed -= derived.keys()
        if needed != set(raw.sizes):
            raise self.fail(f"{where}.sizes", f"needs just these axes: {', '.join(sorted(needed))}")
        draws = {name: self.redrawn(f"{where}.draw", leaves, name, draw) for name, draw in raw.draw.items()}
        for name in raw.arguments:
            if name not in self.item.arguments:
                raise self.fail(f"{where}.arguments", f"{name!r} is not an argument of the exercise")
        if (raw.accuracy is not None or raw.loss is not None) != (
            raw.part == "result" and self.item.kind is Kind.TRAINING
        ):
            raise self.fail(where, "accuracy or loss: needed where part = 'result' of a training, and only there")
        if not 0 < (1 if raw.accuracy is None else raw.accuracy) <= 1:
            raise self.fail(f"{where}.accuracy", f"{raw.accuracy} is not a share above 0 and at most 1")
        if not 0 < (1 if raw.loss is None else raw.loss) < math.inf:
            raise self.fail(f"{where}.loss", f"{raw.loss} is not a number above 0")
        if raw.repeat < 1:
            raise self.fail(f"{where}.repeat", "must be at least 1")
        for number in range(1, raw.repeat + 1):
            yield CaseSpec(
                name=raw.name if raw.repeat == 1 else f"{raw.name} {number}",
                sizes={axis: self.size(f"{where}.sizes.{axis}", size) for axis, size in raw.sizes.items()},
                draw=draws,
                arguments=raw.arguments,
                part=raw.part,
                hidden=raw.hidden,
                accuracy=raw.accuracy,
                loss=raw.loss,
                graph=raw.graph,
                also_on=raw.also_on,
            )

    def axes_of_graph(self, where: str, raw: _RawCase) -> set[str]:
        """Axes that the shapes of the leaves name."""
        if (raw.graph is None) == (self.item.kind is Kind.ENGINE):
            raise self.fail(f"{where}.graph", "an engine needs it, and nothing else has it")
        if raw.graph is None:
            return set()
        if not 1 <= raw.graph.nodes <= MAX_STEPS or not 1 <= raw.graph.backwards <= MAX_BACKWARDS:
            problem = f"must have 1 to {MAX_STEPS} nodes and 1 to {MAX_BACKWARDS} backwards"
            raise self.fail(f"{where}.graph", problem)
        if not raw.graph.operations or not raw.graph.shapes:
            raise self.fail(f"{where}.graph", "has no operations, or no shapes")
        return {axis for axes in raw.graph.shapes for axis in axes.split()} - {"1"}

    def redrawn(self, where: str, leaves: Mapping[str, ArraySpec], name: str, draw: Draw | _RawDraw) -> ArraySpec:
        """The input as this case draws it."""
        if name not in leaves:
            raise self.fail(where, f"there is no input {name!r}; there are {', '.join(leaves)}")
        usual, raw = leaves[name], draw if isinstance(draw, _RawDraw) else _RawDraw(draw=draw)
        if raw.draw is not usual.draw and (raw.draw in _OF_CLASSES) != (usual.draw in _OF_CLASSES):
            raise self.fail(where, f"{name!r} can't be drawn as {raw.draw.value} where it else is not")
        if raw.draw is not usual.draw and Draw.DATA in (raw.draw, usual.draw):
            raise self.fail(where, f"{name!r} can't be drawn as {raw.draw.value} where it else is not")
        if raw.draw in _NEED_AN_AXIS and not usual.axes:
            raise self.fail(where, f"{raw.draw.value} needs at least one axis, {name!r} has none")
        scale = usual.scale if raw.scale is None else raw.scale
        shift = usual.shift if raw.shift is None else raw.shift
        if not 0 < scale < math.inf or not math.isfinite(shift):
            raise self.fail(where, f"{name!r}: a scale must be a number above 0, a shift a finite one")
        return replace(usual, draw=raw.draw, scale=scale, shift=shift)

    def size(self, where: str, size: int | list[int]) -> int | tuple[int, int]:
        low, high = (size, size) if isinstance(size, int) else size if len(size) == 2 else (0, 0)
        if not 1 <= low <= high <= MAX_SIZE:
            raise self.fail(where, f"{size!r} is neither a size from 1 to {MAX_SIZE} nor a range [low, high] of them")
        return low if isinstance(size, int) else (low, high)

    def parts(self, cases: tuple[CaseSpec, ...]) -> tuple[Part, ...]:
        checks: dict[str, list[tuple[CaseSpec, str]]] = {}
        for case in cases:
            for aspect, part in _aspects_of(self.item.kind, case):
                checks.setdefault(part, []).append((case, aspect))
        if not checks or set(checks) != set(self.item.points):
            wanted = ", ".join(sorted(checks)) or "at least one case"
            raise self.fail("points", f"must name just the parts that the cases make: {wanted}")
        _unique(self.manifest, f"exercise {self.item.name}.points", list(checks))
        return tuple(
            Part(
                exercise=self.item.name,
                name=name,
                points=self.points(name, value),
                checks=tuple(checks[name]),
                also_on=self.also_on if any(case.also_on for case, _ in checks[name]) else (),
            )
            for name, value in self.item.points.items()
        )

    def points(self, name: str, value: int | float) -> Fraction:
        points = Fraction(str(value)) if value == value and abs(value) < 1e9 else Fraction(-1)
        if points <= 0 or not _in_hundredths(value):
            raise self.fail(f"points.{name}", f"{value} is not a number of points above 0 in steps of 0.01")
        return points


def _aspects_of(kind: Kind, case: CaseSpec) -> Iterator[tuple[str, str]]:
    """(aspect, part) pairs that a case is checked for."""
    if kind is Kind.TRAINING:
        aspect = "result" if case.part == "result" else "trajectory"
        yield aspect, case.part or aspect
        return
    for aspect in kind.aspects:
        yield aspect, case.part or aspect
