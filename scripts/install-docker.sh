#!/bin/sh
# Make a container engine answer on this machine, where that is possible: Debian's docker.io, and mmdebstrap for a base
# image without a registry. Does nothing that is done already, and never fails: it prints why it could not.
# Root (or passwordless sudo) is needed only where something is missing. The daemon's output goes to $DOCKERD_LOG.
set -u

log=${DOCKERD_LOG:-/tmp/dockerd.log}
seconds=${DOCKERD_SECONDS:-30}

say() { printf 'docker: %s\n' "$*"; }
give_up() { say "$*: going on without an engine (bwrap will do)"; exit 0; }
answers() { docker version --format '{{.Server.Version}}' 2>/dev/null; }

if version=$(answers) && [ -n "$version" ]; then
    say "engine $version answers"
    exit 0
fi

[ -z "${DOCKER_HOST:-}" ] || give_up "nothing answers at DOCKER_HOST=$DOCKER_HOST"

if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    give_up "no engine answers, and only root can install or start one"
fi

if ! command -v dockerd >/dev/null; then
    command -v apt-get >/dev/null || give_up "dockerd is not installed, and this is no Debian"
    say "installing docker.io, iptables and mmdebstrap"
    if ! { $root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends docker.io iptables mmdebstrap; } >"$log" 2>&1; then
        give_up "apt-get failed ($(tail -n 1 "$log"))"
    fi
fi

say "starting dockerd (output in $log)"
$root sh -c "exec setsid dockerd >>'$log' 2>&1 </dev/null &"
while [ "$seconds" -gt 0 ]; do
    if version=$(answers) && [ -n "$version" ]; then
        say "engine $version answers"
        exit 0
    fi
    seconds=$((seconds - 1))
    sleep 1
done
give_up "dockerd did not start ($(tail -n 1 "$log"))"
