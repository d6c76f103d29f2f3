#!/bin/sh
# Prepares this checkout. The Makefile calls it; each step is a look at a few files once
# it has been done.
#
#   scripts/setup.sh python        print the Python that .venv would be made with
#   scripts/setup.sh environment   .venv, holding what requirements.lock says
#   scripts/setup.sh data          CIFAR-100 in data/; a failure is said and is not one
#   scripts/setup.sh data again    the same, also soon after a failure, which counts
#   scripts/setup.sh browser       Chromium for the browser tests, where possible
#
# PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

VERSIONS='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
OURS=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# A name on the PATH may be a shim that only says that there is no such Python.
find_python() {
    unequipped=
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    for candidate; do
        "$candidate" -c "$VERSIONS" >/dev/null 2>&1 </dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 </dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
        unequipped=$candidate
    done
    [ -z "$unequipped" ] || fail "$unequipped cannot make environments;" \
        "install its venv module (Debian, Ubuntu: apt-get install python3-venv)"
    fail "no Python from 3.11 to 3.13 among: $*;" \
        "install one, or name it: make PYTHON=/path/to/python"
}

# Two terminals may run make at once; the second waits for the first.
lock() {
    mkdir -p .cache
    command -v flock >/dev/null || return 0
    exec 9>.cache/setup.lock
    flock 9 || true # not every file system can
}

# What .venv was made from. The path is part of it: environments do not survive a move.
wanted() { pwd; cat pyproject.toml requirements.lock; }
installed() { [ -x "$OURS" ] && wanted | cmp -s - .venv/installed; }

environment() {
    installed && return
    lock
    installed && return
    if ! "$OURS" -c "$VERSIONS; import pip" >/dev/null 2>&1; then
        python=$(find_python)
        say "making .venv with $python"
        "$python" -m venv --clear .venv || fail "could not make .venv with $python"
    fi
    say "installing what requirements.lock names into .venv; minutes, only once"
    if ! "$OURS" -m pip install -q --require-hashes -r requirements.lock ||
        ! "$OURS" -m pip install -q --no-deps --no-build-isolation -e .; then
        fail "the installation failed, as said above; the same command tries again"
    fi
    wanted >.venv/installed
}

have_data() {
    for name in meta test train; do
        [ -s "$1/data/cifar-100-python/$name" ] || return 1
    done
}

# Beside a checkout there may be a folder with the data set in a smaller form.
unpack_shared() {
    tool=../shared/tools/unpack_cifar100.py
    [ -f "$tool" ] && [ -z "${CIFAR100_SOURCE:-}" ] || return 1
    [ ! -e "$1/data/cifar-100-python" ] || return 1
    part=$1/.cache/unpacking
    rm -rf "$part"
    mkdir -p "$part" "$1/data"
    "$OURS" "$tool" "$part" >/dev/null && mv "$part/cifar-100-python" "$1/data/" || :
    rm -rf "$part"
    have_data "$1"
}

data() {
    home=${CIFAR100_HOME:-.}
    have_data "$home" && return
    lock
    have_data "$home" && return
    failed=$home/.cache/no-data
    again=${1:-}
    recent=$(find "$failed" -mmin -60 2>/dev/null || :)
    if [ -n "$recent" ] && [ -z "$again${CIFAR100_SOURCE:-}" ]; then
        say "no CIFAR-100 here; pages say what they can't show (make data tries again)"
        return
    fi
    say "getting CIFAR-100"
    if unpack_shared "$home" || "$OURS" -m cifar100 data >/dev/null; then
        rm -f "$failed"
        return
    fi
    mkdir -p "$home/.cache" && : >"$failed" || true
    [ -z "$again" ] || exit 1
    say "going on without CIFAR-100: pages say what they can't show," \
        "tests that need it are skipped (make data tries again)"
}

find_browser() {
    [ -z "${CHROMIUM:-}" ] || return 0
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

browser() {
    find_browser && return
    as_root=
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || as_root=no
        as_root=${as_root:-sudo -n}
    fi
    if command -v apt-get >/dev/null && [ "$as_root" != no ]; then
        say "installing Chromium for the browser tests"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # sudo and its option are two words
        { $as_root apt-get -qq update &&
            $as_root apt-get -qq install -y --no-install-recommends chromium; } \
            >/dev/null </dev/null || true
        find_browser && return
    fi
    say "no Chromium here; the browser tests will be skipped"
}

case ${1:-} in
python) find_python ;;
environment | data | browser) "$@" ;;
*) fail "usage: scripts/setup.sh python | environment | data [again] | browser" ;;
esac
