"""Reports and gradebooks in other people's formats, one file a format; each is pure, and says whose rules it follows.

Two kinds. A *report* format tells all of one report: Gradescope's results.json, a payload of LTI. A *class* format is a
table with a line a student: what a gradebook imports. `formats` lists both, `grader export` is the door.

What all of them share:

    grades      what becomes of points that nobody decided (the course's or a machine's fault) or that are pending:
                counted as zero, left out of the maximum, or the grade is held back. Always the user's choice.
    students    by which ids a student is known where; who is who is never guessed
    telling     what is said of a part in plain text, bounded
    sheets      tables: cells that no spreadsheet runs, and one column of somebody else's file filled in

A check of a hidden case is told as part of what it belongs to, without its values (the report has none), and is never
hidden from view: graders that show no total beside hidden tests would show none.
"""
