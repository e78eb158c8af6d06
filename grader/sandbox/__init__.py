"""Where student code runs, and how the judge speaks to it.

Roles. The *judge* holds the reference, the tolerances and the points. The *child* is a process of its own that
holds the student's code and nothing else: it is given calls and gives back arrays. `wire` is all that they share.

    judge: process.ChildProcess  == socket, raw bytes ==  child: worker.main -> executor.Executor -> student's code
    pytest door:                  inprocess.InProcess  ->  executor.Executor -> student's code

Two profiles. Where an assignment is graded with NumPy, the child has no torch at all. Where it is declared for torch,
arguments are tensors and autograd is refused while student code runs, which deters and does not wall in: `profiles`
says what differs, `tensors` turns arrays into tensors and back, `autograd` refuses and lists what it can't.

Life of a child. It is started by exec with a clean environment, no inherited descriptors but its end of the socket,
an empty working folder and no standard input; it loads the submission from memory; it answers calls until it is
closed, runs past a deadline, or breaks the protocol, and is then killed with its process group. The next call starts
another one: what a submission does costs the call it did it in.

What the judge never does: unpickle, evaluate or parse as JSON anything from the child; allocate more than the call
allows because a header says so; wait past a deadline; take file descriptors.

What this version does not stop: a submission runs with the rights of the user who grades. It can't forge a score
(the child never holds an expected value and its replies are only arrays), but it could read that user's files or use
the network. The wall against that is the next layer beneath; until it stands, `isolation` in the report names the
process, its limits and the missing torch, and nothing more.
"""
