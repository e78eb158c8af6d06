"""Returns an object whose conversions do harm."""


def double(x):
    return 2 * x


class Evil:
    def __array__(self, *args, **options):
        print("converted")
        raise SystemExit

    def __reduce__(self):
        return (print, ("GOT: unpickled",))

    __class__ = float
    __array_interface__ = {"shape": (1 << 40,), "typestr": "<f8", "data": (8, False), "version": 3}


def square(x):
    return Evil()
