#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME, one after the other.
set -euo pipefail
: "${GO:=go}" "${FUZZTIME:=1m}"
"$GO" list -f '{{.Dir}}' ./... | while read -r dir; do
  { grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null || true; } | awk '{print $2}' | while read -r target; do
    echo "== ${dir##"$PWD"/} $target"
    "$GO" test -run='^$' -fuzz="^$target\$" -fuzztime="$FUZZTIME" "$dir" </dev/null
  done
done
