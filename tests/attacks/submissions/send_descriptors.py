"""Sends the judge descriptors until it has no room for more."""
import array
import os
import socket

from raw import channel, header


def double(x):
    return 2 * x


def square(x):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(channel()))
    reply = header(tree=1) + b"N"
    held = array.array("i", [0, 1, 2] * 80)
    for byte in reply:
        end.sendmsg([bytes([byte])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, held)])
    print("sent")
