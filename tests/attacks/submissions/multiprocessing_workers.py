"""Starts workers as multiprocessing does."""
import multiprocessing
import os

from raw import attempt


def double(x):
    return 2 * x


def worker(queue):
    os.write(queue, b"worker")
    os._exit(0)


def start():
    reader, writer = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=worker, args=(writer,))
    process.start()
    process.join(2)
    return os.read(reader, 10)


def pool():
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as executor:
        return executor.submit(os.getpid).result(2)


def square(x):
    attempt("process", start)
    attempt("pool", pool)
