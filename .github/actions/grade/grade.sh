#!/usr/bin/env bash
# Grades one submission as a step of a job: runs `grader grade`, and tells GitHub what came out.
#
# What it is to do comes by the environment alone, so that no input of a workflow becomes part of a command:
#
#   GRADMARK_SUBMISSION   what is graded: a folder, a .py file, a notebook or a .zip
#   GRADMARK_ASSIGNMENT   its assignment: the name of a topic that came with gradmark, or a path, which has a / in it;
#                         what `grader grade` takes by itself if empty
#   GRADMARK_SEED         private seed of the hidden cases, if any. `grader grade` reads it from there: it is never an
#                         argument, and never printed but to have it masked
#   GRADMARK_REQUIRE      least wall: full, seccomp (the default) or none
#   GRADMARK_DEVICE       cpu, cuda or auto (the default)
#   GRADMARK_REPORT       where the JSON report goes; gradmark-report.json in $RUNNER_TEMP, or here, if empty
#   GRADMARK_FAIL_ON      any (the default), or never: then a wrong submission does not fail the step
#   GRADMARK_PYTHON       an interpreter that has gradmark; python3 if empty
#
# Exit code: 0 everything passed, 1 something failed, 2 could not grade. Without GitHub's own variables, on GitLab or at
# a desk, it prints and writes the report, and that is all.
set -Eeuo pipefail

submission=${GRADMARK_SUBMISSION:-}
report=${GRADMARK_REPORT:-${RUNNER_TEMP:-.}/gradmark-report.json}
fail_on=${GRADMARK_FAIL_ON:-any}
python=${GRADMARK_PYTHON:-python3}
assignment=${GRADMARK_ASSIGNMENT:-}

# annotate LEVEL TEXT: a line at the top of the run's page; elsewhere a line on stderr.
annotate() {
    local level=$1 text=$2
    if [[ ${GITHUB_ACTIONS:-} == true ]]; then
        text=${text//'%'/%25} text=${text//$'\r'/%0D} text=${text//$'\n'/%0A}
        printf '::%s title=gradmark::%s\n' "$level" "$text"
    else
        printf '%s: %s\n' "$level" "$text" >&2
    fi
}

# from_here PATH: the path of a thing that is named from the working directory.
from_here() {
    if [[ $1 == /* ]]; then printf '%s' "$1"; else printf '%s' "$PWD/$1"; fi
}

# output NAME VALUE: what later steps can read.
output() {
    [[ -z ${GITHUB_OUTPUT:-} ]] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# could_not_grade TEXT [CODE]: ends the script. Never with 1, which would say that the submission failed.
could_not_grade() {
    trap - ERR
    annotate error "$1"
    [[ -n ${verdict:-} ]] || output verdict undecided
    if [[ -n ${GITHUB_STEP_SUMMARY:-} && ! -s $GITHUB_STEP_SUMMARY ]]; then
        printf '## gradmark could not grade this submission\n\nThe log of the step says why.\n' >>"$GITHUB_STEP_SUMMARY"
    fi
    exit "${2:-2}"
}
trap 'could_not_grade "grade.sh failed in line $LINENO"' ERR

# show FILE: prints what may hold a student's words, with nobody listening: GitHub takes `::error::` at the start of any
# line, and `##[error]` anywhere in one, for a command. The word that makes it listen again can't be guessed.
show() {
    [[ -s $1 ]] || return 0
    if [[ ${GITHUB_ACTIONS:-} == true ]]; then
        local word
        word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        printf '::stop-commands::%s\n' "$word"
        cat -- "$1"
        printf '\n::%s::\n' "$word"
    else
        cat -- "$1"
    fi
}

# ------------------------------------------------------------------------------------------------- what is asked

[[ -n $submission ]] || could_not_grade "which submission? The input 'submission' is empty"
[[ $report != *[$'\r\n']* ]] || could_not_grade "the input 'report' has more than one line"
[[ $fail_on == any || $fail_on == never ]] || could_not_grade "fail-on is '$fail_on'; it can be any or never"
report=$(from_here "$report")
[[ $assignment != */* ]] || assignment=$(from_here "$assignment")
[[ $python != */* ]] || python=$(from_here "$python")

GRADMARK_SEED=${GRADMARK_SEED:-}
GRADMARK_SEED=${GRADMARK_SEED//[[:space:]]/} # secrets like to end with a new line
if [[ -z $GRADMARK_SEED ]]; then
    unset GRADMARK_SEED
else
    [[ ${GITHUB_ACTIONS:-} != true ]] || printf '::add-mask::%s\n' "$GRADMARK_SEED"
    [[ $GRADMARK_SEED =~ ^[0-9]+$ ]] || could_not_grade "the seed is not a whole number (it is a secret: not shown here)"
fi

arguments=(--require "${GRADMARK_REQUIRE:-seccomp}" --device "${GRADMARK_DEVICE:-auto}" --report "$report")
[[ -z $assignment ]] || arguments+=(--assignment "$assignment")
[[ -z ${GITHUB_STEP_SUMMARY:-} ]] || arguments+=(--summary "$GITHUB_STEP_SUMMARY")
arguments+=(-- "$(from_here "$submission")")

# ------------------------------------------------------------------------------------------------- grading

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
mkdir -p -- "$(dirname -- "$report")"
rm -f -- "$report" # of an earlier run: it is not to be taken for this one's

# Elsewhere, because the working directory may be a student's: their click.py is not to be imported by the grader, and
# their mlp/assignment.toml is not the assignment mlp.
cd -- "$scratch"

# In the background, so that a job that is cancelled can have it end in order, with no process left behind.
grader=
trap 'kill -TERM "$grader" 2>/dev/null || true' INT TERM
"$python" -m grader grade "${arguments[@]}" </dev/null >"$scratch/out" 2>"$scratch/err" &
grader=$!
code=0
wait "$grader" || code=$?
while kill -0 "$grader" 2>/dev/null; do # it was a signal that ended the waiting, not the grader
    code=0
    wait "$grader" || code=$?
done
trap - INT TERM

# ------------------------------------------------------------------------------------------------- what came out

# On stdout both: only one stream keeps its order among the lines that GitHub reads.
show "$scratch/out"
show "$scratch/err"
why=$(grep -v '^[[:space:]]*$' "$scratch/err" | tail -n 1 || true)
why=${why#grader: }
((code <= 128)) || why="it was ended before it was done"

if [[ ! -f $report ]]; then
    ((code >= 2)) || code=2 # Python's own 1: there is no gradmark
    could_not_grade "$submission: ${why:-nothing was graded}" "$code"
fi

facts=$("$python" -c '
import sys
from pathlib import Path
from grader.report.console import points, score_text
from grader.report.model import read_report
score = read_report(Path(sys.argv[1])).score
print(points(score.earned), points(score.possible), score.verdict, score_text(score))
' "$report")
read -r score possible verdict text <<<"$facts"
output score "$score"
output possible "$possible"
output verdict "$verdict"
output report "$report"

case $code in
    0) annotate notice "$submission: $text" ;;
    1)
        if [[ $fail_on == never ]]; then
            annotate warning "$submission: $text"
            exit 0
        fi
        annotate error "$submission: $text"
        exit 1
        ;;
    *) could_not_grade "$submission: $text. ${why:-It could not be graded}" "$code" ;;
esac
