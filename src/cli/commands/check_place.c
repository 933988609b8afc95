/* SPDX-License-Identifier: GPL-2.0-only */
#include "check_place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyhold/file.h"
#include "keyhold/hex.h"
#include "keyhold/secret.h"

enum { COPY_MAX = 1048576, COPIES_MAX = 1000, READ_MAX = 64 * COPY_MAX };

static bool has_file(const char *folder, const char *name)
{
  char path[PATH_MAX];
  struct stat st;
  return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
         stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Shortens a path by its last name; false: it was the root. */
static bool go_up(char *path)
{
  char *slash = strrchr(path, '/');
  if (slash == NULL || path[1] == '\0')
    return false;
  slash[slash == path ? 1 : 0] = '\0';
  return true;
}

static void check_data_directory(const char *path, kh_cli_findings *findings)
{
  char folder[PATH_MAX];
  if (realpath(path, folder) == NULL)
    return; /* opening it will report the error */
  while (go_up(folder))
    if (has_file(folder, "ibdata1") || has_file(folder, "aria_log_control")) {
      kh_cli_findings_add(findings, KH_CLI_BAD, "place",
                          "it is inside the data directory '%s', so every copy of that directory "
                          "has it too; move it to a folder of its own",
                          kh_show_path(folder).text);
      return;
    }
}

/* What a rotation would meet. */
struct foreseen {
  kh_fault fault;
  bool is_mistake;
};

/* In a child: becomes the file's owner, with that user's groups, and looks with those rights. */
static void foresee_as_owner(const char *path, const struct stat *st, int out)
{
  struct foreseen foreseen = {.fault = {.status = KH_OK}};
  const struct passwd *user = getpwuid(st->st_uid);
  bool is_user = user == NULL
                     ? setgroups(0, NULL) == 0 && setgid(st->st_gid) == 0
                     : initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0;
  if (is_user && setuid(st->st_uid) == 0)
    (void)!kh_file_foresee_replace(path, &foreseen.is_mistake, &foreseen.fault);
  _exit(write(out, &foreseen, sizeof foreseen) == (ssize_t)sizeof foreseen ? 0 : 1);
}

/* Root may do everything, so it asks with the rights of the file's owner. */
static kh_status foresee_for_owner(const char *path, const struct stat *st,
                                   struct foreseen *ret_foreseen)
{
  int ends[2];
  if (geteuid() != 0 || st->st_uid == 0)
    return kh_file_foresee_replace(path, &ret_foreseen->is_mistake, &ret_foreseen->fault);
  if (pipe2(ends, O_CLOEXEC) != 0)
    return KH_OK;
  pid_t child = fork();
  if (child == 0)
    foresee_as_owner(path, st, ends[1]);
  close(ends[1]);
  bool is_read = read(ends[0], ret_foreseen, sizeof *ret_foreseen) == (ssize_t)sizeof *ret_foreseen;
  close(ends[0]);
  if (child > 0)
    (void)waitpid(child, NULL, 0);
  return is_read ? ret_foreseen->fault.status : KH_OK;
}

static void check_replacing(const char *path, kh_cli_findings *findings)
{
  struct foreseen foreseen = {.fault = {.status = KH_OK}};
  char text[KH_MESSAGE_MAX];
  struct stat st;
  if (stat(path, &st) != 0)
    return; /* opening it will report the error */
  kh_status status = foresee_for_owner(path, &st, &foreseen);
  if (status == KH_OK || status == KH_E_FILE_NOT_FOUND || status == KH_E_FILE_OPEN)
    return;
  kh_fault_describe(&foreseen.fault, text, sizeof text);
  kh_cli_findings_add(findings, foreseen.is_mistake ? KH_CLI_BAD : KH_CLI_NOTE, "place",
                      "a rotation would fail: %s", text);
}

/* The folder of the key file. */
struct folder {
  DIR *stream;
  char path[PATH_MAX];
};

static void close_folder(struct folder *folder)
{
  if (folder->stream != NULL)
    (void)closedir(folder->stream);
}

static bool open_folder(const char *path, struct folder *folder)
{
  if (realpath(path, folder->path) == NULL || !go_up(folder->path))
    return false;
  folder->stream = opendir(folder->path);
  return folder->stream != NULL;
}

static void note_kept(const struct folder *folder, const char *name, kh_cli_findings *findings)
{
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", folder->path, name) >= (int)sizeof path)
    return;
  kh_cli_findings_add(findings, KH_CLI_NOTE, "kept",
                      "'%s' beside it is an older content with lines that the file may lack; add "
                      "its keys by 'keyhold merge', then move it to a safe place",
                      kh_show_path(path).text);
}

static void check_kept(const char *path, kh_cli_findings *findings)
{
  __attribute__((cleanup(close_folder))) struct folder folder = {.stream = NULL};
  char real[PATH_MAX];
  const struct dirent *entry = NULL;
  if (realpath(path, real) == NULL || !open_folder(real, &folder))
    return;
  while ((entry = readdir(folder.stream)) != NULL)
    if (kh_file_is_name_dated(real, "kept", entry->d_name))
      note_kept(&folder, entry->d_name, findings);
}

void kh_cli_check_place(const char *path, kh_cli_findings *findings)
{
  check_data_directory(path, findings);
  check_replacing(path, findings);
  if (kh_file_is_mount_point(path))
    kh_cli_findings_add(findings, KH_CLI_NOTE, "place",
                        "the file itself is a mount point: it cannot be rotated here, and "
                        "auto_reload does not notice a new file; mount its folder instead");
  check_kept(path, findings);
}

/* The keys that are searched, and what was found in one file. */
struct search {
  const kh_key **keys; /* sorted by length and bytes */
  size_t count;
  bool *is_found; /* of each */
  size_t found;   /* different keys */
  size_t others;  /* runs of digits that may be a key which the table does not have */
};

static void free_search(struct search *search)
{
  free(search->keys);
  free(search->is_found);
}

static int compare_keys(const void *left, const void *right)
{
  const kh_key *a = *(const kh_key *const *)left;
  const kh_key *b = *(const kh_key *const *)right;
  if (a->len != b->len)
    return a->len < b->len ? -1 : 1;
  return memcmp(a->bytes, b->bytes, a->len);
}

static bool begin_search(const kh_keytable *table, struct search *search)
{
  search->count = kh_keytable_version_count(table);
  search->keys = calloc(search->count + 1, sizeof(const kh_key *));
  search->is_found = calloc(search->count + 1, sizeof *search->is_found);
  if (search->keys == NULL || search->is_found == NULL)
    return false;
  for (size_t i = 0; i < search->count; i++)
    search->keys[i] = kh_keytable_at(table, i);
  qsort(search->keys, search->count, sizeof(const kh_key *), compare_keys);
  return true;
}

static void look_up(struct search *search, kh_bytes digits)
{
  kh_key key = {.len = (uint32_t)(digits.len / 2)};
  const kh_key *wanted = &key;
  if (!kh_hex_decode(digits, key.bytes))
    return;
  const kh_key **match =
      bsearch(&wanted, search->keys, search->count, sizeof(const kh_key *), compare_keys);
  kh_wipe(&key, sizeof key);
  if (match == NULL)
    search->others++;
  else if (!search->is_found[match - search->keys]) {
    search->is_found[match - search->keys] = true;
    search->found++;
  }
}

static bool is_key_length(size_t digits)
{
  return digits == 32 || digits == 48 || digits == 64;
}

/* Looks up every run of digits that is as long as a key. */
static void search_content(struct search *search, kh_bytes content)
{
  search->found = search->others = 0;
  memset(search->is_found, 0, search->count);
  for (size_t i = 0; i < content.len; i++) {
    size_t begin = i;
    while (i < content.len && isxdigit(content.data[i]) != 0)
      i++;
    if (is_key_length(i - begin))
      look_up(search, (kh_bytes){content.data + begin, i - begin});
  }
}

static void add_copy(const struct search *search, bool is_encrypted, const char *path,
                     kh_cli_findings *findings)
{
  kh_cli_colour level = is_encrypted ? KH_CLI_BAD : KH_CLI_NOTE;
  kh_shown_path shown = kh_show_path(path);
  if (search->others == 0)
    kh_cli_findings_add(findings, level, "copies",
                        "'%s' beside it has %zu of its keys in plain text; move it to a safe "
                        "place, or delete it",
                        shown.text, search->found);
  else
    kh_cli_findings_add(findings, level, "copies",
                        "'%s' beside it has %zu of its keys in plain text, and %zu more that may "
                        "be keys, which data may need; move it to a safe place",
                        shown.text, search->found, search->others);
}

/* Searches a file, unless it is the key file itself, or another one than was looked at. */
static void search_file(struct search *search, bool is_encrypted, const char *path,
                        const struct stat *st, kh_cli_findings *findings)
{
  KH_AUTO_SECRET content = NULL;
  kh_file_info info;
  if (kh_file_read(path, COPY_MAX + 1, KH_FILE_REGULAR, &content, &info, NULL) != KH_OK ||
      info.stamp.device != st->st_dev || info.stamp.inode != st->st_ino)
    return;
  search_content(search, kh_secret_bytes(content));
  if (search->found > 0)
    add_copy(search, is_encrypted, path, findings);
}

static bool may_be_copy(int folder, const char *name, const struct stat *key_file,
                        struct stat *ret_st)
{
  return fstatat(folder, name, ret_st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(ret_st->st_mode) &&
         ret_st->st_size > 0 && ret_st->st_size <= COPY_MAX &&
         (ret_st->st_dev != key_file->st_dev || ret_st->st_ino != key_file->st_ino);
}

/* Returns false when the limits end the search. */
static bool search_folder(struct folder *folder, const struct stat *key_file, bool is_encrypted,
                          struct search *search, kh_cli_findings *findings)
{
  char path[PATH_MAX];
  const struct dirent *entry = NULL;
  off_t bytes = 0;
  for (unsigned files = 0; (entry = readdir(folder->stream)) != NULL;) {
    struct stat st;
    if (!may_be_copy(dirfd(folder->stream), entry->d_name, key_file, &st) ||
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name) >= (int)sizeof path)
      continue;
    bytes += st.st_size;
    if (files++ == COPIES_MAX || bytes > READ_MAX)
      return false;
    search_file(search, is_encrypted, path, &st, findings);
  }
  return true;
}

void kh_cli_check_copies(const char *path, bool is_encrypted, const kh_keytable *table,
                         kh_cli_findings *findings)
{
  __attribute__((cleanup(close_folder))) struct folder folder = {.stream = NULL};
  __attribute__((cleanup(free_search))) struct search search = {.count = 0};
  struct stat key_file;
  if (stat(path, &key_file) != 0 || !open_folder(path, &folder))
    return;
  if (!begin_search(table, &search))
    kh_cli_findings_add(findings, KH_CLI_BAD, "copies",
                        "cannot search for copies of the keys: out of memory");
  else if (!search_folder(&folder, &key_file, is_encrypted, &search, findings))
    kh_cli_findings_add(findings, KH_CLI_NOTE, "copies",
                        "folder '%s' has too many files: not all were searched for copies of the "
                        "keys",
                        kh_show_path(folder.path).text);
}
