/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core dump of a process with the plugin in it: a child of this process dumps core, while the
 * plugin is idle and in the middle of its work, and no secret is in the file. Each time a second
 * child first undoes what keeps secrets out of core dumps, and the search must find them.
 *
 * This process keeps the secrets that it searches for only under a mask. Where the kernel gives
 * core dumps to another program, gdb writes them: it leaves out the same memory.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/secret.h"
#include "plugin.h"
#include "secret_files.h"
#include "unit.h"

/* When a core is dumped. */
enum moment { AT_REST, AT_UNWRAPPING, AT_DECRYPTING, AT_WRITING };

/* Who writes it. */
enum writer { NOBODY, KERNEL, GDB };

static test_plugin loaded;
static enum writer writer;
static enum moment awaited; /* AT_REST: no library call below waits for it */
static bool takes_back;     /* undoes what keeps secrets out of the dump */
static unsigned opened;     /* ciphertexts, since the moment was set */

static void make_dumped(const char *line)
{
  static unsigned long from, to;
  unsigned long first, last; /* other lines begin with a letter that is a digit, too */
  if (sscanf(line, "%lx-%lx ", &first, &last) == 2) {
    from = first;
    to = last;
  } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") != NULL) {
    (void)madvise((void *)from, to - from, MADV_DODUMP); /* not the kernel's own pages */
  }
}

static void take_back(void)
{
  static char line[1024];
  FILE *maps = fopen("/proc/self/smaps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
    make_dumped(line);
}

static void crash(void)
{
  const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  if (takes_back)
    take_back();
  if (chdir(test_path("cores")) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0 ||
      prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
      (setrlimit(RLIMIT_CORE, &all) != 0 && writer == KERNEL))
    _exit(1);
  signal(SIGABRT, SIG_DFL);
  (void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  raise(writer == GDB ? SIGSTOP : SIGABRT);
  _exit(1);
}

/* leaves the core in the folder "cores" */
static void dump(void)
{
  int how = 0;
  pid_t child = fork();
  if (child == 0)
    crash();
  assert_int_equal(waitpid(child, &how, WUNTRACED), child);
  if (writer == KERNEL) {
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT && WCOREDUMP(how));
    return;
  }
  assert_true(WIFSTOPPED(how));
  test_run("gcore -o '%s/core' %d >'%s' 2>&1", test_path("cores"), (int)child, test_path("gcore"));
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, &how, 0), child);
}

static void dump_at(enum moment now)
{
  if (now == awaited) {
    awaited = AT_REST;
    dump();
  }
}

/* Replaces libsodium's: the first call opens the slot, the second what the file key encrypts. */
int crypto_aead_xchacha20poly1305_ietf_decrypt(unsigned char *text, unsigned long long *len,
                                               unsigned char *none, const unsigned char *sealed,
                                               unsigned long long sealed_len,
                                               const unsigned char *bound,
                                               unsigned long long bound_len,
                                               const unsigned char *nonce, const unsigned char *key)
{
  __typeof__(&crypto_aead_xchacha20poly1305_ietf_decrypt) real;
  *(void **)&real = dlsym(RTLD_NEXT, __func__);
  dump_at(opened++ == 0 ? AT_UNWRAPPING : AT_DECRYPTING);
  return real(text, len, none, sealed, sealed_len, bound, bound_len, nonce, key);
}

/* Replaces libc's: the new key file is written, and does not have its name yet. */
__attribute__((visibility("default"))) int fsync(int fd)
{
  dump_at(AT_WRITING);
  return fdatasync(fd);
}

/* gives the path of the only core; false if there is no core */
static bool find_core(char *path, size_t size)
{
  DIR *folder = opendir(test_path("cores"));
  bool found = false;
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (entry->d_name[0] != '.') {
      assert_false(found);
      found = true;
      snprintf(path, size, "%s/%s", test_path("cores"), entry->d_name);
    }
  closedir(folder);
  return found;
}

/* Returns in how many places the core has secrets: of those that are in memory at that moment, if
 * any.
 */
static size_t count_in_core(const struct masked *const *secrets, size_t count)
{
  char path[1024];
  size_t places = 0;
  assert_true(find_core(path, sizeof path));
  for (size_t i = 0; i < count; i++)
    places += memory_count_in_file(secrets[i], path);
  unlink(path);
  return places;
}

/* Brings the plugin to the moment with the form's file; at rest it only runs. The start flushes the
 * file too, so the moment of writing is awaited after it. */
static void run_to(enum secret_form form, enum moment moment)
{
  opened = 0;
  awaited = moment == AT_WRITING ? AT_REST : moment;
  plugin_run_file(&loaded, secret_file(form), secret_filekey(form), 0);
  if (moment == AT_WRITING) {
    awaited = AT_WRITING;
    assert_true(plugin_set_checked(&loaded, "rotate_key", NULL, 1, false));
  } else if (moment == AT_REST) {
    dump();
  }
  assert_int_equal(awaited, AT_REST);
}

struct trial {
  enum secret_form form;
  enum moment moment;
  const struct masked *there; /* in memory at that moment */
};

static void run(const struct trial *trial)
{
  const struct secrets *secrets = secrets_of(trial->form);
  const struct masked *const all[] = {&secrets->digits, &secrets->bytes, &secrets->passphrase,
                                      &secrets->slot_key, &secrets->file_key};
  size_t count = secrets->file_key.len == 0 ? 3 : 5;
  for (int without = 0; without < 2; without++) {
    takes_back = without == 1;
    run_to(trial->form, trial->moment);
    if (takes_back)
      assert_int_not_equal(count_in_core(&trial->there, 1), 0);
    else
      assert_int_equal(count_in_core(all, count), 0);
    plugin_close(&loaded, true);
  }
}

static void need_a_writer(void)
{
  if (writer == NOBODY) {
    fprintf(stderr, "the kernel writes no core dump here, and there is no gdb that may\n");
    skip();
  }
}

static void at_rest(void **state)
{
  (void)state;
  need_a_writer();
  for (enum secret_form form = 0; form < SECRET_FORMS; form++)
    run(&(struct trial){form, AT_REST, &secrets_of(form)->bytes});
}

static void while_a_sealed_file_is_opened(void **state)
{
  (void)state;
  need_a_writer();
  for (enum secret_form form = SECRET_ARGON2; form <= SECRET_PBKDF2; form++) {
    const struct secrets *secrets = secrets_of(form);
    run(&(struct trial){form, AT_UNWRAPPING, &secrets->slot_key});
    run(&(struct trial){form, AT_UNWRAPPING, &secrets->passphrase});
    run(&(struct trial){form, AT_DECRYPTING, &secrets->file_key});
    run(&(struct trial){form, AT_DECRYPTING, &secrets->passphrase});
  }
}

static void while_a_key_file_is_written(void **state)
{
  (void)state;
  need_a_writer();
  for (enum secret_form form = 0; form < SECRET_FORMS; form++)
    run(&(struct trial){form, AT_WRITING, &secrets_of(form)->digits});
}

/* returns whether gcore works on another process */
static bool has_gdb(void)
{
  char command[4096];
  snprintf(command, sizeof command,
           "sleep 600 & gcore -o '%s' $! >/dev/null 2>&1; how=$?; kill $!; exit $how",
           test_path("probe"));
  return system(command) == 0;
}

/* With a folder or a program in the pattern the core is not where this test searches. */
static enum writer find_writer(void)
{
  struct rlimit limit = {0, 0};
  char pattern[256] = "|";
  int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? 0 : read(fd, pattern, sizeof pattern - 1);
  if (fd >= 0)
    close(fd);
  bool is_plain = len > 1 && memchr(pattern, '|', (size_t)len) == NULL &&
                  memchr(pattern, '/', (size_t)len) == NULL;
  bool is_allowed =
      getrlimit(RLIMIT_CORE, &limit) == 0 && (limit.rlim_max == RLIM_INFINITY || geteuid() == 0);
  if (is_plain && is_allowed && getenv("KEYHOLD_TEST_GCORE") == NULL)
    return KERNEL;
  return has_gdb() ? GDB : NOBODY;
}

static int make_files(void **state)
{
  (void)state;
  writer = find_writer();
  secret_files_make();
  test_run("mkdir '%s'", test_path("cores"));
  return 0;
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_rest),
      cmocka_unit_test(while_a_sealed_file_is_opened),
      cmocka_unit_test(while_a_key_file_is_written),
  };
  return cmocka_run_group_tests(tests, make_files, NULL);
}
