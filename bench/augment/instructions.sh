#!/bin/sh
# Counts the instructions per batch of every transform of the 3D chain with callgrind, independent of other load.
# Each transform is applied to every sample. All portions include `crop`; subtract it from the others.
# Usage: instructions.sh PATH/TO/throughput [CONFIGURATION]
set -eu
here=$(dirname "$0")
out=$(mktemp)
trap 'rm -f "$out" "$out.log"' EXIT
count() { # PROGRAM BATCHES PORTION
  valgrind --tool=callgrind --callgrind-out-file="$out" \
    "$1" "$here/configurations.json" "$configuration" "$2" 1 "$3" > /dev/null 2> "$out.log"
  sed -n 's/^summary: //p' "$out"
}
configuration=${2:-b}
# The cost of making the input does not depend on the number of batches.
for portion in crop mirror brightness contrast noise gamma blur lowResolution scale rotation; do
  none=$(count "$1" 0 "$portion")
  three=$(count "$1" 3 "$portion")
  printf '%s %s\n' "$portion" $(((three - none) / 3))
done
