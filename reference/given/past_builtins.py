"""past.builtins of the package future, for code that was written for Python 2 and 3: the names that are in use."""

xrange = range
