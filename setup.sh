#!/bin/sh
# Finds a Python that is new enough and lets evcs/setup/venv.py make .venv from requirements.lock; instant when nothing changed.
# PYTHON=/path/to/python3 chooses the Python.
set -u
cd "$(dirname "$0")" || exit 1

# The two files are written last by evcs/setup/venv.py: the lock it installed, and where it did so (a moved .venv is made anew).
if [ -x .venv/bin/python ] && cmp -s requirements.lock .venv/evcs-installed.lock \
  && [ "$(cat .venv/evcs-installed.at 2>/dev/null)" = "$(pwd -P)/.venv" ] && .venv/bin/python -c '' 2>/dev/null; then
  exit 0
fi

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
seen=''
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
  # A shim of pyenv may stand in the path and still refuse to run: only running it tells.
  if version=$("$candidate" -c 'import platform; print(platform.python_version())' 2>/dev/null); then
    if "$candidate" -c "$new_enough" 2>/dev/null; then
      exec "$candidate" -I evcs/setup/venv.py
    fi
    seen="$seen $candidate ($version)"
  fi
done

{
  echo "evcs needs Python 3.11 or newer; found:${seen:- none}."
  echo "  Debian, Ubuntu: apt-get install python3.11 python3.11-venv    macOS: brew install python@3.11"
  echo "  If it is somewhere else, name it: make run PYTHON=/path/to/python3.11"
} >&2
exit 1
