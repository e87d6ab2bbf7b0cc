# What every part shares. Standard output is progress for the reader, standard error goes to the part's log.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part=$(basename "$0")

say() { echo "$*"; }

# Why this part cannot be had, in a line.
give_up() {
  echo "$*" >"$PROVISION_DIR/missing/$part"
  exit 1
}

# Installs a program of the part's name by `go install MODULE@VERSION`, unless it is there.
go_install() {
  local module=$1 version=$2
  # A build by `go install` does not know its own version.
  local stamp=$PROVISION_DIR/bin/$part.version
  [ -x "$PROVISION_DIR/bin/$part" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$version" ] && return 0
  command -v go >/dev/null || give_up "Go is not installed"
  say "building $version by go install"
  GOBIN="$PROVISION_DIR/bin" GOTOOLCHAIN=local nice go install "$module@$version" >&2 || give_up "go install failed"
  echo "$version" >"$stamp"
  say "ready"
}
