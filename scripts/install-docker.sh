#!/bin/sh
# Make a container engine answer on this machine, where that is possible: Debian's docker.io, and mmdebstrap, which makes
# a base image where no registry can be reached. What is there already is left as it is; where it cannot be done, this
# says why and ends well all the same, for bwrap may work. Needs root (or sudo without a password) if something is missing.
set -u

log=${DOCKERD_LOG:-/var/log/dockerd.log}
seconds=${DOCKERD_SECONDS:-30}

say() { printf 'docker: %s\n' "$*"; }
give_up() {
    say "$*: no engine here. Grading does without one where bwrap works: \`make doctor\` says so"
    exit 0
}
answers() { version=$(docker version --format '{{.Server.Version}}' 2>/dev/null) && [ -n "$version" ]; }
done_if_it_answers() { if answers; then say "engine $version answers" && exit 0; fi; }

done_if_it_answers
[ -z "${DOCKER_HOST:-}" ] || give_up "nothing answers at DOCKER_HOST=$DOCKER_HOST"

if [ "$(id -u)" = 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    give_up "none answers to this user, and only root can install or start one"
fi

if ! command -v dockerd >/dev/null; then
    command -v apt-get >/dev/null || give_up "dockerd is not installed, and this system has no apt-get"
    say "installing docker.io, iptables and mmdebstrap"
    output=$(mktemp)
    $root apt-get update -qq >"$output" 2>&1 || give_up "apt-get update failed ($(tail -n 1 "$output"))"
    packages="docker.io iptables mmdebstrap"
    if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi # its own package since trixie
    # shellcheck disable=SC2086 # words on purpose
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $packages >"$output" 2>&1 ||
        give_up "apt-get install failed ($(tail -n 1 "$output"))"
    rm -f "$output"
    done_if_it_answers
fi

if [ -d /run/systemd/system ]; then
    say "starting the service docker"
    $root systemctl start docker || give_up "systemctl could not start it"
else
    say "starting dockerd in the background (its output: $log)"
    $root sh -c "exec setsid dockerd >>'$log' 2>&1 </dev/null &"
fi
while [ "$seconds" -gt 0 ]; do
    done_if_it_answers
    seconds=$((seconds - 1))
    sleep 1
done
if $root docker version >/dev/null 2>&1; then
    give_up "one runs, but not for this user: join the group docker, and log in again"
fi
give_up "dockerd did not start ($($root tail -n 1 "$log" 2>/dev/null))"
