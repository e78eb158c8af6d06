"""What is expected of the attacks that differ from the usual.

The usual: the wall stops it, so it says GOT nowhere and no check outside finds a trace; without a wall it bites, so
the attack is no paper tiger. `double`, which the file gets right, earns its point; `square` fails by the student's
own fault. An attack that is like that needs nothing here: its file is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUE", "Expected", "expected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How one attack differs, with why."""

    why: str = ""
    """Why it never bites, may say GOT, or depends on the machine."""
    earned: int = 1
    findings: frozenset[str] = frozenset()
    """One of these codes must be among `square`'s findings: evidence that the attack did what it says."""
    harmless: bool = False
    """It says GOT, wall or none, and gains nothing by it."""
    bites: bool | None = True
    """Without a wall it gets something. If not: what the judge itself does is enough, wall or none. None: that depends
    on the machine (its kernel, the rights of whoever grades), and where it gets nothing the test is skipped."""
    times: int = 1
    """How often it is graded, one after the other: for what one submission could leave to the next."""
    call_seconds: float = 10.0
    load_seconds: float = 20.0


SHORT = 0.7
"""Deadline of what is known to run past any."""


def own(*findings: str, why: str = "costs the call that it happens in", **more: object) -> Expected:
    """Harms only itself, wall or none."""
    return Expected(findings=frozenset(findings), bites=False, why=why, **more)  # type: ignore[arg-type]


def each(names: str, expected: Expected) -> dict[str, Expected]:
    """The same for several."""
    return dict.fromkeys(names.split(), expected)


HANGS = each(
    """busy_in_c busy_with_numbers cpu_limit_handler deep_recursion endless_exceptions endless_loop endless_loop_deaf
    forge_and_hang hooks_for_the_end patch_the_standard_library sleep_forever slow_reply wait_forever""",
    own("TIMED_OUT", "KILLED", "RAISED", why="costs the time of one call", call_seconds=SHORT),
) | {
    "stop_itself": own("TIMED_OUT", "RAISED", why="may stop only itself", call_seconds=SHORT),
    "endless_loop_at_import": own("DOES_NOT_LOAD", why="nothing is loaded", earned=0, load_seconds=SHORT),
}

ENDS = each(
    """abort bad_machine_code close_the_socket exit_in_call hang_up_one_way kill_its_group replace_the_socket
    segmentation_fault empty_the_modules""",
    own("KILLED", "RAISED"),
) | {
    "alarm": own(
        "KILLED", "RAISED", "TIMED_OUT", why="the first process of a namespace is deaf to it", call_seconds=2.0
    ),
    "exit_at_import": own("DOES_NOT_LOAD", why="nothing is loaded", earned=0),
    "forge_the_loading": own("KILLED", why="what it says it has isn't there when it is asked", earned=0),
}

RAISES = each(
    """deep_recursion_in_c exception_chain exception_with_many_words exception_without_words generator_exit
    input_from_nowhere keyboard_interrupt system_exit_at_import""",
    own("RAISED"),
) | {
    "exception_of_the_graders": own("MALFORMED", "RAISED"),
    "trace_the_worker": own("RAISED", "KILLED", "MALFORMED", "WRONG_VALUE"),
}

FORGES = each(
    """dump_into_the_socket flood_the_judge forge_a_deep_tree forge_a_huge_array forge_a_long_text
    forge_a_negative_shape forge_a_pickle forge_a_pickled_array forge_a_wide_tree forge_an_overflow
    forge_an_unknown_kind forge_another_answer forge_colours forge_many_arrays forge_with_the_nonce
    forge_without_a_nonce result_larger_than_asked result_larger_than_asked_past_the_worker""",
    own("MALFORMED", why="the judge takes numbers only, as many as it asked for, in answer to what it asked"),
) | {
    "send_descriptors": own("MALFORMED", "RAISED", "WRONG_STRUCTURE", why="the judge takes no descriptors"),
}

ONLY_A_WRONG_VALUE = "whatever it does to its own process, what comes out is held against the reference elsewhere"
PATCHES = each(
    """ask_for_another_function change_the_workers_frames lie_about_time patch_builtins patch_numpy poison_imports
    no_standard_output""",
    own("WRONG_VALUE", "RAISED", "KILLED", why=ONLY_A_WRONG_VALUE),
) | each(
    """audit_the_worker change_the_number_one garbage patch_the_worker patch_the_worker_to_pass""",
    own("WRONG_VALUE", "WRONG_STRUCTURE", "MALFORMED", "RAISED", "KILLED", "TIMED_OUT", why=ONLY_A_WRONG_VALUE),
)

RESULTS = {
    name: own(*codes.split(), why="a result is looked at by its type, and never asked")
    for name, codes in {
        "read_beyond_an_array": "WRONG_SHAPE KILLED",
        "result_broadcasts": "WRONG_STRUCTURE",
        "result_changes_later": "WRONG_SHAPE WRONG_VALUE KILLED",
        "result_empty": "WRONG_SHAPE",
        "result_equals_everything": "WRONG_STRUCTURE",
        "result_in_its_argument": "MUTATES_ARGUMENT",
        "result_lazy": "WRONG_STRUCTURE",
        "result_masked": "WRONG_STRUCTURE",
        "result_not_finite": "NOT_FINITE",
        "result_of_a_lying_class": "WRONG_SHAPE",
        "result_of_a_million_digits": "WRONG_STRUCTURE",
        "result_of_another_kind": "WRONG_DTYPE",
        "result_of_nine_dimensions": "MALFORMED",
        "result_of_no_numbers": "WRONG_STRUCTURE",
        "result_of_objects": "WRONG_STRUCTURE",
        "result_that_is_never_done": "MALFORMED",
        "result_that_lies": "WRONG_SHAPE",
        "result_too_large": "MALFORMED",
        "result_with_its_own_array": "WRONG_STRUCTURE",
        "result_with_odd_keys": "MALFORMED",
        "result_with_too_many_leaves": "MALFORMED",
    }.items()
}

OUTPUT = each(
    "grow_the_output print_colours print_flood rewrite_its_output",
    own(why="what is printed goes into a file of a fixed size, and is shown as text"),
)

LIMITED = each(
    "memory_bomb_brk memory_bomb_in_c memory_bomb_in_the_kernel memory_bomb_numpy memory_bomb_python",
    own(why="limits hold without a wall"),
)

NOTHING_THERE = each(
    "import_torch inherited_descriptors order_from_the_zygote read_environment read_objects read_own_memory",
    own(why="its process never held it"),
)

HARMLESS = {
    "leave_its_session": own(why="it leads a session of its own, which can't be left"),
    "notice_the_grader": Expected(
        harmless=True, why="it can't be hidden: what is asked is random, and the self-check takes the same way"
    ),
    "remember_between_calls": Expected(
        harmless=True, why="no expected value ever enters its process, and no input comes twice"
    ),
    "thread_bomb": Expected(
        harmless=True, why="threads are allowed: they end with it, and cost its own time", call_seconds=3.0
    ),
    "threads_go_on": own(why="threads end with the process"),
}

LASTING = {
    "leave_for_the_next": Expected(times=2, why="what one leaves, the next may find"),
}

DEPENDS = {
    "call_by_other_numbers": "kernels are seldom built for x32",
    "call_the_32_bit_kernel": "on x86-64, where 32-bit programs run",
    "io_uring": "an administrator can switch it off",
    "keyrings": "containers have none",
    "kill_the_zygotes": "there are zygotes only where there is a wall",
    "list_mounts": "from Linux 6.8",
    "message_queues": "a kernel may have none",
    "raise_its_limits": "takes a right that root need not have",
    "urgent_data": "a kernel may have none",
}
ROOT = "become_somebody_else change_the_root mount_something type_into_the_terminal"

CATALOGUE: dict[str, Expected] = {
    **HANGS,
    **ENDS,
    **RAISES,
    **FORGES,
    **PATCHES,
    **RESULTS,
    **OUTPUT,
    **LIMITED,
    **NOTHING_THERE,
    **HARMLESS,
    **LASTING,
    **{name: Expected(bites=None, why=why) for name, why in DEPENDS.items()},
    **each(ROOT, Expected(bites=None, why="takes root's rights")),
}


def expected(name: str) -> Expected:
    """What is expected of an attack."""
    return CATALOGUE.get(name, Expected())
