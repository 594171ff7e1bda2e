#!/bin/sh
# Names what this machine lacks, in one apt line; with --install, and as root, installs it.
#
#     requirements/system.sh run            what 'make run' needs
#     requirements/system.sh test --install what 'make test' needs
set -u
python=${PYTHON:-python3}
missing=""

lacks() { missing="$missing $1"; }

command -v "$python" >/dev/null 2>&1 || lacks python3
# uv makes environments by itself; Debian's python3 can't without python3-venv.
command -v uv >/dev/null 2>&1 || "$python" -c 'import ensurepip, venv' 2>/dev/null || lacks python3-venv
"$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null ||
    lacks python3-dev
command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || lacks gcc
if [ "${1:-run}" = test ]; then
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || lacks chromium
    command -v git >/dev/null 2>&1 || lacks git
fi

if [ -n "$missing" ]; then
    if [ "${2:-}" = --install ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing ||
            exit 1
    else
        echo "Some system packages are missing; install them and try again:" >&2
        echo "    sudo apt-get install -y$missing" >&2
        exit 1
    fi
fi

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "Python 3.11 to 3.13 is needed; say which with 'make PYTHON=python3.11 …'." >&2
    exit 1
}
