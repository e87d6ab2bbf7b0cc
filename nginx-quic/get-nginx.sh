#!/usr/bin/env bash
# get-nginx.sh DEST: an nginx that speaks HTTP/3 with 0-RTT (nginx 1.29.4 or later, OpenSSL 3.5.1 or later) for any Debian.
# Debian 12 and 13 have older ones, so these are the packages of Debian testing, unpacked into DEST with the libraries they
# need, beside whatever the machine has. Nothing outside DEST is read or changed but apt's list of mirrors. Needs no root,
# but apt, dpkg and Debian's keyring; DEST is written into the binaries: to move it, run this again.
set -euo pipefail

dest=$(readlink -m "${1:?usage: get-nginx.sh DEST}")
least_nginx=1.29.4
least_openssl=3.5.1
# nginx, openssl (for keys and certificates) and patchelf, with what they load.
packages=(nginx openssl patchelf libc6 libcrypt1 libpcre2-8-0 libssl3t64 libzstd1 zlib1g libgcc-s1 libstdc++6)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

give_up() { echo "get-nginx: $*" >&2; exit 1; }

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# Sets `versions` when the nginx in DEST runs and can do what is asked of it.
is_good() {
  local build nginx openssl
  build=$("$dest/sbin/nginx" -V 2>&1) || return 1
  nginx=$(sed -n 's#^nginx version: nginx/##p' <<<"$build")
  openssl=$(sed -n 's#^built with OpenSSL \([0-9.]*\).*#\1#p' <<<"$build")
  versions="nginx $nginx, OpenSSL $openssl"
  grep -q with-http_v3_module <<<"$build" && at_least "$least_nginx" "$nginx" && at_least "$least_openssl" "$openssl" && "$dest/bin/openssl" version >/dev/null
}

[ -e "$dest/packages.txt" ] && is_good && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up "this is not Debian: no apt-get"
[ -r "$keyring" ] || give_up "the package debian-archive-keyring is not installed"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v -- -security | head -n 1)
[ -n "$mirror" ] || give_up "apt knows no mirror"

work=$dest/.work
trap 'rm -rf "$work"' EXIT

# Into $work/root. The state of apt is private; a mirror may lag behind the date that its list is good until.
unpack_from() { # SUITE
  rm -rf "$work"
  mkdir -p "$work"/{lists/partial,cache/archives/partial,root} "$dest"/{bin,sbin,lib}
  : >"$work/status"
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$work/sources.list"
  local apt=(apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::State::status="$work/status"
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false)
  "${apt[@]}" update >/dev/null && (cd "$work" && "${apt[@]}" download "${packages[@]}" >/dev/null) || return 1
  local package
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
}

# The programs find their own loader and libraries, so that they run under their own names on any libc.
relocate() {
  local libraries loader name
  libraries=$(dirname "$(find "$work/root" -name 'libssl.so.3' | head -n 1)")
  loader=$(find "$libraries" -name 'ld-linux*.so.*' | head -n 1)
  patch() { "$loader" --library-path "$libraries" "$work/root/usr/bin/patchelf" "$@"; }
  cp -f "$work/root/usr/sbin/nginx" "$dest/sbin/nginx"
  cp -f "$work/root/usr/bin/openssl" "$dest/bin/openssl"
  for name in "$(basename "$loader")" libc.so.6 libm.so.6 libcrypt.so.1 libpcre2-8.so.0 libssl.so.3 libcrypto.so.3 libz.so.1 libzstd.so.1; do
    cp -Lf "$libraries/$name" "$dest/lib/$name"
  done
  for name in "$dest"/{sbin/nginx,bin/openssl} "$dest"/lib/lib{ssl,crypto,pcre2-8,z,zstd,crypt}.so.*; do patch --force-rpath --set-rpath "$dest/lib" "$name"; done
  for name in "$dest"/{sbin/nginx,bin/openssl}; do patch --set-interpreter "$dest/lib/$(basename "$loader")" "$name"; done
}

for suite in forky sid; do
  unpack_from "$suite" || continue
  relocate
  is_good || continue
  (cd "$work" && printf '%s\n' *.deb) >"$dest/packages.txt"
  echo "$versions of Debian $suite"
  exit 0
done
give_up "neither testing nor unstable of $mirror has nginx $least_nginx with OpenSSL $least_openssl"
