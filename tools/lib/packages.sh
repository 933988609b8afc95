# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Installs Debian packages that are missing. Sourced.

# need PACKAGE...: installs missing packages; without any, it does nothing and needs no network.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=()
  [ "$(id -u)" -eq 0 ] || root=(sudo)
  echo "installing: ${missing[*]}"
  "${root[@]}" apt-get -qq update
  # servers are only wanted as programs: policy-rc.d keeps apt-get from starting them
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod +x "$policy"
    made=1
  fi
  local result=0
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null || result=$?
  [ -z "$made" ] || "${root[@]}" rm -f "$policy"
  return "$result"
}

on_debian_12() { grep -qs '^VERSION_ID="12"' /etc/os-release; }

# need_all: all that tools/test wants
need_all() { need "${PACKAGES_BUILD[@]}" "${PACKAGES_SERVER[@]}" "${PACKAGES_TEST[@]}" "${PACKAGES_GALERA[@]}" "${PACKAGES_BENCH[@]}"; }

# Where a release names a package by the version of LLVM that is in it
llvm_runtime=libclang-rt-dev
! on_debian_12 || llvm_runtime=libclang-rt-14-dev

PACKAGES_BUILD=(git gcc libc6-dev cmake make ninja-build pkg-config libssl-dev libsodium-dev liburcu-dev libmariadbd-dev libmariadb-dev)
[ "$(dpkg --print-architecture)" != amd64 ] || PACKAGES_BUILD+=(libipsec-mb-dev) # the header of an optional engine
# hostname: mariadb-install-db calls it
PACKAGES_SERVER=(mariadb-server mariadb-client mariadb-backup openssl hostname)
# procps, debootstrap: tools/test and tools/fresh call them
# netbase, patch: mariadb-test looks up protocols by name and patches result files, and depends on neither
PACKAGES_TEST=(libcmocka-dev nettle-dev mariadb-test netbase patch clang clang-format clang-tidy "$llvm_runtime" llvm python3
  python3-cryptography python3-argon2 python3-pycryptodome man-db gdb doxygen
  prometheus prometheus-mysqld-exporter systemd procps debootstrap)
# for plugins that were built elsewhere: these depend on the libraries, whose own names differ between releases
PACKAGES_RUN=(libsodium-dev liburcu-dev)
# the provider, and what the scripts of state transfers call
PACKAGES_GALERA=(galera-4 mariadb-backup rsync socat lsof iproute2 procps)
PACKAGES_BENCH=(sysbench python3)
PACKAGES_PACKAGE=(build-essential debhelper lintian pkgconf)
# of a root of its own: dpkg must know arm64
PACKAGES_AARCH64=(git crossbuild-essential-arm64 qemu-user-static cmake ninja-build pkgconf openssl python3 python3-argon2
  python3-pycryptodome libssl-dev:arm64 libsodium-dev:arm64 liburcu-dev:arm64 libmariadbd-dev:arm64 libmariadb-dev:arm64
  libcmocka-dev:arm64 nettle-dev:arm64)
