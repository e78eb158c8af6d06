"""Has the kernel keep memory for it: full pipes, one for every two descriptors."""
import os

import target


def double(x):
    return 2 * x


def square(x):
    held = []
    try:
        while len(held) < 4096:
            reader, writer = os.pipe()
            held += [reader, writer]
            os.set_blocking(writer, False)
            os.write(writer, bytes(1 << 16))
    except OSError as error:
        print("stopped:", error)
    taken = len(held) // 2 << 16
    if taken > target.MEMORY // 4:
        print(f"GOT: {taken} bytes")
