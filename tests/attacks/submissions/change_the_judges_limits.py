"""Changes another process's limits: the judge's, so that it fails later."""
import resource

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for pid in {target.JUDGE_PID, target.SIBLING_PID, *target.ZYGOTE_PIDS} - {0}:
        soft, hard = attempt(f"read {pid}", resource.prlimit, pid, resource.RLIMIT_SIGPENDING) or (8, 8)
        attempt(f"write {pid}", resource.prlimit, pid, resource.RLIMIT_SIGPENDING, (max(soft - 1, 0), hard))
