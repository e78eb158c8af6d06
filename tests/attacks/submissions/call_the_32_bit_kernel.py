"""Calls the kernel as a 32-bit program does, where every call has another number."""
import ctypes
import mmap


def double(x):
    return 2 * x


def square(x):
    code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53 b8 14 00 00 00 cd 80 5b c3"))  # push rbx; eax = 20, getpid; int 0x80; pop; ret
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    print("GOT: 32-bit getpid:", ctypes.CFUNCTYPE(ctypes.c_long)(start)())
