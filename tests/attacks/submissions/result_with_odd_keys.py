"""Returns a dict of keys that are no text, too long, alike or not printable."""


def double(x):
    return 2 * x


class Key(str):
    __hash__ = lambda self: 7
    __eq__ = lambda self, other: False


def square(x):
    return {Key("a"): x, Key("a\ud800"): x, "k" * 10**6: x, 3: x, None: x}
