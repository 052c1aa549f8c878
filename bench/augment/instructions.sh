#!/bin/sh
# Instructions per output voxel of every transform of the 3D chain, applied every time, counted by callgrind: a figure
# that other work on the machine does not disturb. Usage: instructions.sh PATH/TO/throughput [CONFIGURATION]
set -eu
here=$(dirname "$0")
out=$(mktemp)
for portion in crop mirror brightness contrast noise gamma blur lowResolution scale rotation; do
  valgrind --tool=callgrind --callgrind-out-file="$out" --collect-atstart=no --toggle-collect='*Pipeline*apply*' \
    "$1" "$here/configurations.json" "${2:-b}" 3 1 "$portion" > /dev/null 2> "$out.log"
  printf '%s %s\n' "$portion" "$(sed -n 's/^summary: //p' "$out")"
done
rm -f "$out" "$out.log"
