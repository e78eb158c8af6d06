"""Has Python's own crash reports written to the judge."""
import faulthandler
import time

from raw import channel


def double(x):
    return 2 * x


def square(x):
    faulthandler.enable(channel())
    faulthandler.dump_traceback_later(0.05, repeat=True, file=channel())
    time.sleep(60)
