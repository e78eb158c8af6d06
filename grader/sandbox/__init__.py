"""Where student code runs, how the judge speaks to it, and what stands around it.

Roles. The *judge* holds the reference, the tolerances and the points. A *zygote* has imported all that a submission
may import, and holds no secret. A *child* is its fork: it holds one student's code and nothing else; it is given
calls and gives back arrays. `wire` is all that judge and child share.

    judge: pool.Sandbox -- warm.Zygote == control socket == zygote.main --+
           process.ChildProcess == socket, raw bytes == worker.serve <-fork-+ -> executor.Executor -> student's code
    pytest door: inprocess.InProcess                                          -> executor.Executor -> student's code
    no wall to be had, or --unsafe: spawned.Spawned, an exec a child          -> worker.main

Life of a zygote. Started by exec with a clean environment (`boot`), it tries every layer of the `wall` in throw-away
children, enters its namespaces, imports everything (`preload`), exchanges the file system for an empty folder, freezes
what the garbage collector knows, and says which layers stand. It has answered some calls by then, on a submission of
our own: what Python learns about code when it first runs, children find there (`worker.rehearse`). Then it forks and
reaps, as it is told to. It is replaced after some hundred forks, or when it does not answer; it ends when the judge
hangs up.

Profiles. Where an assignment is graded with NumPy, the child has no torch at all. Where it is declared for torch,
arguments are tensors and autograd is refused while student code runs, which deters and does not wall in: `profiles`
says what differs, `tensors` turns arrays into tensors and back, `autograd` refuses and lists what it can't. On a
pretend GPU (`pretend_cuda`, `pretend_runtime`) the tensors say cuda:0 and keep its rules. JAX
(`jaxarrays`) works with threads, which a fork leaves behind: each child starts its own, before it is confined and with
nothing of a submission in it, and the seccomp filter is put on all of them. Its zygote keeps one file, /dev/urandom.

Life of a child. It is forked (milliseconds), puts its own layers up, says so with one byte, is sent the submission,
loads it from memory and answers calls until it is closed, runs past a deadline or breaks the protocol; then it is
killed with all that it started, and its zygote reaps it when it has ended. The next call begins with another one: what
a submission does costs the call it did it in. So does the next exercise, unless every call returned and the child is
seen to be as it was when it had loaded the submission (`leftovers`): then it goes on. Calls that are known beforehand
(the four points of a difference; all of a check, if others were asked the same) are asked in one go, and answered in
one (`foresight`).

A wrong function may be answered by the judge in its stead while what calls it is judged once more (`stand_ins`,
grader.answering): then the child asks in the middle of a call, in a reply's form, and waits. Only a child that was
started for this may. It goes on to nothing else.

What the judge never does: unpickle, evaluate or parse as JSON anything from a child; allocate more than the call
allows because a header says so; wait past a deadline; take file descriptors.


Threat model. The submission is hostile, runs any machine code it likes in its child, and wants points that it did not
earn, what the judge or other students have, or to do harm. What stops it, from what is worth most:

    nothing to forge          the child never holds an expected value, a tolerance, a point or a seed. It can lie in
                              its replies only as it could return wrong arrays. Nothing else depends on the rest.
    nothing to learn in time  answers are given of functions that were judged before, to a child that is ended with
                              the part. What they may cost the judge is counted before it is paid, and bounded
    seccomp                   files, sockets, new processes, signals, ptrace and other processes' memory, shared memory,
                              IPC, keyrings, locks, mounts, namespaces, limits, exotic and foreign system calls.
                              Alone, with limits, it stops every attack of tests/attacks.
    resource limits           memory, CPU time, descriptors, file sizes, threads (with a user of its own)
    not dumpable, own user    another child, the zygote or the judge as a target of ptrace or of signals
    Landlock                  files, TCP and signals, if seccomp had a hole
    namespaces, empty root    the same for the network, IPC, mounts, and even the names and sizes of files
    PID namespace a child     what it started dies with it
    death signal              children die with their zygote
    judge's clock             loops, sleep, slow replies

What nothing stops, and why it is worth nothing:

    noticing the grader       frames, modules and the socket show it. Inputs are drawn at random and every call counts:
                              there is no other occasion to behave well at.
    state between calls       globals live until the child ends. No expected value ever arrives, and a case's arrays do
                              not come twice but where the check asks twice on purpose: to see whether state leaks.
                              Each exercise has a child of its own, or one that says that nothing was left in it: if
                              it lies, its own exercises are no longer apart. With a private seed it is not asked.
    replies by hand           a reply with the right nonce, from the worker's frame, is just another return value.
    its own process           it may break the worker, NumPy or Python in its child: that costs its own checks.
    using up its limits       is told as such, and costs the checks it did so in.

What is not covered: bugs of the kernel behind the allowed calls (poll, mmap, futex, ...), caches and timing as a
channel between submissions, CPU contention. With a GPU none of this holds as it is: its driver needs files and ioctl.

In the profile without torch there is no autograd to borrow. With torch, autograd is refused in the process of the
student's own code: a deterrent, which says so (`autograd`).
"""
