"""Tries the kernel's back rooms, each with arguments that can do nothing: what complains of them is open."""
from raw import MACHINE, attempt, reached

CALLS = {
    "bpf": (0, 0, 0),
    "perf_event_open": (0, 0, -1, -1, 0),
    "userfaultfd": (0,),
    "io_setup": (0, 0),
    "splice": (-1, 0, -1, 0, 0, 0),
    "tee": (-1, -1, 0, 0),
    "vmsplice": (-1, 0, 0, 0),
    "copy_file_range": (-1, 0, -1, 0, 0, 0),
    "finit_module": (-1, b"", 0),
    "kexec_load": (0, 99, 0, 0),
    "quotactl": (-1, 0, 0, 0),
    "quotactl_fd": (-1, 0, 0, 0),
    "settimeofday": (1, 0),
    "clock_settime": (0, 1),
    "clock_adjtime": (0, 1),
    "sethostname": (1, 4),
    "process_madvise": (-1, 0, 0, 0, 0),
    "process_mrelease": (-1, 0),
    "move_pages": (0, 1, 1, 1, 1, 2),
    "cachestat": (-1, 0, 0, 0),
    "lsm_list_modules": (0, 0, 0),
    "remap_file_pages": (1, 4096, 1, 0, 0),
    "signalfd4": (-1, 0, 0, 0),
    "pkey_alloc": (1, 99),
    "open_tree_attr": (-1, b"", 0, 0, 0),
    "modify_ldt": (99, 0, 0),
    "iopl": (99,),
    "ioperm": (0, 0, 0),
}


def double(x):
    return 2 * x


def square(x):
    for name, args in CALLS.items():
        attempt(name, reached, name, *args)
    print(MACHINE)
