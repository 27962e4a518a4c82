#!/usr/bin/env bash
# Make a virtual environment with this project (editable) and its development tools: make-venv.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2
umask 022 # where root grades, kernels are other users, and read the packages
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "no $python on the path: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is Python $found, and 3.11 or newer is needed: install one and name it: make PYTHON=/path/to/python3"
case ${python##*/} in python3) python_venv=python3-venv ;; *) python_venv=python$found-venv ;; esac
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python cannot make virtual environments: on Debian or Ubuntu, root runs \`apt-get install ${python_venv}\`"

echo "== virtual environment in $folder, with Python $found: about 2 GB of packages, CPU torch among them; some minutes the first time"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --editable '.[dev]'
