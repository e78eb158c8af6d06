"""The judge: a student's answers on one case, against the reference and against themselves. Pure but for the asking."""
