"""Borrows an autograd: torch by every importer there is."""
import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder

import target
from raw import attempt


def double(x):
    return 2 * x


def without_importers():
    before, path = sys.meta_path[:], sys.path[:]
    sys.meta_path[:] = [PathFinder]
    sys.path.append(target.SITE_PACKAGES)
    try:
        return importlib.import_module("torch").__version__
    finally:
        sys.meta_path[:], sys.path[:] = before, path


def by_path():
    path = f"{target.SITE_PACKAGES}/torch/__init__.py"
    spec = importlib.util.spec_from_file_location("torch", path, submodule_search_locations=[path[:-12]])
    module = importlib.util.module_from_spec(spec)
    sys.modules["torch"] = module
    spec.loader.exec_module(module)
    return module.__version__


def square(x):
    attempt("import", importlib.import_module, "torch")
    attempt("past the importers", without_importers)
    attempt("by its path", by_path)
    attempt("it is there", lambda: sys.modules["torch"].autograd)
