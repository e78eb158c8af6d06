"""The filter on system calls: an allow-list, written as classic BPF and installed by prctl; see seccomp(2).

What is on no list fails with EPERM. On purpose that is: every way to a new process (fork, exec, clone without
CLONE_THREAD), to another process (kill, tgkill, ptrace, process_vm_*, pidfd_*), to the network and to new sockets, to
descriptors sent along (sendmsg, recvmsg), to shared memory and messages (shm*, msg*, sem*, mq_*, memfd_create,
keyrings), to privileges, limits, scheduling, namespaces and mounts, to io_uring, bpf, perf and userfaultfd.

What is allowed in part has a Rule: threads but no processes; memory, but none that RLIMIT_DATA does not count (shared
anonymous pages, MAP_GROWSDOWN) and none to execute; fcntl without locks and leases, which are a channel between
submissions, and without owners and O_ASYNC, by which the kernel sends a signal to whoever holds the other end;
nothing about other processes, not even whether they are there; replies, but no urgent ones; limits to read, not to set.

Every call that takes a path fails with ENOENT, as if there were no files: a submission that opens one gets Python's
FileNotFoundError. All that it may import is imported before the fork.

A 32-bit or x32 system call ends the process (SIGSYS): their numbers mean other things.

A filter looks at numbers and registers only. What is behind a pointer (clone3's flags) can't be judged, so clone3
does not exist here (ENOSYS), and libc falls back to clone.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from grader.sandbox import kernel

__all__ = ["NUMBERS", "Rule", "filter_program", "install", "supported"]

AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT: Final = 0x40000000

ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_ARGUMENTS = 0, 4, 16
"""In struct seccomp_data; the six arguments have 8 bytes each."""
_SET_MODE_FILTER = 1
_FOR_ALL_THREADS = 1
_ALL = 0xFFFFFFFF

PROT_EXEC, MAP_SHARED, MAP_ANONYMOUS, MAP_GROWSDOWN = 0x4, 0x1, 0x20, 0x100
CLONE_VM, CLONE_SIGHAND, CLONE_PTRACE, CLONE_VFORK, CLONE_THREAD, CLONE_NEW = (
    0x100,
    0x800,
    0x2000,
    0x4000,
    0x10000,
    0x7E020000,
)

_ALLOWED: Final = """
read write close lseek pread64 pwrite64 readv writev dup dup2 dup3 fstat poll ppoll select pselect6
munmap brk mremap mbind get_mempolicy membarrier
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause
getitimer setitimer alarm nanosleep gettimeofday time times restart_syscall
getpid gettid getppid getpgrp getuid geteuid getgid getegid getgroups getresuid getresgid
uname sysinfo getrusage getrlimit getcpu getrandom umask
sched_yield sched_get_priority_max sched_get_priority_min
futex set_robust_list set_tid_address rseq
exit exit_group
"""
_PATHS: Final = """
open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents
getdents64 getcwd chdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat
truncate statfs chmod fchmodat chown lchown fchownat utimensat utime utimes mknod mknodat
"""


def _low(argument: int) -> int:
    """Where the lower half of an argument stands: all of an int, the flags of a long."""
    return _OFFSET_ARGUMENTS + 8 * argument


def _high(argument: int) -> int:
    return _low(argument) + 4


@dataclass(frozen=True, slots=True)
class Rule:
    """A system call that is allowed if every condition holds, and fails with an error number otherwise.

    A condition (where, mask, values) asks that 32 bits of an argument (see _low, _high) under the mask be one of
    these values.
    """

    conditions: Sequence[tuple[int, int, Sequence[int]]]
    otherwise: int = errno.EPERM


_OWN: Final = "getpgid getsid sched_getaffinity sched_getscheduler sched_getparam"
"""About the process 0, which is the caller."""
_CLOCKS: Final = "clock_gettime clock_getres clock_nanosleep"
_CLOCK_NUMBERS = tuple(range(12))
"""The system's; a negative one is the CPU time of another process."""
_NO_LOCKS = (0, 1, 2, 3, 4, 1030)
"""F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC."""
_O_ASYNC = 0x2000
_MSG_NOSIGNAL, _MSG_DONTWAIT, _MSG_PEEK, _MSG_WAITALL = 0x4000, 0x40, 0x2, 0x100
_ADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 17, 20, 21)
"""Of madvise: no sharing of equal pages with other processes (MADV_MERGEABLE), no poisoning."""
_TERMINAL = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS (isatty), FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_NAMES = (15, 16, 0x53564D41)
"""PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: glibc names its threads and heaps."""
_THREAD = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD


def _rules(threads: bool, executable_memory: bool, devices: bool) -> dict[str, Rule]:
    counted = (_low(3), MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, (0, MAP_SHARED, MAP_ANONYMOUS))
    not_executable = [] if executable_memory else [(_low(2), PROT_EXEC, (0,))]
    rules = {
        "mmap": Rule([counted, *not_executable]),
        "mprotect": Rule(not_executable),
        "madvise": Rule([(_low(2), _ALL, _ADVICE)], errno.EINVAL),
        "fcntl": Rule([(_low(1), _ALL, _NO_LOCKS), (_low(2), _O_ASYNC, (0,))]),
        "sendto": Rule([(_low(3), _ALL, (0, _MSG_NOSIGNAL)), (_low(4), _ALL, (0,)), (_high(4), _ALL, (0,))]),
        "recvfrom": Rule([(_low(3), ~(_MSG_DONTWAIT | _MSG_PEEK | _MSG_WAITALL) & _ALL, (0,))]),
        "getpriority": Rule([(_low(1), _ALL, (0,))]),
        "ioctl": Rule([] if devices else [(_low(1), _ALL, _TERMINAL)], errno.ENOTTY),
        "prctl": Rule([(_low(0), _ALL, _NAMES)]),
        "prlimit64": Rule([(_low(0), _ALL, (0,)), (_low(2), _ALL, (0,)), (_high(2), _ALL, (0,))]),
        "clone3": Rule([(_low(0), 0, ())], errno.ENOSYS),
    }
    rules |= dict.fromkeys(_OWN.split(), Rule([(_low(0), _ALL, (0,))]))
    rules |= dict.fromkeys(_CLOCKS.split(), Rule([(_low(0), _ALL, _CLOCK_NUMBERS)], errno.EINVAL))
    if threads:
        rules["clone"] = Rule([(_low(0), _THREAD | CLONE_PTRACE | CLONE_VFORK | CLONE_NEW, (_THREAD,))])
    return rules


def supported() -> bool:
    """Whether there is a table of system calls for this machine."""
    return kernel.machine() in AUDIT_ARCH


def filter_program(
    machine: str, *, threads: bool = True, executable_memory: bool = False, devices: bool = False
) -> bytes:
    """The filter as BPF instructions of 8 bytes each.

    Args:
        machine: x86_64 or aarch64.
        threads: whether threads may be started.
        executable_memory: whether memory may be made executable; libraries that compile at run time (oneDNN) need it.
        devices: whether what is open may be asked whatever it understands (ioctl): a GPU's driver.

    Raises:
        KeyError: no table for this machine.
    """
    numbers = NUMBERS[machine]
    program = [
        _statement(_LOAD, _OFFSET_ARCH),
        _jump(_EQUAL, AUDIT_ARCH[machine], 1, 0),
        _statement(_RETURN, KILL_PROCESS),
        _statement(_LOAD, _OFFSET_NUMBER),
        *([_jump(_AT_LEAST, X32_BIT, 0, 1), _statement(_RETURN, KILL_PROCESS)] if machine == "x86_64" else []),
    ]
    for name, rule in _rules(threads, executable_memory, devices).items():
        if name in numbers:
            program += _when(numbers[name], _conditions(rule))
    for names, action in ((_ALLOWED, ALLOW), (_PATHS, ERRNO | errno.ENOENT)):
        for name in names.split():
            if name in numbers:
                program += _when(numbers[name], [_statement(_RETURN, action)])
    return b"".join([*program, _statement(_RETURN, ERRNO | errno.EPERM)])


def install(program: bytes) -> None:
    """Put the filter in force for all threads of this process and all that they start, for good.

    Needs no-new-privs, which the other threads get with it.

    Raises:
        OSError: it is not in force for every thread.
    """
    code = ctypes.create_string_buffer(program, len(program))
    pointer = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)), 16)
    if kernel.seccomp(_SET_MODE_FILTER, _FOR_ALL_THREADS, ctypes.byref(pointer)):
        raise OSError(errno.EBUSY, "a thread has another filter")


def _statement(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    """Skip so many instructions."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _when(number: int, block: Iterable[bytes]) -> list[bytes]:
    """A block that ends in a return, for one system call."""
    block = list(block)
    return [_jump(_EQUAL, number, 0, len(block)), *block]


def _conditions(rule: Rule) -> list[bytes]:
    """Each condition leads on or returns the error; the last leads to the permission."""
    refuse = _statement(_RETURN, ERRNO | rule.otherwise)
    program: list[bytes] = []
    for where, mask, values in rule.conditions:
        tests = [_jump(_EQUAL, value, len(values) - index, 0) for index, value in enumerate(values)]
        program += [_statement(_LOAD, where), _statement(_AND, mask), *tests, refuse]
    return [*program, _statement(_RETURN, ALLOW)]


_NUMBERS_X86_64 = """
read 0 write 1 open 2 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12
rt_sigaction 13 rt_sigprocmask 14 rt_sigreturn 15 ioctl 16 pread64 17 pwrite64 18 readv 19 writev 20 access 21
select 23 sched_yield 24 mremap 25 madvise 28 dup 32 dup2 33 pause 34 nanosleep 35 getitimer 36 alarm 37 setitimer 38
getpid 39 sendto 44 recvfrom 45 clone 56 exit 60 uname 63 fcntl 72 truncate 76 getdents 78 getcwd 79 chdir 80
rename 82 mkdir 83 rmdir 84 creat 85 link 86 unlink 87 symlink 88 readlink 89 chmod 90 chown 92 lchown 94 umask 95
gettimeofday 96 getrlimit 97 getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104 geteuid 107 getegid 108
getppid 110 getpgrp 111 getgroups 115 getresuid 118 getresgid 120 getpgid 121 getsid 124 rt_sigpending 127
rt_sigtimedwait 128 rt_sigsuspend 130 sigaltstack 131 utime 132 mknod 133 statfs 137 getpriority 140
sched_getparam 143 sched_getscheduler 145 sched_get_priority_max 146 sched_get_priority_min 147 prctl 157 gettid 186
time 201 futex 202 sched_getaffinity 204 getdents64 217 set_tid_address 218 restart_syscall 219 clock_gettime 228
clock_getres 229 clock_nanosleep 230 exit_group 231 utimes 235 mbind 237 get_mempolicy 239 openat 257 mkdirat 258
mknodat 259 fchownat 260 newfstatat 262 unlinkat 263 renameat 264 linkat 265 symlinkat 266 readlinkat 267
fchmodat 268 faccessat 269 pselect6 270 ppoll 271 set_robust_list 273 utimensat 280 dup3 292
prlimit64 302 getcpu 309 renameat2 316 getrandom 318 membarrier 324 statx 332 rseq 334 clone3 435 openat2 437
faccessat2 439
"""
_NUMBERS_AARCH64 = """
getcwd 17 dup 23 dup3 24 fcntl 25 ioctl 29 mknodat 33 mkdirat 34 unlinkat 35 symlinkat 36 linkat 37 renameat 38
statfs 43 truncate 45 faccessat 48 chdir 49 fchmodat 53 fchownat 54 openat 56 close 57 getdents64 61 lseek 62 read 63
write 64 readv 65 writev 66 pread64 67 pwrite64 68 pselect6 72 ppoll 73 readlinkat 78 newfstatat 79 fstat 80
utimensat 88 exit 93 exit_group 94 set_tid_address 96 futex 98 set_robust_list 99 nanosleep 101
getitimer 102 setitimer 103 clock_gettime 113 clock_getres 114 clock_nanosleep 115 sched_getscheduler 120
sched_getparam 121 sched_getaffinity 123 sched_yield 124 sched_get_priority_max 125 sched_get_priority_min 126
restart_syscall 128 sigaltstack 132 rt_sigsuspend 133 rt_sigaction 134 rt_sigprocmask 135 rt_sigpending 136
rt_sigtimedwait 137 rt_sigreturn 139 getpriority 141 getresuid 148 getresgid 150 times 153 getpgid 155 getsid 156
getgroups 158 uname 160 getrlimit 163 getrusage 165 umask 166 prctl 167 getcpu 168 gettimeofday 169 getpid 172
getppid 173 getuid 174 geteuid 175 getgid 176 getegid 177 gettid 178 sysinfo 179 sendto 206 recvfrom 207 brk 214
munmap 215 mremap 216 clone 220 mmap 222 mprotect 226 madvise 233 mbind 235 get_mempolicy 236 prlimit64 261
renameat2 276 getrandom 278 membarrier 283 statx 291 rseq 293 clone3 435 openat2 437 faccessat2 439
"""


def _table(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


NUMBERS: Final = {"x86_64": _table(_NUMBERS_X86_64), "aarch64": _table(_NUMBERS_AARCH64)}
"""Numbers of the system calls named above, from the kernel's tables; a name that is missing does not exist there."""
