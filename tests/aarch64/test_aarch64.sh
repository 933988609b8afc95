#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds for AArch64 without warnings and runs the unit tests under qemu-user. It adds Debian's arm64 packages to the system, so
# run it in one that is kept for that: tools/fresh --keep=aarch64 bookworm tests/aarch64/test_aarch64.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/lib/packages.sh

# What the emulator cannot run, or takes many minutes for though nothing in it depends on the processor; all else must pass.
slow="its many key derivations take 3 to 15 minutes in the emulator"
declare -A skipped=(
  [unit.datakey]="it searches its own memory for keys, where the emulator keeps copies of registers"
  [unit.guess]="$slow"
  [unit.openssl_start]="$slow"
  [unit.program]="the emulator does not pass on why a program cannot be started, and keeps copies of what was read"
  [unit.sealed_changes]="$slow"
  [unit.secret]="the emulator does not pass on that memory is to be left out of core dumps"
  [unit.stop]="as unit.secret: it looks for copies of a passphrase in memory that core dumps leave out"
  [unit.unlock_sources]="it starts programs from many threads at once, where a child of the emulator hangs now and then"
)

dpkg --print-foreign-architectures | grep -qx arm64 || dpkg --add-architecture arm64
need "${PACKAGES_AARCH64[@]}"
cmake --preset aarch64 >build-aarch64.log
cmake --build build-aarch64 >>build-aarch64.log || { tail -n 60 build-aarch64.log >&2; exit 1; }

names=$(ctest --test-dir build-aarch64 -N -L unit)
for name in "${!skipped[@]}"; do
  grep -q ": $name\$" <<<"$names" || { echo "no test '$name'" >&2; exit 1; }
  echo "skipped: $name: ${skipped[$name]}"
done
ctest --test-dir build-aarch64 -L unit -E "^($(IFS='|' && echo "${!skipped[*]}"))\$" -j2 --output-on-failure
