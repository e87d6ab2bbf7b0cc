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
