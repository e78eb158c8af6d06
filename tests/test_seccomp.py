"""The filter: its numbers against libseccomp's, its program by an interpreter of its own, and the kernel's word."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import signal
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox import kernel, seccomp
from grader.sandbox.seccomp import ALLOW, AUDIT_ARCH, ERRNO, KILL_PROCESS, NUMBERS, filter_program

MACHINES = sorted(NUMBERS)
EPERM, ENOENT = ERRNO | errno.EPERM, ERRNO | errno.ENOENT


def verdict(program: bytes, machine: str, number: int, args: tuple[int, ...] = (), arch: int | None = None) -> int:
    """What the program returns for a system call: classic BPF, as the kernel's documentation describes it."""
    arch = AUDIT_ARCH[machine] if arch is None else arch
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*args, *[0] * 6)[:6])
    accumulator = at = 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x54:
                accumulator &= value
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(f"an instruction that is not used: {code:#x}")


def ask(name: str, *args: int, machine: str = "x86_64", **options: bool) -> int:
    return verdict(filter_program(machine, **options), machine, NUMBERS[machine][name], args)


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_libseccomps(machine: str) -> None:
    name = ctypes.util.find_library("seccomp")
    if name is None:
        pytest.skip("libseccomp is not installed")
    library = ctypes.CDLL(name)
    library.seccomp_syscall_resolve_name_arch.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    theirs = {
        name: library.seccomp_syscall_resolve_name_arch(AUDIT_ARCH[machine], name.encode())
        for name in (*seccomp._ALLOWED.split(), *seccomp._PATHS.split(), *seccomp._rules(True, False, False))
    }
    assert {name: number for name, number in theirs.items() if number >= 0} == NUMBERS[machine]


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**32 - 1), args=st.tuples(*[st.integers(0, 2**64 - 1)] * 6))
def test_what_is_on_no_list_is_refused(machine: str, number: int, args: tuple[int, ...]) -> None:
    if number in NUMBERS[machine].values():
        return
    expected = KILL_PROCESS if machine == "x86_64" and number >= seccomp.X32_BIT else EPERM
    assert verdict(filter_program(machine), machine, number, args) == expected


@pytest.mark.parametrize("machine", MACHINES)
@given(arch=st.integers(0, 2**32 - 1), number=st.integers(0, 500))
def test_a_foreign_architecture_ends_the_process(machine: str, arch: int, number: int) -> None:
    if arch != AUDIT_ARCH[machine]:
        assert verdict(filter_program(machine), machine, number, arch=arch) == KILL_PROCESS


@pytest.mark.parametrize("machine", MACHINES)
def test_the_lists(machine: str) -> None:
    program, numbers = filter_program(machine), NUMBERS[machine]
    for names, expected in ((seccomp._ALLOWED, ALLOW), (seccomp._PATHS, ENOENT)):
        found = {name: verdict(program, machine, numbers[name]) for name in names.split() if name in numbers}
        assert len(found) > 10
        assert set(found.values()) == {expected}


SHARED, PRIVATE, ANONYMOUS, GROWSDOWN, STACK = 1, 2, 0x20, 0x100, 0x20000
READ, WRITE, EXEC = 1, 2, 4
THREAD = 0x3D0F00  # what glibc asks for a thread
RULES = [
    ("mmap", (0, 4096, READ | WRITE, PRIVATE | ANONYMOUS | STACK), ALLOW),
    ("mmap", (0, 4096, READ | WRITE, SHARED), ALLOW),
    ("mmap", (0, 4096, READ | WRITE, SHARED | ANONYMOUS), EPERM),
    ("mmap", (0, 4096, READ | WRITE, 3 | ANONYMOUS), EPERM),
    ("mmap", (0, 4096, READ | WRITE, PRIVATE | ANONYMOUS | GROWSDOWN), EPERM),
    ("mmap", (0, 4096, READ | EXEC, PRIVATE | ANONYMOUS), EPERM),
    ("mprotect", (0, 4096, READ | WRITE), ALLOW),
    ("mprotect", (0, 4096, READ | EXEC), EPERM),
    ("clone", (THREAD,), ALLOW),
    ("clone", (17,), EPERM),
    ("clone", (0x4111,), EPERM),
    ("clone", (THREAD | 0x10000000,), EPERM),
    ("clone", (THREAD | 0x2000,), EPERM),
    ("clone3", (0, 0), ERRNO | errno.ENOSYS),
    ("prlimit64", (0, 7, 0, 1 << 40), ALLOW),
    ("prlimit64", (0, 7, 1, 0), EPERM),
    ("prlimit64", (0, 7, 1 << 40, 0), EPERM),
    ("prlimit64", (77, 7, 0, 1), EPERM),
    ("prctl", (15,), ALLOW),
    ("prctl", (22, 2), EPERM),
    ("prctl", (38, 0), EPERM),
    ("fcntl", (1, 3), ALLOW),
    ("fcntl", (1, 6), EPERM),
    ("fcntl", (1, 8, 1), EPERM),
    ("fcntl", (1, 1024), EPERM),
    ("fcntl", (3, 4, 0x800), ALLOW),
    ("fcntl", (3, 4, 0x2000), EPERM),
    ("sendto", (3, 1 << 40, 8, 0, 0, 0), ALLOW),
    ("sendto", (3, 1 << 40, 8, 1, 0, 0), EPERM),
    ("sendto", (3, 1 << 40, 8, 0, 1 << 40, 16), EPERM),
    ("recvfrom", (3, 1 << 40, 8, 0x140), ALLOW),
    ("recvfrom", (3, 1 << 40, 8, 1), EPERM),
    ("getsid", (0,), ALLOW),
    ("getsid", (1,), EPERM),
    ("sched_getaffinity", (7,), EPERM),
    ("getpriority", (0, 7), EPERM),
    ("clock_gettime", (1,), ALLOW),
    ("clock_gettime", (0xFFFFFFF6,), ERRNO | errno.EINVAL),
    ("ioctl", (0, 0x5401), ALLOW),
    ("ioctl", (0, 0x5412), ERRNO | errno.ENOTTY),
    ("madvise", (0, 4096, 4), ALLOW),
    ("madvise", (0, 4096, 12), ERRNO | errno.EINVAL),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("name", "args", "expected"), RULES, ids=[f"{name}{args}" for name, args, _ in RULES])
def test_what_is_allowed_in_part(machine: str, name: str, args: tuple[int, ...], expected: int) -> None:
    assert ask(name, *args, machine=machine) == expected


def test_the_torch_profile_may_compile_and_starts_no_thread() -> None:
    options = {"threads": False, "executable_memory": True}
    assert ask("mprotect", 0, 4096, READ | EXEC, **options) == ALLOW
    assert ask("mmap", 0, 4096, READ | EXEC, PRIVATE | ANONYMOUS, **options) == ALLOW
    assert ask("mmap", 0, 4096, READ, SHARED | ANONYMOUS, **options) == EPERM
    assert ask("clone", THREAD, **options) == EPERM


INSTALLED = """
import ctypes, errno, os, sys, threading
from grader.sandbox import kernel, seccomp
program = seccomp.filter_program(kernel.machine())
libc = ctypes.CDLL(None, use_errno=True)
kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install(program)
found = []
for action in (lambda: open("/etc/passwd"), os.getcwd, os.fork, lambda: os.kill(os.getpid(), 15), lambda: os.pipe()):
    try:
        action()
        found.append("done")
    except OSError as error:
        found.append(errno.errorcode[error.errno])
thread = threading.Thread(target=found.append, args=["thread"])
thread.start()
thread.join()
os.write(1, " ".join(found).encode())
os._exit(0)
"""


@pytest.mark.skipif(not seccomp.supported(), reason="no table of system calls for this machine")
def test_the_kernel_does_as_the_program_says() -> None:
    done = subprocess.run([sys.executable, "-c", INSTALLED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["ENOENT", "ENOENT", "EPERM", "EPERM", "EPERM", "thread"]


@pytest.mark.skipif(kernel.machine() != "x86_64", reason="x32 is x86-64's")
def test_an_x32_call_ends_the_process() -> None:
    code = INSTALLED.partition("found = []")[0] + "libc.syscall(0x40000000 + 39)\nos._exit(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert -done.returncode == signal.SIGSYS
