#!/usr/bin/env bash
# Grades one submission on @PLATFORM@. Written by `grader package`, gradmark @VERSION@.
#
# Runs as root. What was handed in is only read by root; it runs behind gradmark's wall, as a user of its own, who can
# open no file. The course, the hidden seed and the results are root's alone from the second line that runs.
# However this ends there is a results.json, and one that holds no grade says so, and whose fault it is.
set -uo pipefail
umask 077
home=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")@UP@" && pwd -P)
course=$home/@SOURCE@
results=$home/results/results.json
mkdir -p -- "$home/results"
chmod -R go-rwx -- "$course" "$home/results"
rm -rf -- "$results"
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

python=$home/venv/bin/python # where setup.sh made one
[[ -x $python ]] || python=python3

# not_graded FAULT WHY: what students read where there is no grade. Plain words, as it is put into JSON as it is.
not_graded() {
    local text="NOT GRADED: $2. This is $1 fault, not yours: your work is not judged, and there is no grade yet."
    text+=" @STAFF@"
    printf '@NOT_GRADED@\n' "$text" "$text" >"$scratch/results.json"
    echo "gradmark: not graded: $2 ($1 fault)"
    hand_over
}

# hand_over: ends the script. No code of the submission runs any more.
hand_over() {
    chmod 644 -- "$scratch/results.json"
    mv -- "$scratch/results.json" "$results"
    chmod 755 -- "$home/results"
    exit 0
}

grader=
trap 'kill -TERM "$grader" 2>/dev/null; not_graded "this machine'\''s" "grading was ended before it was done"' INT TERM
[[ -s $course/seed ]] || not_graded "the set-up's" "the seed of the hidden cases is not there"

# From the course's folder, so that the rerun lines are those of a handout. In the background: a signal is taken at once.
cd -- "$course/course" || not_graded "the set-up's" "the course is not there"
GRADMARK_SEED=$(<"$course/seed") timeout --kill-after=10 @STOP@ "$python" -P -m grader grade "$home/@SUBMISSION@" \
    --assignment ./@MANIFEST@ --within @WITHIN@ --memory @MEMORY@ --require seccomp --device @DEVICE@ \
    --report "$scratch/report.json" </dev/null >"$scratch/out" 2>"$scratch/err" &
grader=$!
wait "$grader"
code=$?
cat -- "$scratch/out" "$scratch/err" # for the staff: students are not shown it

if [[ -s $scratch/report.json ]]; then
    "$python" -P -m grader export "$scratch/report.json" --format @FORMAT@ --out "$scratch/results.json"
    [[ ! -s $scratch/results.json ]] || hand_over
    not_graded "gradmark's" "the result could not be written as @PLATFORM@ reads it"
fi

# Whose fault: the last line says it. The rest of it is for the staff: it may name what students are not to know.
case $code:$(tail -n 1 -- "$scratch/err") in
    124:*) not_graded "this machine's" "grading took longer than @STOP@ seconds" ;;
    137:*) not_graded "this machine's" "grading was killed, as memory or time were used up" ;;
    *": the course is at fault: "*) not_graded "the course's" "the assignment can't be graded as it is" ;;
    *": this machine is at fault: "*) not_graded "this machine's" "nothing could be graded here" ;;
    *) not_graded "the set-up's" "gradmark did not run" ;;
esac
