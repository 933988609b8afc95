/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A keeper over a key file in a server's life. Each two bytes of the input are a step and its
 * argument: reloads, rotations, savings, commits in any order, keys that are asked for, the
 * background thread, calls that fail, restarts; and what others do to the file. After each step:
 * a key version that was in force is in force with the same key until a restart; no number is made
 * again with another key; and no key is lost from a file that can be read.
 *
 * The store is that of key files, with a look-up, which finds the keys of other servers. The
 * background thread runs only while this one waits for it, by a clock that poll() moves on.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fail.h"
#include "keyhold/keeper.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/store_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

WRAPS(sodium_malloc);
WRAPS(sodium_free);
WRAPS(sodium_mlock);
WRAPS(sodium_mprotect_readonly);
WRAP_READ(call_fails)
WRAP_WRITE(call_fails)
WRAPS(fsync);
WRAPS(poll);
WRAPS(pthread_create);
WRAPS(pthread_join);
WRAPS(kh_clock_milliseconds);

enum { STEPS_MAX = 48, SEEN_MAX = 1024, COPIES = 4, TOKENS = 8, TEXT_MAX = 1 << 16, HOUR = 3600 };

/* A key version that was in force at some time: data is encrypted with it. */
typedef struct seen_key {
  kh_key key;
  bool is_in_force; /* since the last start */
} seen_key;

/* A text of the key file. */
typedef struct file_text {
  uint8_t bytes[TEXT_MAX];
  size_t len;
  bool is_there;
} file_text;

static char folder[] = "/tmp/keyhold-fuzz-XXXXXX";
static char path[64];
static kh_crypt *engines;

/* one life of a server */
static struct {
  kh_keeper *keeper;
  kh_keeper_token tokens[TOKENS];
  size_t token_count;
  bool is_up;
  bool has_thread;
} life;

static struct {
  kh_store_ops ops;          /* those of key files, and a look-up */
  const kh_store_ops *plain; /* those of key files */
  uint8_t lookup;            /* how it answers */
} store;

static seen_key seen[SEEN_MAX];
static size_t seen_count;
static file_text copies[COPIES];
static size_t copy_count;
static int next_to_fail; /* of the next step */
static uint32_t now;
static int64_t milliseconds;

/* The background thread waits in poll() until it may go on. */
static pthread_t main_thread;
static sem_t go_on, is_waiting;
static bool is_ending;

/* for speed: no pages of their own, which AddressSanitizer does without */
void *__wrap_sodium_malloc(size_t size)
{
  return call_fails("sodium_malloc") ? NULL : malloc(size);
}

void __wrap_sodium_free(void *data)
{
  free(data);
}

int __wrap_sodium_mlock(void *data, size_t size)
{
  (void)data;
  (void)size;
  return call_fails("sodium_mlock") ? -1 : 0;
}

int __wrap_sodium_mprotect_readonly(void *data)
{
  (void)data;
  return 0;
}

int __wrap_fsync(int fd) /* does nothing: for speed */
{
  (void)fd;
  return call_fails("fsync") ? -1 : 0;
}

int64_t __wrap_kh_clock_milliseconds(void)
{
  return milliseconds;
}

/* A pause ends at once. The background thread first lets the other one go on. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
  if (count > 0 && !pthread_equal(pthread_self(), main_thread) && !is_ending) {
    sem_post(&is_waiting);
    sem_wait(&go_on);
  }
  int ready = count > 0 ? __real_poll(fds, count, 0) : 0;
  if (ready == 0)
    milliseconds += timeout;
  return ready;
}

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument)
{
  if (call_fails("pthread_create"))
    return 11; /* EAGAIN */
  life.has_thread = true;
  return __real_pthread_create(ret_thread, attributes, run, argument);
}

int __wrap_pthread_join(pthread_t thread, void **ret_result)
{
  is_ending = true;
  sem_post(&go_on);
  int error = __real_pthread_join(thread, ret_result);
  is_ending = false;
  return error;
}

static void check_message(void *user, kh_severity severity, const char *message)
{
  (void)user;
  (void)severity;
  MUST(message[0] != '\0' && strlen(message) < KH_MESSAGE_MAX);
}

static uint32_t tell_time(void *user)
{
  (void)user;
  return now;
}

static bool tell_whether_up(void *user)
{
  (void)user;
  return life.is_up;
}

/* ---- the file ---- */

static void empty_folder(void)
{
  DIR *names = opendir(folder);
  MUST(names != NULL);
  for (struct dirent *name; (name = readdir(names)) != NULL;)
    if (strcmp(name->d_name, ".") != 0 && strcmp(name->d_name, "..") != 0)
      unlinkat(dirfd(names), name->d_name, 0);
  closedir(names);
}

static void remove_folder(void)
{
  empty_folder();
  rmdir(folder);
}

static void begin_process(void)
{
  main_thread = pthread_self();
  MUST(sem_init(&go_on, 0, 0) == 0 && sem_init(&is_waiting, 0, 0) == 0);
  MUST(kh_crypt_new(KH_ENGINE_OPENSSL, &engines) == KH_OK);
  MUST(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/keys", folder);
  atexit(remove_folder);
}

static void read_text(file_text *ret_text)
{
  int fd = open(path, O_RDONLY);
  ret_text->is_there = fd >= 0;
  ret_text->len = 0;
  if (fd < 0)
    return;
  ssize_t got = __real_read(fd, ret_text->bytes, TEXT_MAX);
  MUST(got >= 0 && got < TEXT_MAX);
  ret_text->len = (size_t)got;
  close(fd);
}

/* As an editor or a copy would: another file takes the name. */
static void write_text(const uint8_t *bytes, size_t len)
{
  char new_path[72];
  snprintf(new_path, sizeof new_path, "%s.edit", path);
  int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  MUST(fd >= 0 && __real_write(fd, bytes, len) == (ssize_t)len && close(fd) == 0);
  MUST(rename(new_path, path) == 0);
}

/* Returns the keys of a text; NULL: it cannot be read. */
static kh_keylist *keys_of(const file_text *text)
{
  kh_keylist *list = NULL;
  kh_bytes bytes = {text->bytes, text->len};
  if (!text->is_there ||
      kh_keyfile_parse_text(path, bytes, KH_REPEATS_AS_UPSTREAM, NULL, &list, NULL) != KH_OK)
    return NULL;
  return list;
}

static kh_keytable *table_of_text(const file_text *text)
{
  KH_AUTO_KEYLIST list = keys_of(text);
  return list == NULL ? NULL : table_of(list);
}

/* ---- what was in force ---- */

static seen_key *find_seen(uint32_t id, uint32_t version)
{
  for (size_t i = 0; i < seen_count; i++)
    if (seen[i].key.id == id && seen[i].key.version == version)
      return &seen[i];
  return NULL;
}

/* The key of a version that no server has made: one for each. */
static kh_key key_of(uint32_t id, uint32_t version)
{
  const seen_key *known = find_seen(id, version);
  if (known != NULL)
    return known->key;
  kh_key key = {.id = id, .version = version, .len = 16};
  memset(key.bytes, (int)(id * 31 + version), key.len);
  return key;
}

static void note_in_force(const kh_key *key)
{
  seen_key *known = find_seen(key->id, key->version);
  if (known == NULL) {
    MUST(seen_count < SEEN_MAX);
    known = &seen[seen_count++];
    known->key = *key;
  }
  MUST(kh_key_is_same_secret(&known->key, key));
  known->is_in_force = true;
}

/* A number that data is encrypted with, of this life or one before, is not made again. */
static void check_made(const kh_keytable *known, const kh_keylist *list)
{
  for (size_t i = 0; i < kh_keylist_count(list); i++) {
    const kh_key *key = kh_keylist_at(list, i);
    const seen_key *before = find_seen(key->id, key->version);
    if (before != NULL && kh_keytable_find(known, key->id, key->version) == NULL)
      MUST(kh_key_is_same_secret(&before->key, key));
  }
}

static void check_statistics(const kh_keytable *table)
{
  kh_keeper_stats stats = kh_keeper_get_stats(life.keeper);
  MUST(stats.versions == kh_keytable_version_count(table));
  MUST(stats.ids == kh_keytable_id_count(table));
  MUST(stats.generation > 0 && stats.last_result[0] != '\0');
}

static void check_in_force(void)
{
  const kh_keyring *ring = kh_keeper_ring(life.keeper);
  const kh_keytable *table = kh_keyring_begin(ring);
  for (size_t i = 0; i < seen_count; i++)
    MUST(!seen[i].is_in_force ||
         kh_keytable_find(table, seen[i].key.id, seen[i].key.version) != NULL);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    note_in_force(kh_keytable_at(table, i));
  check_statistics(table);
  kh_keyring_end(ring);
}

/* `after` has every key of `before`; a file that could be read still can. */
static void check_nothing_lost(const file_text *before, const file_text *after)
{
  KH_AUTO_KEYTABLE old = table_of_text(before);
  if (old == NULL)
    return;
  KH_AUTO_KEYTABLE new = table_of_text(after);
  MUST(new != NULL);
  for (size_t i = 0; i < kh_keytable_version_count(old); i++) {
    const kh_key *key = kh_keytable_at(old, i);
    const kh_key *found = kh_keytable_find(new, key->id, key->version);
    MUST(found != NULL && kh_key_is_same_secret(key, found));
  }
}

static bool has_all_in_force(const kh_keytable *file)
{
  for (size_t i = 0; i < seen_count; i++)
    if (seen[i].is_in_force &&
        kh_keytable_find(file, seen[i].key.id, seen[i].key.version) == NULL &&
        !kh_keytable_is_retired(file, seen[i].key.id, seen[i].key.version))
      return false;
  return true;
}

/* Returns whether a server could have started with the file and read all data whose keys it has. */
static bool is_file_honest(void)
{
  static file_text text;
  read_text(&text);
  KH_AUTO_KEYTABLE table = table_of_text(&text);
  if (table == NULL)
    return false;
  for (size_t i = 0; i < seen_count; i++) {
    const kh_key *found = kh_keytable_find(table, seen[i].key.id, seen[i].key.version);
    if (found != NULL && !kh_key_is_same_secret(found, &seen[i].key))
      return false;
  }
  return true;
}

/* ---- the store ---- */

static kh_status make_versions(void *self, const kh_store_rotation *rotation,
                               kh_store_content *ret_content, kh_store_rotated *ret_rotated,
                               kh_fault *ret_fault)
{
  kh_status status =
      store.plain->make_versions(self, rotation, ret_content, ret_rotated, ret_fault);
  if (status == KH_OK && ret_rotated->made > 0)
    check_made(rotation->known, ret_content->list);
  return status;
}

static void add_key(kh_keylist *list, const kh_key *key)
{
  *kh_keylist_next(list) = *key;
  kh_keylist_commit(list);
}

static const kh_key *find_wanted(uint32_t id, uint32_t version)
{
  const kh_key *found = NULL;
  for (size_t i = 0; i < seen_count; i++) {
    const kh_key *key = &seen[i].key;
    bool fits = key->id == id && (version == 0 || key->version == version);
    if (fits && (found == NULL || key->version > found->version))
      found = key;
  }
  return found;
}

enum { LOOKUP_WORKS, LOOKUP_IS_SILENT, LOOKUP_IS_EMPTY, LOOKUP_IS_WRONG, LOOKUPS };

static kh_status look_up(void *self, uint32_t id, uint32_t version, kh_keylist **ret_list,
                         kh_fault *ret_fault)
{
  (void)self;
  const kh_key *found = find_wanted(id, version);
  if (store.lookup == LOOKUP_IS_SILENT)
    return kh_fault_set(ret_fault, KH_E_SOCKET, "store", 111);
  if (found == NULL && store.lookup == LOOKUP_WORKS)
    return kh_fault_set(ret_fault, KH_E_KEY_NOT_FOUND, "store", 0);
  kh_status status = kh_keylist_new(2, ret_list);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, "store", 0);
  kh_key wrong = key_of(1, 1);
  wrong.bytes[0] ^= 1;
  if (store.lookup == LOOKUP_IS_WRONG)
    add_key(*ret_list, &wrong);
  if (found != NULL && store.lookup != LOOKUP_IS_EMPTY)
    add_key(*ret_list, found);
  return KH_OK;
}

/* The store of the key file, with the functions that a bit of `what` does not take out. */
static kh_store open_store(uint8_t what)
{
  kh_keyfile_options options = {.path = path, .permissions = (kh_permissions)(what / 64 % 2)};
  kh_store made;
  kh_log log = {check_message, NULL};
  MUST(kh_store_file_new(&options, engines, &log, &made) == KH_OK);
  store.plain = made.ops;
  store.ops = *made.ops;
  store.ops.make_versions = (what & 1) != 0 ? NULL : make_versions;
  store.ops.save = (what & 2) != 0 ? NULL : made.ops->save;
  store.ops.lookup = (what & 4) != 0 ? look_up : NULL;
  if ((what & 8) != 0) {
    store.ops.watch_begin = NULL;
    store.ops.watch_descriptor = NULL;
    store.ops.watch_drain = NULL;
  }
  if ((what & 16) != 0)
    store.ops.settle = NULL;
  made.ops = &store.ops;
  return made;
}

/* ---- a life ---- */

/* Returns whether a server could start. */
static bool start(uint8_t what)
{
  kh_store opened = open_store(what);
  kh_fault fault = {0};
  kh_keeper_options options = {.default_cipher = KH_CIPHER_AES_CBC,
                               .log = {check_message, NULL},
                               .clock = {tell_time, NULL},
                               .is_up = tell_whether_up,
                               .reload_advice = ""};
  memset(&life, 0, sizeof life);
  life.is_up = (what & 32) == 0;
  for (size_t i = 0; i < seen_count; i++)
    seen[i].is_in_force = false;
  kh_status status = kh_keeper_new(&options, &opened, &life.keeper, &fault);
  MUST((status == KH_OK) == (life.keeper != NULL) && (status == KH_OK) == (opened.ops == NULL));
  kh_store_free(&opened);
  return status == KH_OK;
}

static void let_thread_run(unsigned times)
{
  for (unsigned i = 0; i < times && life.has_thread; i++) {
    sem_post(&go_on);
    sem_wait(&is_waiting);
  }
}

/* Asks for what data has, as a server does that begins with an older file. */
static void ask_for_data(void)
{
  for (size_t i = 0; i < seen_count; i++)
    if (!seen[i].is_in_force)
      kh_keeper_note_miss(life.keeper, seen[i].key.id, seen[i].key.version);
}

/* ---- steps ---- */

/* A change was prepared, or was not; either way what is in force stays as it is. */
static void note_prepared(kh_status status, kh_keeper_token token, const kh_fault *fault,
                          uint8_t argument)
{
  char sentence[KH_MESSAGE_MAX];
  MUST((status == KH_OK) == (token != 0));
  if (status != KH_OK) {
    MUST(fault->status == status);
    kh_fault_describe(fault, sentence, sizeof sentence);
    MUST(sentence[0] != '\0');
  } else if ((argument & 128) == 0 || life.token_count == TOKENS)
    kh_keeper_commit(life.keeper, token);
  else
    life.tokens[life.token_count++] = token;
}

static void reload(uint8_t argument)
{
  kh_keeper_token token = 0;
  kh_fault fault = {0};
  uint64_t generation = kh_keeper_get_stats(life.keeper).generation;
  kh_status status = kh_keeper_prepare_reload(life.keeper, &token, &fault);
  MUST(kh_keeper_get_stats(life.keeper).generation == generation);
  note_prepared(status, token, &fault, argument);
}

static void rotate(uint8_t argument)
{
  kh_keeper_token token = 0;
  kh_fault fault = {0};
  kh_status status = kh_keeper_prepare_rotation(life.keeper, (argument & 127) % 6, &token, &fault);
  note_prepared(status, token, &fault, argument);
}

/* What was saved is in the file, whatever was there. */
static void save(uint8_t argument)
{
  static file_text text;
  kh_keeper_token token = 0;
  kh_fault fault = {0};
  kh_status status = kh_keeper_prepare_save(life.keeper, (argument & 1) != 0, &token, &fault);
  if (status == KH_OK) {
    calls_to_failure = -1;
    read_text(&text);
    KH_AUTO_KEYTABLE table = table_of_text(&text);
    MUST(table != NULL && has_all_in_force(table));
  }
  note_prepared(status, token, &fault, argument);
}

/* in any order */
static void commit_late(uint8_t argument)
{
  if (life.token_count == 0)
    return;
  size_t i = argument % life.token_count;
  kh_keeper_commit(life.keeper, life.tokens[i]);
  life.tokens[i] = life.tokens[--life.token_count];
}

static void miss(uint8_t argument)
{
  static const uint32_t versions[] = {0, 1, 2, 3, 4, 9, 2000, KH_KEY_VERSION_MAX};
  kh_keeper_note_miss(life.keeper, argument / 8 % 6, versions[argument % 8]);
}

static void set_background(uint8_t argument)
{
  bool had_thread = life.has_thread;
  kh_keeper_background wanted = {.reload = (argument & 1) != 0, .rotate = (argument & 2) != 0};
  kh_status status = kh_keeper_set_background(life.keeper, wanted);
  MUST(status == KH_OK || status == KH_E_NO_MEMORY);
  if (life.has_thread && !had_thread)
    sem_wait(&is_waiting);
  let_thread_run(argument / 32);
}

static void run_thread(uint8_t argument)
{
  let_thread_run(1 + argument % 32);
}

static void let_time_pass(uint8_t argument)
{
  now += argument * HOUR;
  life.is_up = true;
}

static void fail_next(uint8_t argument)
{
  next_to_fail = argument % 128;
}

static void answer_otherwise(uint8_t argument)
{
  store.lookup = argument % LOOKUPS;
}

static void restart(uint8_t argument)
{
  kh_keeper_free(&life.keeper);
  chmod(path, 0600);
  if (!is_file_honest())
    write_text(copies[0].bytes, copies[0].len);
  MUST(start(argument));
  if (argument >= 128) /* a server starts the thread before it reads data */
    set_background(0);
  ask_for_data();
}

/* ---- what others do to the file ---- */

static void add_line(uint8_t argument, bool is_wrong)
{
  static file_text text;
  static const char *const ends[] = {"\n", ";rotate=1h\n", ";cipher=aes-ctr\n", ""};
  uint32_t version = argument == 255 ? KH_KEY_VERSION_MAX : 1 + argument / 32;
  kh_key key = key_of(argument == 255 ? 4 : 1 + argument % 4, version);
  key.bytes[0] ^= is_wrong;
  read_text(&text);
  char *line = (char *)text.bytes + text.len;
  MUST(text.len + 160 < TEXT_MAX);
  int len = sprintf(line, "%u;%u;", key.id, key.version);
  for (uint32_t i = 0; i < key.len; i++)
    len += sprintf(line + len, "%02x", key.bytes[i]);
  len += sprintf(line + len, "%s", ends[argument / 4 % 4]);
  write_text(text.bytes, text.len + (size_t)len);
}

static void append(uint8_t argument)
{
  add_line(argument, false);
}

/* another key for a version in force; the server must not take it */
static void append_wrong(uint8_t argument)
{
  const seen_key *known = find_seen(1 + argument % 4, 1 + argument / 32);
  if (known != NULL && known->is_in_force)
    add_line(argument, true);
}

static void keep_copy(uint8_t argument)
{
  size_t i = copy_count < COPIES ? copy_count : 1 + argument % (COPIES - 1);
  read_text(&copies[i]);
  copy_count += copy_count < COPIES;
}

static void put_copy_back(uint8_t argument)
{
  const file_text *copy = &copies[argument % copy_count];
  if (copy->is_there)
    write_text(copy->bytes, copy->len);
}

static void remove_file(uint8_t argument)
{
  (void)argument;
  unlink(path);
}

static void cut_short(uint8_t argument)
{
  struct stat st;
  if (stat(path, &st) == 0)
    MUST(truncate(path, st.st_size * argument / 255) == 0);
}

static void change_mode(uint8_t argument)
{
  static const mode_t modes[] = {0600, 0400, 0640, 0644, 0660, 0666};
  chmod(path, modes[argument % (sizeof modes / sizeof modes[0])]);
}

/* takes all versions but the latest out of the file, on purpose */
static void retire(uint8_t argument)
{
  static file_text text;
  (void)argument;
  read_text(&text);
  KH_AUTO_KEYLIST list = keys_of(&text);
  KH_AUTO_KEYLIST old = NULL;
  KH_AUTO_SECRET changed = NULL;
  if (list == NULL)
    return;
  KH_AUTO_KEYTABLE table = table_of(list);
  MUST(kh_keylist_new(kh_keytable_version_count(table), &old) == KH_OK);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    if (!kh_keytable_is_latest(table, i))
      add_key(old, kh_keytable_at(table, i));
  KH_AUTO_KEYTABLE retired = table_of(old);
  MUST(kh_keyfile_retire_lines((kh_bytes){text.bytes, text.len}, list, retired, &changed) == KH_OK);
  kh_bytes bytes = kh_secret_bytes(changed);
  write_text(bytes.data, bytes.len);
}

typedef struct step {
  void (*take)(uint8_t argument);
  bool is_by_others; /* it may take keys out of the file */
} step;

static const step steps[] = {
    {reload, false},
    {rotate, false},
    {save, false},
    {commit_late, false},
    {miss, false},
    {set_background, false},
    {run_thread, false},
    {let_time_pass, false},
    {fail_next, false},
    {restart, true},
    {answer_otherwise, false},
    {append, true},
    {append_wrong, true},
    {keep_copy, false},
    {put_copy_back, true},
    {remove_file, true},
    {cut_short, true},
    {change_mode, true},
    {retire, true},
};

static void take_step(const step *step, uint8_t argument)
{
  static file_text before, after;
  read_text(&before);
  first_random++;
  if (!step->is_by_others)
    calls_to_failure = next_to_fail;
  next_to_fail = step->take == fail_next ? next_to_fail : -1;
  step->take(argument);
  calls_to_failure = -1;
  read_text(&after);
  if (!step->is_by_others)
    check_nothing_lost(&before, &after);
  check_in_force();
}

static void begin_input(uint8_t what)
{
  static const char text[] = "1;000102030405060708090a0b0c0d0e0f\n"
                             "2;1;101112131415161718191a1b1c1d1e1f;rotate=1d\n";
  empty_folder();
  write_text((const uint8_t *)text, sizeof text - 1);
  seen_count = 0;
  copy_count = 0;
  keep_copy(0);
  next_to_fail = -1;
  store.lookup = LOOKUP_WORKS;
  now = 1000000000;
  milliseconds = 1;
  MUST(start(what));
  check_in_force();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 1 || size > 1 + 2 * STEPS_MAX)
    return -1;
  if (path[0] == '\0')
    begin_process();
  begin_input(data[0]);
  for (size_t i = 1; i + 1 < size; i += 2)
    take_step(&steps[data[i] % (sizeof steps / sizeof steps[0])], data[i + 1]);
  kh_keeper_free(&life.keeper);
  return 0;
}
