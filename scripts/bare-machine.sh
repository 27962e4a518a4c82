#!/usr/bin/env bash
# Run a command in a clean clone of HEAD on a bare Debian: scripts/bare-machine.sh [--root] COMMAND
#
# The machine is a new root folder, made by mmdebstrap, with the packages that README.md tells a Debian user to install
# and no others: no system bwrap, no container engine, nothing that happens to be installed here. COMMAND runs there as an
# ordinary user (`--root`: as root), in that user's home folder. What fails there fails for a new user.
#
# Needs root on Debian (or Ubuntu); installs mmdebstrap if it is missing. Of this machine it takes over the network's
# settings and pip's: configuration, certificates, folders that these name, and what pip has downloaded before.
# BARE_SUITE is the release of Debian, by default this machine's, else bookworm.
set -euo pipefail

fail() { printf 'bare-machine: %s\n' "$*" >&2; exit 2; }

ordinary=newcomer
user=$ordinary
if [ "${1:-}" = --root ]; then user=root && shift; fi
[ $# = 1 ] || fail "expected one command, as in: scripts/bare-machine.sh 'make grade'"
command=$1
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ "$(id -u)" = 0 ] || fail "only root can make a root folder and enter it"
unshare --mount --pid --fork true 2>/dev/null || fail "root may not make mount and process namespaces here"

packages=$(sed -n 's/.*`apt-get install \([a-z0-9][a-z0-9.+ -]*\)`.*/\1/p' "$project/README.md" | head -n 1 | tr ' ' ,)
[ -n "$packages" ] || fail "README.md names no packages in \`apt-get install ...\`"
if ! command -v mmdebstrap >/dev/null; then
  command -v apt-get >/dev/null || fail "mmdebstrap is not installed, and this system has no apt-get"
  apt-get update --quiet --quiet
  DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends mmdebstrap >/dev/null
fi
# shellcheck source=/dev/null
suite=${BARE_SUITE:-$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}" || true)}

work=$(mktemp -d /var/tmp/bare-machine.XXXXXX)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT
printf 'bare-machine: Debian %s with %s, as %s\n' "${suite:=bookworm}" "$packages" "$user"
# in namespaces of its own: where it is killed, its mounts go with them
make_root() {
  unshare --mount --pid --fork --kill-child --mount-proc \
    mmdebstrap --variant=minbase --aptopt='Acquire::Retries "5"' --include="$packages" "$suite" "$root"
}
make_root || { rm -rf --one-file-system "$root" && make_root; } || fail "mmdebstrap could not make the root folder"

for name in "$ordinary" neighbour; do chroot "$root" useradd --create-home --shell /bin/bash "$name"; done
home=$(chroot "$root" getent passwd "$user" | cut -d : -f 6)
clone=/home/$ordinary/project # where people clone, for root too
git clone --quiet "$project" "$root$clone"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
  if [ -f "$file" ]; then cp --dereference "$file" "$root$file"; fi
done
for file in "${PIP_CONFIG_FILE:-}" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "$HOME/.pip/pip.conf"; do
  if [ -f "$file" ] && [ ! -e "$root$home/.config/pip/pip.conf" ]; then
    mkdir -p "$root$home/.config/pip" && cp "$file" "$root$home/.config/pip/pip.conf"
  fi
done
# pip's downloads alone: packages that were built on this machine lie in other folders of its cache
cache=$(cd / && "$project/.venv/bin/python" -m pip cache dir 2>/dev/null || true)
for downloads in http http-v2; do
  if [ -n "$cache" ] && [ -d "$cache/$downloads" ]; then
    mkdir -p "$root$home/.cache/pip" && cp -r --reflink=auto "$cache/$downloads" "$root$home/.cache/pip/"
  fi
done
settings=$(compgen -e | grep -E '^(PIP_.*|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|(HTTPS?|NO|https?|no)_(PROXY|proxy))$' |
  grep -vE '^PIP_(CACHE_DIR|CONFIG_FILE|NO_CACHE_DIR)$' || true)
{
  printf 'cd %s || exit\n' "$clone"
  for name in $settings; do printf 'export %s=%q\n' "$name" "${!name}"; done
  printf '%s\n' "$command"
} >"$root/command"
if [ "$user" = "$ordinary" ]; then chroot "$root" chown -R "$user:$user" "$home"; fi

# folders and files of this machine that pip's settings name; of an index its parent, as the index links to files beside it
named=$({
  for name in $settings; do printf '%s\n' "${!name}"; done
  cat "$root/etc/pip.conf" "$root$home/.config/pip/pip.conf" 2>/dev/null || true
} | tr ' =' '\n\n' | sed 's,^file://\(/.*[^/]\)/[^/]*/*$,\1,; s,^file://,,' | grep '^/[^/]' | sort -u || true)
export root named

run=(env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash LANG=C.UTF-8 TERM="${TERM:-dumb}" CI="${CI:-}"
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash /command)
[ "$user" = root ] || run=(setpriv --reuid="$user" --regid="$user" --init-groups "${run[@]}")
# a new root by pivot_root: in a chroot the kernel refuses user namespaces
unshare --mount --pid --fork --kill-child --propagation private bash -c '
  set -euo pipefail
  mount --bind "$root" "$root"
  mount --rbind /dev "$root/dev"
  mount --bind /sys "$root/sys"
  while read -r path; do
    if [ ! -e "$path" ]; then continue; fi
    if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root${path%/*}"; fi
    if [ ! -e "$root$path" ]; then : >"$root$path"; fi
    mount --bind "$path" "$root$path"
    mount -o remount,bind,ro "$root$path"
  done <<<"$named"
  mkdir "$root/.old"
  cd "$root"
  pivot_root . .old
  mount -t proc proc /proc
  umount --lazy /.old
  rmdir /.old
  unset root named
  exec "$@"' bare-machine "${run[@]}"
