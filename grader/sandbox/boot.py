"""How a Python of ours is started for student code: with nothing inherited, and with few packages to import.

sys.path holds the standard library alone (-S, -P, no user's site). Of what is installed, an importer finds only the
packages named here, each in its own folder, and of gradmark only what runs beside a submission. In the profile
without torch an audit hook refuses it too: an importer can be taken out again, an audit hook can't.

Gradmark's own modules have builtins of their own there: `sum = ...` put into Python's by a submission is its affair.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, Final

from grader.calls import Profile
from grader.errors import MachineError
from grader.sandbox.profiles import REFUSED

__all__ = ["command", "environment"]

PACKAGES: Final = {
    Profile.NUMPY: ("numpy", "array_api_compat"),
    Profile.TORCH: ("numpy", "array_api_compat", "torch"),
    Profile.PRETEND_CUDA: ("numpy", "array_api_compat", "torch"),
    Profile.CUDA: ("numpy", "array_api_compat", "torch"),
    Profile.JAX: ("numpy", "array_api_compat", "jax", "jaxlib", "ml_dtypes", "opt_einsum", "scipy"),
}
NEEDED_BY_TORCH: Final = (
    "torchgen", "functorch", "typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "filelock",
    "fsspec", "setuptools",
)  # fmt: skip
"""What torch imports, some of it late; each where it is installed."""
OURS: Final = (
    "grader",
    "grader.calls",
    "grader.errors",
    "grader.numerics",
    "grader.numerics.trees",
    "grader.sandbox",
    "grader.sandbox.adapting",
    "grader.sandbox.autograd",
    "grader.sandbox.control",
    "grader.sandbox.cuda",
    "grader.sandbox.engine",
    "grader.sandbox.executor",
    "grader.sandbox.freeze",
    "grader.sandbox.jaxarrays",
    "grader.sandbox.kernel",
    "grader.sandbox.landlock",
    "grader.sandbox.leftovers",
    "grader.sandbox.loading",
    "grader.sandbox.patches",
    "grader.sandbox.perturbed",
    "grader.sandbox.preload",
    "grader.sandbox.pretend_cuda",
    "grader.sandbox.pretend_runtime",
    "grader.sandbox.profiles",
    "grader.sandbox.seccomp",
    "grader.sandbox.stand_ins",
    "grader.sandbox.strays",
    "grader.sandbox.tensors",
    "grader.sandbox.wall",
    "grader.sandbox.watch",
    "grader.sandbox.wire",
    "grader.sandbox.wording",
    "grader.sandbox.worker",
    "grader.sandbox.zygote",
)

_NO_THREADS: Final = "import os; os.register_at_fork = lambda **hooks: None"
"""In a zygote: what modules want done after a fork is for the sake of threads, of which it has none but the one that
forks. Theirs is a tenth of the work that a child does before it reads its submission."""

_TEXT: Final = """
{first}
import builtins, sys
from importlib.machinery import PathFinder, SourceFileLoader
class Loader(SourceFileLoader):
    builtins = dict(vars(builtins))
    def exec_module(self, module):
        vars(module)['__builtins__'] = self.builtins
        super().exec_module(module)
class Importer:
    places, ours = {places!r}, {ours!r}
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition('.')[0]
        if top == 'grader' and name not in cls.ours:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
        refuse('import', (name,))
        spec = PathFinder.find_spec(name, [cls.places[name]]) if name in cls.places else None
        if top == 'grader':
            spec = spec or PathFinder.find_spec(name, path)
            spec.loader = Loader(name, spec.origin)
        return spec
def refuse(event, args, refused={refused!r}, Absent=ModuleNotFoundError):
    if event == 'import':
        why = refused.get(args[0].partition('.')[0])
        if why is not None:
            raise Absent(why, name=args[0])
sys.meta_path.insert(0, Importer)
sys.addaudithook(refuse)
from grader.sandbox.{module} import main
main(*{arguments!r})
"""


def command(module: str, arguments: tuple[Any, ...], profile: Profile) -> list[str]:
    """The command line that runs main(*arguments) of a module of grader.sandbox.

    Raises:
        MachineError: a package that submissions may import is not installed.
    """
    text = _TEXT.format(
        places=_places(profile),
        ours=OURS,
        refused={} if profile.has_torch else dict(REFUSED),
        module=module,
        arguments=arguments,
        first=_NO_THREADS if module == "zygote" else "",
    )
    return [sys.executable, "-s", "-P", "-S", "-B", "-c", text]


def environment(gpu: str | None = None) -> dict[str, str]:
    """A clean one. One thread a process (many run side by side, and a forked one must not need the others).

    Args:
        gpu: number of the device that the process may use; none if not given.
    """
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # else their numbers are not those of the driver (grader.sandbox.nvml)
        "CUDA_VISIBLE_DEVICES": "" if gpu is None else gpu,
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # else to ask whether there is a GPU is to begin with it; then no fork
        "USE_PYTORCH_KERNEL_CACHE": "0",  # it would lie in a home, and there is none
        "PYTHONHASHSEED": "0",  # sets of strings have the same order every time a submission is graded
        **dict.fromkeys(threads, "1"),
    }


def _places(profile: Profile) -> dict[str, str]:
    """Folder that holds each package that may be imported."""
    places = {"grader": str(Path(__file__).resolve().parent.parent.parent)}
    for name in PACKAGES[profile]:
        place = _place(name)
        if place is None:
            extra = ': pip install "gradmark[jax]"' if profile is Profile.JAX else ""
            raise MachineError(f"{name} is not installed{extra}")
        places[name] = place
    for name in NEEDED_BY_TORCH if profile.has_torch else ():
        place = _place(name)
        if place is not None:
            places[name] = place
    return places


def _place(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin)
    return str(file.parent.parent if file.name == "__init__.py" else file.parent)
