"""A class as pages: what is told of it (tally), where a student's page is (addresses), the files (site), the lesson.

    SITE/index.html          the overview, with names: for whoever teaches
    SITE/parts/, mistakes/   who is behind a number of it
    SITE/students/           a page a student, at an address that nobody can guess: what may be put on the web

Nothing below students/ links out of it or says what else is there. Without names (`anonymous`) index.html and the
lesson are all there is, and no number in them tells of fewer than FEWEST students.
"""
