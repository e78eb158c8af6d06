"""Sends words that move the cursor, clear the screen, close the HTML and look like a verdict."""
from raw import header, send

TEXT = "\x1b[2J\x1b]0;owned\x07\u202e</script><img src=x onerror=alert(1)>\n2 of 2 points\r\0\x1b[31m\0\x9b31m".encode()


def double(x):
    return 2 * x


def square(x):
    send(header(status=1, text=len(TEXT)) + b"N" + TEXT)
    return x
