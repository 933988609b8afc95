/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/store_file.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

typedef struct file_store {
  kh_keyfile_options options;
  const kh_crypt *crypt;
  kh_log log;
  uint64_t work; /* of the file that the start or a statement opened last; 0: it is not sealed */
  kh_keyfile_search search; /* so that a file which does not open is not searched at each try */
  int events;               /* an inotify descriptor; -1: the file is not watched, or cannot be */
} file_store;

static kh_store_name file_store_name(const void *self)
{
  const file_store *store = self;
  return (kh_store_name){.noun = "the key file", .place = store->options.path};
}

static kh_store_mark mark_of_stamp(const kh_file_stamp *stamp)
{
  return (kh_store_mark){{stamp->device, stamp->inode, stamp->size, (uint64_t)stamp->modified,
                          (uint64_t)stamp->changed}};
}

static kh_file_stamp stamp_of_mark(const kh_store_mark *mark)
{
  return (kh_file_stamp){.device = mark->words[0],
                         .inode = mark->words[1],
                         .size = mark->words[2],
                         .modified = (int64_t)mark->words[3],
                         .changed = (int64_t)mark->words[4]};
}

static void free_text(char **text)
{
  free(*text);
}

static void free_file(void *file)
{
  kh_keyfile *owned = file;
  kh_keyfile_free(&owned);
}

/* takes over `file` */
static kh_store_content content_of(kh_keyfile *file)
{
  kh_file_stamp stamp = kh_keyfile_stamp(file);
  return (kh_store_content){.list = kh_keyfile_keys(file),
                            .owner = file,
                            .free_owner = free_file,
                            .mark = mark_of_stamp(&stamp),
                            .format = kh_keyfile_format_of(file)->name,
                            .is_locked = kh_keyfile_memory_is_locked(file),
                            .doubt = kh_keyfile_ends_line(file) ? KH_OK : KH_E_FILE_UNFINISHED};
}

static kh_keyfile_options options_for(const file_store *store, bool is_automatic)
{
  kh_keyfile_options options = store->options;
  if (is_automatic)
    options.work_max =
        store->work > KH_SEALED_WORK_AUTOMATIC ? store->work : KH_SEALED_WORK_AUTOMATIC;
  return options;
}

/* What a person has a file opened with, automatic changes may cost too. */
static void accept_work(file_store *store, const kh_keyfile *file)
{
  kh_sealed_slots slots = kh_keyfile_slots(file);
  store->work = kh_sealed_work(&slots);
}

/* the key file or the passphrase's, which the fault has */
static kh_status refuse_fifo(kh_fault *fault)
{
  if (fault != NULL)
    fault->status = KH_E_STORE_FIFO;
  return KH_E_STORE_FIFO;
}

static kh_status file_store_load(void *self, kh_store_reason reason, kh_store_content *ret_content,
                                 kh_fault *ret_fault)
{
  file_store *store = self;
  kh_keyfile *file = NULL;
  bool is_automatic = reason != KH_STORE_REQUESTED;
  kh_keyfile_options options = options_for(store, is_automatic);
  options.reads_no_fifo = reason == KH_STORE_COMPARED;
  kh_status status = kh_keyfile_open(&options, store->crypt, &store->log, &file, ret_fault);
  if (status == KH_E_FILE_FIFO)
    return refuse_fifo(ret_fault);
  if (status != KH_OK)
    return status;
  if (!is_automatic)
    accept_work(store, file);
  /* From now on a FIFO must not delay a statement or the server's shutdown. A start waits, as with
   * the server's own plugin. */
  store->options.bounded_wait = true;
  *ret_content = content_of(file);
  return KH_OK;
}

static kh_status file_store_make_versions(void *self, const kh_store_rotation *wanted,
                                          kh_store_content *ret_content,
                                          kh_store_rotated *ret_rotated, kh_fault *ret_fault)
{
  file_store *store = self;
  kh_keyfile_options options = options_for(store, wanted->due_only);
  options.may_be_fifo = false;
  KH_AUTO_KEYFILE file = NULL;
  kh_file_stamp loaded = stamp_of_mark(wanted->loaded);
  kh_rotation rotation = {.known = wanted->known,
                          .id = wanted->id,
                          .floor = wanted->floor,
                          .due_only = wanted->due_only,
                          .loaded = &loaded,
                          .now = wanted->now,
                          .default_cipher = wanted->default_cipher};
  kh_rotated rotated;
  kh_status status = kh_keyfile_open(&options, store->crypt, &store->log, &file, ret_fault);
  if (status == KH_OK && !wanted->due_only)
    accept_work(store, file);
  if (status == KH_OK)
    status = kh_keyfile_rotate(file, &rotation, &rotated, ret_fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, ret_fault);
  if (status != KH_OK)
    return status;
  *ret_content = content_of(file);
  file = NULL;
  *ret_rotated = (kh_store_rotated){
      .made = rotated.made, .taken = rotated.taken, .passed_over = rotated.passed_over};
  return KH_OK;
}

static kh_status add_missing(kh_keyfile *file, const kh_store_saving *saving, size_t *ret_written,
                             kh_fault *ret_fault)
{
  kh_status status =
      kh_keyfile_add_missing(file, saving->known, saving->default_cipher, ret_written, ret_fault);
  return status == KH_OK ? kh_keyfile_save(file, ret_fault) : status;
}

/* Writes the whole file, and opens it. `keeps`: there is one that does not open. */
static kh_status write_anew(const file_store *store, const kh_keyfile_options *options,
                            const kh_store_saving *saving, bool keeps, kh_store_saved *ret_saved,
                            kh_keyfile **ret_file, kh_fault *ret_fault)
{
  __attribute__((cleanup(free_text))) char *kept_as =
      keeps ? kh_file_name_dated(options->path, "kept", saving->now) : NULL;
  if (keeps && kept_as == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, options->path, 0);
  kh_status status =
      kh_keyfile_write_anew(options, store->crypt, &store->log, saving->known, kept_as, ret_fault);
  if (status == KH_OK)
    status = kh_keyfile_open(options, store->crypt, &store->log, ret_file, ret_fault);
  if (status != KH_OK)
    return status;
  *ret_saved = (kh_store_saved){.written = kh_keytable_version_count(saving->known),
                                .is_new = true,
                                .kept_as = kh_show_path(keeps ? kept_as : "")};
  return KH_OK;
}

/* A content of another passphrase may look like a damaged one in a file of `openssl enc`. */
static bool does_not_open(kh_status status)
{
  kh_class class = kh_status_class(status);
  return class == KH_CLASS_AUTHENTICATION || class == KH_CLASS_FORMAT ||
         status == KH_E_NOT_ENCRYPTED || status == KH_E_NO_PASSPHRASE;
}

static kh_status file_store_save(void *self, const kh_store_saving *saving,
                                 kh_store_content *ret_content, kh_store_saved *ret_saved,
                                 kh_fault *ret_fault)
{
  file_store *store = self;
  kh_keyfile_options options = store->options;
  options.may_be_fifo = false;
  KH_AUTO_KEYFILE file = NULL;
  kh_store_saved saved = {.written = 0};
  kh_status status = kh_keyfile_open(&options, store->crypt, &store->log, &file, ret_fault);
  bool replaces = saving->replaces && does_not_open(status);
  if (status == KH_OK && saving->replaces)
    return kh_fault_set(ret_fault, KH_E_STORE_OPENS, options.path, 0);
  if (status == KH_OK)
    status = add_missing(file, saving, &saved.written, ret_fault);
  else if (status == KH_E_FILE_NOT_FOUND || replaces) {
    if (ret_fault != NULL)
      *ret_fault = (kh_fault){.status = KH_OK};
    status = write_anew(store, &options, saving, replaces, &saved, &file, ret_fault);
  }
  if (file != NULL)
    accept_work(store, file);
  if (status != KH_OK)
    return status;
  *ret_content = content_of(file);
  file = NULL;
  *ret_saved = saved;
  return KH_OK;
}

/* The content that was read may be only in the system's memory: editors do not flush. */
static kh_status file_store_settle(void *self, const kh_store_mark *mark, kh_fault *ret_fault)
{
  const file_store *store = self;
  kh_file_stamp stamp = stamp_of_mark(mark);
  return kh_file_flush(store->options.path, &stamp, ret_fault);
}

static kh_status file_store_mark(void *self, kh_store_mark *ret_mark, kh_fault *ret_fault)
{
  const file_store *store = self;
  kh_file_stamp stamp;
  kh_status status = kh_file_stamp_of(store->options.path, &stamp, ret_fault);
  if (status == KH_OK)
    *ret_mark = mark_of_stamp(&stamp);
  return status;
}

static bool watch_folder_of(int events, const char *path)
{
  __attribute__((cleanup(free_text))) char *copy = strdup(path);
  if (copy == NULL)
    return false;
  return inotify_add_watch(events, dirname(copy),
                           IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB) >= 0;
}

/* Watches the folder of the name, where a link may be replaced, and that of the file that it leads
 * to. Called repeatedly, since folders may be replaced too; a folder that is already watched stays
 * so. */
static void watch_folders(const file_store *store)
{
  if (store->events < 0)
    return;
  __attribute__((cleanup(free_text))) char *target = realpath(store->options.path, NULL);
  watch_folder_of(store->events, store->options.path);
  if (target != NULL)
    watch_folder_of(store->events, target);
}

/* A mount of a single file stays on the file that was there when it was mounted. */
static void warn_of_mount_point(const file_store *store)
{
  if (kh_file_is_mount_point(store->options.path))
    kh_log_write(&store->log, KH_LOG_WARNING,
                 "auto_reload cannot notice that another file replaces key file '%s' where it is "
                 "made: the file itself is a mount point, and stays the old file; mount its folder "
                 "instead",
                 kh_file_show_absolute(store->options.path).text);
}

static kh_status file_store_watch_begin(void *self, kh_fault *ret_fault)
{
  file_store *store = self;
  warn_of_mount_point(store);
  store->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (store->events < 0 || !watch_folder_of(store->events, store->options.path))
    return kh_file_fail(ret_fault, KH_E_FILE_WATCH, store->options.path, errno);
  watch_folders(store);
  return KH_OK;
}

static int file_store_watch_descriptor(const void *self)
{
  const file_store *store = self;
  return store->events;
}

static void file_store_watch_drain(void *self)
{
  const file_store *store = self;
  char buffer[4096];
  while (store->events >= 0 && read(store->events, buffer, sizeof buffer) > 0) {
  }
  watch_folders(store);
}

static void file_store_watch_end(void *self)
{
  file_store *store = self;
  if (store->events >= 0)
    close(store->events);
  store->events = -1;
}

static void file_store_free(void *self)
{
  file_store_watch_end(self);
  free(self);
}

static const kh_store_ops file_store_ops = {
    .name = file_store_name,
    .load = file_store_load,
    .make_versions = file_store_make_versions,
    .settle = file_store_settle,
    .save = file_store_save,
    .mark = file_store_mark,
    .watch_begin = file_store_watch_begin,
    .watch_descriptor = file_store_watch_descriptor,
    .watch_drain = file_store_watch_drain,
    .watch_end = file_store_watch_end,
    .free = file_store_free,
};

kh_status kh_store_file_new(const kh_keyfile_options *options, const kh_crypt *crypt,
                            const kh_log *log, kh_store *ret_store)
{
  file_store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return KH_E_NO_MEMORY;
  store->options = *options;
  store->options.may_be_fifo = true;
  store->search.limit = KH_OPENSSL_GUESS_TIME;
  store->options.search = &store->search;
  store->crypt = crypt;
  store->log = *log;
  store->events = -1;
  *ret_store = (kh_store){&file_store_ops, store};
  return KH_OK;
}
