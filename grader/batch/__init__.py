"""A class: many submissions, graded on every core or on many machines, and nothing lost.

    handins     a folder, a zip or the download of an LMS -> the hand-ins of a class
    running     hand-ins -> tasks; what is known already is skipped; each result goes into the gradebook at once
    judges      tasks -> reports, on this machine: warm judges, one a core
    cluster     tasks -> reports, on a Dask cluster
    comparing   which points another grading changes, and why
    summary     what is told of a class

One process reads the hand-ins and writes the gradebook; it holds no torch and runs nothing of a student's. Whoever
grades (a judge, a worker of a cluster) gets a Submission and gives back a sealed report, and may be killed at any
moment: its submission is given to another one. A submission that ends whoever grades it twice is reported as not
graded, by the machine's fault, and the class goes on.

A result is in the gradebook, on the disk, before the next one is taken. So a run that ended in whatever way goes on
where it was when the same command is given again: what has the same submission, assignment, gradmark and seed is there.
"""
