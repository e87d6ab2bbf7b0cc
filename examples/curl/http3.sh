#!/usr/bin/env bash
# REST and gRPC over HTTP/3 with curl: the protocol of each answer and, of gRPC, the trailers with its status.
#
#   SGE_TOKEN=... examples/curl/http3.sh
#
# SGE_EDGE_URL is the edge, SGE_CA the file with its authority's certificate (left out: that of `npm start`; empty: those
# that this machine trusts), CURL a curl whose --version says HTTP3 and ngtcp2. Anything but success ends it with an error.
set -euo pipefail
edge=${SGE_EDGE_URL:-https://localhost:8443}
authority=${SGE_CA-$(dirname "$0")/../../.data/edge/tls/ca.pem}
answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

"${CURL:-curl}" --version | grep '^Features:.* HTTP3 ' >/dev/null || { echo "this curl has no HTTP/3: name one that has, by CURL" >&2; exit 1; }

# --http3-only: another protocol is an error, not a way out.
http3() {
  "${CURL:-curl}" --http3-only --silent --show-error --fail-with-body --max-time 10 ${authority:+--cacert "$authority"} \
    --header "authorization: Bearer ${SGE_TOKEN:-}" --dump-header "$answer/head" "$@"
}

rest() {
  http3 "$edge$1" --write-out "\n  HTTP/%{http_version} %{response_code}: GET $1\n"
}

# Five zero bytes are a message without a field: one byte that says it is not compressed, four of its length, 0.
grpc() {
  printf '\0\0\0\0\0' | http3 "$edge/$1" --header 'content-type: application/grpc' --header 'te: trailers' --data-binary @- \
    --output "$answer/body" --write-out "  HTTP/%{http_version} %{response_code}: $1 answered %{size_download} bytes, and in trailers\n"
  # Behind the empty line that ends the headers. A call that failed before its first message has its status in the headers.
  sed '1,/^\r$/d; s/\r$//; s/^/    /' "$answer/head" | tee "$answer/trailers"
  grep -q '^ *grpc-status: 0$' "$answer/trailers" || { grep '^grpc-' "$answer/head" >&2; return 1; }
}

rest /api/v1/mail?page_size=1
grpc grpc.health.v1.Health/Check
grpc sky_genesis.MailService/ListEmails
