"""Opens files through C code of the standard library, which asks no Python hook."""
import target
from raw import attempt


def double(x):
    return 2 * x


def database():
    import sqlite3

    return sqlite3.connect(f"{target.WRITABLE[0]}/{target.MARK}.db").execute("create table t (x)")


def dbm():
    import dbm.dumb

    return dbm.dumb.open(f"{target.WRITABLE[0]}/{target.MARK}-dbm", "n")


def certificate():
    import ssl

    ssl.create_default_context().load_verify_locations(target.SECRET_FILE)


def logs():
    import logging

    return logging.FileHandler(f"{target.WRITABLE[0]}/{target.MARK}.log")


def square(x):
    for action in (database, dbm, certificate, logs):
        attempt(action.__name__, action)
