#!/bin/sh
# Instructions per batch of every transform of the 3D chain, applied every time, counted by callgrind: a figure that other
# work on the machine does not disturb. `crop` is what every portion does besides; take it off the others.
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
# Making the input costs the same however many batches follow.
for portion in crop mirror brightness contrast noise gamma blur lowResolution scale rotation; do
  none=$(count "$1" 0 "$portion")
  three=$(count "$1" 3 "$portion")
  printf '%s %s\n' "$portion" $(((three - none) / 3))
done
