#!/usr/bin/env bash
# Makes gradmark @VERSION@ ready in the image; runs once, as root. Written by `grader package`.
set -euo pipefail
source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
chmod -R go-rwx -- "$source"

has_gradmark() { "$1" -P -c 'import sys, grader; sys.exit(grader.__version__ != "@VERSION@")' 2>/dev/null; }
is_new_enough() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if has_gradmark python3; then
    echo "gradmark @VERSION@ is there already"
    exit 0
fi

python=
for name in python3.13 python3.12 python3.11 python3; do
    if is_new_enough "$name"; then python=$name && break; fi
done
if [[ -z $python ]]; then
    apt-get update -q
    for name in python3.12 python3.11; do # the first is Ubuntu 24.04's, the second 22.04's
        if apt-get install -q -y --no-install-recommends "$name" "$name-venv"; then python=$name && break; fi
    done
fi
if [[ -z $python ]]; then
    echo "gradmark needs Python 3.11 or newer, and this image has none: choose Ubuntu 24.04" >&2
    exit 1
fi

"$python" -I -m venv "$source/../venv"
pip=("$source/../venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-cache-dir)
@TORCH@
"${pip[@]}" @GRADMARK@
has_gradmark "$source/../venv/bin/python"
