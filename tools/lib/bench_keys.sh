# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# tools/bench keys: what many keys cost, what look-ups cost while they are reloaded, and what a cipher of their own costs.
# Sourced by tools/bench, after server.sh.

# The key files: how many ids, and versions of each. The distribution's plugin has no versions.
declare -A FILE_IDS=([small]=32 [ids]=10000 [versions]=10000) FILE_VERSIONS=([small]=1 [ids]=1 [versions]=10)
KEYHOLD_FILES=(small ids versions) DISTRIBUTION_FILES=(small ids)

# What another connection does meanwhile. Computing takes a processor and none of the plugin's memory: what reloading costs
# beyond that is its own.
declare -A OTHERS=(
  [computing]='DO BENCHMARK(100000, MD5(1))'
  [reloading]='SET GLOBAL file_key_management_reload = ON'
)
RELOAD_LIMIT=120 # seconds in which a first reload must have ended
LOOK_UPS='@(*latest_version*|*get_key*|choose-many|@(encrypt|decrypt)-nopad-128-same-@(16|16354))'

# The ciphers of the key file 'ciphers': ids 3 to 6, all of 256 bits.
CIPHERS=(aes-ctr aes256-ctr aes-cbc aes256-cbc) FIRST_CIPHER_ID=3
MESSAGES='@(encrypt|decrypt)-nopad-128-@(same|new)-@(16|256|16354)'

make_many_keys() {
  local file cipher id=$FIRST_CIPHER_ID
  for file in "${KEYHOLD_FILES[@]}"; do
    make_keys "${FILE_IDS[$file]}" "${FILE_VERSIONS[$file]}" >"$SERVER_ROOT/keys.$file"
  done
  make_keys 2 1 >"$SERVER_ROOT/keys.ciphers"
  for cipher in "${CIPHERS[@]}"; do
    echo "$((id++));$(openssl rand -hex 32);cipher=$cipher" >>"$SERVER_ROOT/keys.ciphers"
  done
}

# note NAME VALUE...: the plugin, file and round at hand had these values.
note() {
  local name=$1 value
  shift
  for value in "$@"; do printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$plugin" "$file" "$round" "$value"; done >>"$SERVER_ROOT/results/notes"
}

# microseconds TIMES STATEMENT: how long each took, by the server's clock between statements of one connection.
microseconds() {
  local i
  for ((i = 0; i < $1; i++)); do
    echo "SET @begun = SYSDATE(6); $2; SELECT TIMESTAMPDIFF(MICROSECOND, @begun, SYSDATE(6));"
  done | server_sql many
}

# note_times NAME TIMES STATEMENT
note_times() {
  local times
  times=$(microseconds "$2" "$3")
  # shellcheck disable=SC2086  # a number each
  note "$1" $times
}

# note_memory: in kB.
note_memory() {
  local name value
  while read -r name value _; do note "${name%:}" "$value"; done < <(
    grep -E '^(VmLck|RssAnon):' "/proc/${SERVER_PIDS[many]}/status"
  )
}

# note_peak: what is resident at most during a reload, beyond what is before it.
note_peak() {
  local status=/proc/${SERVER_PIDS[many]}/status before
  echo 5 >"/proc/${SERVER_PIDS[many]}/clear_refs" # VmHWM begins anew
  before=$(awk '/^VmRSS:/ {print $2}' "$status")
  server_sql many <<<'SET GLOBAL file_key_management_reload = ON'
  note reload_peak "$(awk -v before="$before" '/^VmHWM:/ {print $2 - before}' "$status")"
}

# generation: goes up by one with each reload.
generation() { server_sql many <<<"SHOW GLOBAL STATUS LIKE 'File_key_management_generation'" | cut -f2; }

# begin_other WHAT: starts another connection that does that without pause; its number is in SERVER_ROOT/other.
begin_other() {
  other=
  [ "$1" != quiet ] || return 0
  : >"$SERVER_ROOT/other"
  server_sql many --delimiter=// --unbuffered >"$SERVER_ROOT/other" 2>/dev/null \
    <<<"SELECT CONNECTION_ID()// BEGIN NOT ATOMIC LOOP ${OTHERS[$1]}; END LOOP; END//" &
  other=$!
  until [ -s "$SERVER_ROOT/other" ]; do sleep 0.05; done
}

end_other() {
  [ -n "$other" ] || return 0
  while kill -0 "$other" 2>/dev/null; do
    server_sql many <<<"KILL $(cat "$SERVER_ROOT/other")" 2>/dev/null || true
    sleep 0.05
  done
  wait "$other" || true
}

# run_bench NAME PATTERN THREADS: leaves results/NAME.json.
run_bench() {
  rm -f "$SERVER_ROOT/results/$1.json" # of a measurement that is repeated: keyhold_bench replaces no file
  server_sql many <<SQL
SET GLOBAL keyhold_bench_rounds = 15, keyhold_bench_milliseconds = ${quick:-3};
SET GLOBAL keyhold_bench_only = '$2', keyhold_bench_threads = $3;
SET GLOBAL keyhold_bench_run = '$SERVER_ROOT/results/$1.json';
SQL
}

# look_up WHAT: all look-ups, a small record and a page, while another connection does something.
look_up() {
  local count before deadline
  server_sql many <<SQL
SET GLOBAL keyhold_bench_many_ids = ${FILE_IDS[$file]}, keyhold_bench_many_versions = ${FILE_VERSIONS[$file]};
SQL
  for count in "${thread_counts[@]}"; do
    progress "round $round of $rounds: $plugin, $file, $1, threads: $count"
    begin_other "$1"
    [ "$1" != reloading ] || before=$(generation)
    deadline=$((SECONDS + RELOAD_LIMIT))
    while :; do
      run_bench "$plugin.$file.$1.$count.$round" "$LOOK_UPS" "$count"
      # a short measurement on a busy machine can end before the first reload has: it is repeated then
      [ "$1" = reloading ] && [ "$(generation)" -eq "$before" ] && [ "$SECONDS" -lt "$deadline" ] || break
    done
    [ "$1" != reloading ] || note "reloads.$count" $(($(generation) - before))
    end_other
  done
}

# start_and_install: a server without the plugin, then INSTALL SONAME, timed; its options come from an option file.
start_and_install() {
  cp "$SERVER_ROOT/keys.$file" "$SERVER_ROOT/keys"
  {
    echo '[mariadbd]'
    plugin_options "$plugin" aes_ctr
    printf '%s\n' "${OPTIONS[@]}" | sed -n 's/^--\(file-key-management-\)/loose-\1/p'
  } >"$SERVER_ROOT/keys.cnf"
  # shellcheck disable=SC2034  # server_start looks at it
  local SERVER_DEFAULTS=--defaults-file=$SERVER_ROOT/keys.cnf
  server_start many --plugin-load-add=keyhold_bench --plugin-maturity=experimental
  note_times load 1 "INSTALL SONAME '$plugin'"
  check_plugin many "$plugin"
}

# change_keys: reloads and rotates, which only Keyhold can. The rotations come last, since keyhold_bench knows the versions of before.
change_keys() {
  note_peak
  note_times reload "$changes" 'SET GLOBAL file_key_management_reload = ON'
  look_up computing
  look_up reloading
  note_times rotate "$changes" 'SET GLOBAL file_key_management_rotate_key = 5'
  note_times rotate_all 1 'SET GLOBAL file_key_management_rotate_key = -1'
}

# measure_file PLUGIN FILE
measure_file() {
  local plugin=$1 file=$2
  start_and_install
  note_memory
  look_up quiet
  [ "$plugin" != "$KEYHOLD" ] || change_keys
  server_sql many <<<"UNINSTALL SONAME '$plugin'" # it goes when the server ends
  server_stop many
}

# measure_ciphers: the same messages with each cipher, in one server.
measure_ciphers() {
  local id=$FIRST_CIPHER_ID cipher
  cp "$SERVER_ROOT/keys.ciphers" "$SERVER_ROOT/keys"
  plugin_options "$KEYHOLD" aes_ctr
  server_start many "${OPTIONS[@]}" --plugin-load-add=keyhold_bench --plugin-maturity=experimental
  for cipher in "${CIPHERS[@]}"; do
    progress "round $round of $rounds: $cipher"
    server_sql many <<<"SET GLOBAL keyhold_bench_key_id_128 = $id"
    run_bench "$KEYHOLD.ciphers.$cipher.1.$round" "$MESSAGES" 1
    id=$((id + 1))
  done
  server_stop many
}

bench_keys() {
  local round file changes=15
  [ -z "$quick" ] || changes=2
  mkdir "$SERVER_ROOT/results"
  make_many_keys
  server_create many
  for ((round = 1; round <= rounds; round++)); do
    for file in "${DISTRIBUTION_FILES[@]}"; do measure_file "$DISTRIBUTION" "$file"; done
    for file in "${KEYHOLD_FILES[@]}"; do measure_file "$KEYHOLD" "$file"; done
    measure_ciphers
  done
  write_report bench_keys.py --results "$SERVER_ROOT/results"
}
