/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keyfile.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hint.h"
#include "keyfile_parts.h"
#include "keyhold/random.h"
#include "keyhold/unlock.h"
#include "text.h"

/* Another process may replace the file while it is read. */
enum { TRIES = 5, PAUSE = 100 /* milliseconds */ };

kh_status kh_keyfile_fail(const kh_keyfile *file, kh_status status, kh_fault *ret_fault)
{
  return kh_fault_set(ret_fault, status, file->options.path, 0);
}

kh_status kh_keyfile_fail_for_key(const kh_keyfile *file, kh_status status, const kh_key *key,
                                  kh_fault *ret_fault)
{
  kh_keyfile_fail(file, status, ret_fault);
  if (ret_fault != NULL) {
    ret_fault->key_id = key->id;
    ret_fault->key_version = key->version;
  }
  return status;
}

kh_status kh_keyfile_too_large(const char *path, uint64_t size, kh_fault *ret_fault)
{
  kh_fault_set(ret_fault, KH_E_FILE_TOO_LARGE, path, 0);
  if (ret_fault != NULL) {
    ret_fault->size = size;
    ret_fault->limit = KH_KEYFILE_MAX;
  }
  return KH_E_FILE_TOO_LARGE;
}

kh_bytes kh_content_text(const kh_content *content)
{
  return kh_secret_bytes(content->decrypted != NULL ? content->decrypted : content->file);
}

bool kh_content_is_locked(const kh_content *content)
{
  return kh_secret_is_locked(content->file) && kh_secret_is_locked(content->decrypted) &&
         kh_keylist_is_locked(content->keys);
}

void kh_content_clear(kh_content *content)
{
  kh_secret_free(&content->file);
  kh_secret_free(&content->decrypted);
  kh_keylist_free(&content->keys);
}

static kh_file_kind kind_of(const kh_keyfile_options *options)
{
  if (!options->may_be_fifo || options->reads_no_fifo)
    return KH_FILE_REGULAR;
  return options->bounded_wait ? KH_FILE_OR_FIFO_SOON : KH_FILE_OR_FIFO;
}

static kh_status read_whole(const kh_keyfile_options *options, const kh_log *log,
                            kh_secret **ret_file, kh_file_info *ret_info, kh_fault *ret_fault)
{
  for (int tries = 1;; tries++) {
    kh_status status = kh_file_read_reporting(options->path, KH_KEYFILE_MAX + 1, kind_of(options),
                                              log, ret_file, ret_info, ret_fault);
    if (status != KH_E_FILE_CHANGED || tries == TRIES)
      return status;
    (void)poll(NULL, 0, PAUSE);
    if (ret_fault != NULL)
      *ret_fault = (kh_fault){.status = KH_OK};
  }
}

/* `log` NULL: logs nothing */
static kh_status read_key_file(const kh_keyfile_options *options, const kh_log *log,
                               kh_content *content, kh_fault *ret_fault)
{
  const char *path = options->path;
  kh_file_info info;
  kh_status status = read_whole(options, log, &content->file, &info, ret_fault);
  if (status == KH_OK)
    status = kh_file_check_permissions(path, &info, options->permissions, ret_fault);
  if (status != KH_OK)
    return status;
  size_t len = kh_secret_bytes(content->file).len;
  if (len > KH_KEYFILE_MAX)
    return kh_keyfile_too_large(path, info.size > len ? info.size : len, ret_fault);
  if (options->permissions != KH_PERMISSIONS_SEEN)
    kh_file_warn_of_mode(log, "key", path, info.mode);
  content->stamp = info.stamp;
  content->is_from_fifo = S_ISFIFO(info.mode);
  return KH_OK;
}

/* Without opening it, and silently. */
static kh_status read_unopened(const char *path, kh_content *content,
                               const kh_keyfile_format **ret_format, kh_fault *ret_fault)
{
  kh_keyfile_options options = {.path = path};
  kh_status status = read_key_file(&options, NULL, content, ret_fault);
  if (status == KH_OK)
    *ret_format = kh_envelope_format_of(kh_secret_bytes(content->file));
  return status;
}

kh_status kh_keyfile_recognise(const char *path, const kh_keyfile_format **ret_format,
                               kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  return read_unopened(path, &content, ret_format, ret_fault);
}

kh_status kh_keyfile_list_slots(const char *path, kh_sealed_slots *ret_slots, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  const kh_keyfile_format *format;
  kh_status status = read_unopened(path, &content, &format, ret_fault);
  if (status != KH_OK)
    return status;
  if (format->has_slots)
    return kh_sealed_list(path, kh_secret_bytes(content.file), ret_slots, ret_fault);
  ret_slots->count = 0;
  return KH_OK;
}

kh_status kh_keyfile_needs_passphrase(const char *path, bool *ret_needs, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  const kh_keyfile_format *format;
  kh_status status = read_unopened(path, &content, &format, ret_fault);
  if (status == KH_OK)
    *ret_needs = kh_envelope_needs_passphrase(format, kh_secret_bytes(content.file));
  return status;
}

static kh_status get_passphrase(kh_keyfile *file, kh_fault *ret_fault)
{
  const kh_keyfile_options *options = &file->options;
  kh_unlock_how how = {.permissions = options->permissions,
                       .bounded_wait = options->bounded_wait,
                       .reads_no_fifo = options->reads_no_fifo,
                       .ret_has_cr = &file->has_cr,
                       .may_be_literal = true};
  if (options->passphrase == NULL)
    return kh_unlock(options->filekey, &how, file->log, &file->envelope.passphrase, ret_fault);
  kh_bytes given = kh_secret_bytes(options->passphrase);
  kh_status status = kh_envelope_set_passphrase(&file->envelope, &given);
  return status == KH_OK ? KH_OK : kh_keyfile_fail(file, status, ret_fault);
}

static kh_status decrypt_content(const kh_keyfile *file, kh_envelope *envelope, kh_content *content,
                                 kh_fault *ret_fault)
{
  const kh_keyfile_format *format = envelope->format;
  kh_bytes encrypted = kh_secret_bytes(content->file);
  if (envelope->passphrase == NULL && kh_envelope_needs_passphrase(format, encrypted))
    return kh_keyfile_fail(file, KH_E_NO_PASSPHRASE, ret_fault);
  if (!format->is_encrypted && envelope->passphrase != NULL)
    return kh_keyfile_fail(file, KH_E_NOT_ENCRYPTED, ret_fault);
  kh_status status = format->functions->open(envelope, encrypted, &content->decrypted, ret_fault);
  return status == KH_E_WRONG_PASSPHRASE && envelope->passphrase == NULL
             ? kh_keyfile_fail(file, KH_E_NO_PASSPHRASE, ret_fault)
             : status;
}

static size_t number_of_lines(kh_bytes text)
{
  size_t lines = 1;
  for (size_t i = 0; i < text.len; i++)
    lines += text.data[i] == '\n';
  return lines;
}

/* Half of a key of 256 bits is a valid key of 128 bits. A writer that died in the middle of the
 * last line leaves such a half where the other keys are longer. What was decrypted is whole. */
static bool may_end_in_half_key(const kh_content *content)
{
  kh_bytes text = kh_content_text(content);
  const kh_key *last = NULL;
  size_t longest = 0;
  if (!content->is_from_fifo || content->decrypted != NULL || kh_text_ends_line(text))
    return false;
  for (size_t i = 0; i < kh_keylist_count(content->keys); i++) {
    const kh_key *key = kh_keylist_at(content->keys, i);
    longest = key->len > longest ? key->len : longest;
    if (last == NULL || key->line > last->line)
      last = key;
  }
  return last != NULL && last->len < longest && last->line == number_of_lines(text);
}

static bool has_only_text(kh_bytes text)
{
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.data[i];
    if ((byte < ' ' && (byte < '\t' || byte > '\r')) || byte == 0x7f)
      return false;
  }
  return true;
}

/*
 * A wrong passphrase that is not noticed decrypts to random bytes, which parse as a syntax error or
 * as an empty file. Random bytes contain control characters, and a key file does not.
 */
static bool may_be_random(const kh_keyfile_format *format, kh_bytes text)
{
  return format->functions->hides_wrong_passphrase && !has_only_text(text) &&
         !kh_hint_is_known_binary(text);
}

static kh_status parse_content(const kh_keyfile *file, const kh_keyfile_format *format,
                               kh_content *content, kh_fault *ret_fault)
{
  const char *path = file->options.path;
  kh_bytes text = kh_content_text(content);
  kh_faults *faults = file->options.faults;
  kh_status status =
      faults != NULL && !may_be_random(format, text)
          ? kh_keyfile_parse_whole_text(path, text, file->log, faults, &content->keys, ret_fault)
          : kh_keyfile_parse_text(path, text, KH_REPEATS_AS_UPSTREAM, file->log, &content->keys,
                                  ret_fault);
  if (status == KH_OK || !may_be_random(format, text))
    return status;
  return kh_keyfile_fail(file, KH_E_WRONG_PASSPHRASE, ret_fault);
}

/* Opens what was read, by the passphrase in the envelope. */
static kh_status open_content(const kh_keyfile *file, kh_envelope *envelope, kh_content *content,
                              kh_fault *ret_fault)
{
  envelope->format = kh_envelope_format_of(kh_secret_bytes(content->file));
  kh_status status = decrypt_content(file, envelope, content, ret_fault);
  if (status == KH_OK)
    status = parse_content(file, envelope->format, content, ret_fault);
  if (status == KH_E_WRONG_PASSPHRASE)
    envelope->format->functions->hint_what_was_tried(&file->options, file->log);
  return status;
}

void kh_keyfile_adopt(kh_keyfile *file, kh_content *content)
{
  kh_content_clear(&file->content);
  file->content = *content;
  *content = (kh_content){.file = NULL};
  file->is_locked = file->is_locked && kh_content_is_locked(&file->content);
}

static kh_status open_file(kh_keyfile *file, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  const kh_keyfile_options *options = &file->options;
  kh_status status = options->reads_no_fifo ? kh_file_refuse_fifo(options->path, ret_fault) : KH_OK;
  if (status == KH_OK)
    status = get_passphrase(file, ret_fault);
  if (status == KH_OK)
    status = read_key_file(&file->options, file->log, &content, ret_fault);
  if (status == KH_OK)
    status = open_content(file, &file->envelope, &content, ret_fault);
  if (status == KH_OK && may_end_in_half_key(&content))
    status = kh_keyfile_fail(file, KH_E_FILE_CUT, ret_fault);
  if (status != KH_OK)
    kh_keyfile_advise(file, &content, status, ret_fault);
  if (status != KH_OK)
    return status;
  file->is_locked = kh_secret_is_locked(file->envelope.passphrase);
  file->decided = content.stamp;
  kh_keyfile_adopt(file, &content);
  return KH_OK;
}

kh_status kh_keyfile_open(const kh_keyfile_options *options, const kh_crypt *crypt,
                          const kh_log *log, kh_keyfile **ret_file, kh_fault *ret_fault)
{
  KH_AUTO_KEYFILE file = calloc(1, sizeof *file);
  if (file == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, options->path, 0);
  file->options = *options;
  file->crypt = crypt;
  file->kept_log = log == NULL ? (kh_log){0} : *log;
  file->log = log == NULL ? NULL : &file->kept_log;
  file->envelope = (kh_envelope){.options = *options, .crypt = crypt};
  kh_status status = open_file(file, ret_fault);
  if (status != KH_OK)
    return status;
  *ret_file = file;
  file = NULL;
  return KH_OK;
}

void kh_keyfile_drop_change(kh_keyfile *file)
{
  kh_keytable_free(&file->change.before);
  kh_keylist_free(&file->change.delta);
  kh_secret_free(&file->change.text);
  kh_envelope_clear(&file->change.envelope);
  file->change.envelope.format = NULL;
}

void kh_keyfile_free(kh_keyfile **file)
{
  if (file == NULL || *file == NULL)
    return;
  kh_keyfile_drop_change(*file);
  kh_content_clear(&(*file)->content);
  kh_envelope_clear(&(*file)->envelope);
  kh_lockfile_release(&(*file)->lock);
  free(*file);
  *file = NULL;
}

const kh_keylist *kh_keyfile_keys(const kh_keyfile *file)
{
  return file->content.keys;
}

kh_bytes kh_keyfile_text(const kh_keyfile *file)
{
  return kh_content_text(&file->content);
}

const kh_keyfile_format *kh_keyfile_format_of(const kh_keyfile *file)
{
  return file->envelope.format;
}

kh_sealed_slots kh_keyfile_slots(const kh_keyfile *file)
{
  return file->envelope.sealed != NULL ? kh_sealed_slots_of(file->envelope.sealed)
                                       : (kh_sealed_slots){.count = 0};
}

kh_file_stamp kh_keyfile_stamp(const kh_keyfile *file)
{
  return file->content.stamp;
}

bool kh_keyfile_ends_line(const kh_keyfile *file)
{
  return file->envelope.format->is_encrypted || kh_text_ends_line(kh_keyfile_text(file));
}

bool kh_keyfile_memory_is_locked(const kh_keyfile *file)
{
  return file->is_locked;
}

bool kh_keyfile_had_unseen(const kh_keyfile *file)
{
  return file->had_unseen;
}

/* Opens the file that another process changed with the file key that is held; returns false when
 * the key does not open it.
 */
static bool follow_content(kh_keyfile *file, kh_content *content)
{
  kh_sealed *sealed = file->envelope.sealed;
  return sealed != NULL && kh_sealed_follow(sealed, kh_secret_bytes(content->file),
                                            &content->decrypted, NULL) == KH_OK;
}

/* Opens it with the passphrase: derives keys, although the lock is held. A key that was prepared
 * with the same passphrase, digest and iterations is valid for the new file too. */
static kh_status open_anew(kh_keyfile *file, kh_content *content, kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE envelope = {.options = file->envelope.options, .crypt = file->crypt};
  kh_bytes passphrase = kh_secret_bytes(file->envelope.passphrase);
  kh_status status =
      kh_envelope_set_passphrase(&envelope, file->envelope.passphrase != NULL ? &passphrase : NULL);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  status = open_content(file, &envelope, content, ret_fault);
  if (status != KH_OK)
    return status;
  if (envelope.format == file->envelope.format) {
    envelope.prepared = file->envelope.prepared;
    file->envelope.prepared = NULL;
  }
  kh_envelope_clear(&file->envelope);
  file->envelope = kh_envelope_take(&envelope);
  return KH_OK;
}

static bool is_same_content(const kh_content *a, const kh_content *b)
{
  kh_bytes x = kh_secret_bytes(a->file);
  kh_bytes y = kh_secret_bytes(b->file);
  return x.len == y.len && kh_is_same_secret(x.data, y.data, x.len);
}

/* Reads the file again. */
static kh_status update_content(kh_keyfile *file, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  kh_status status = read_key_file(&file->options, NULL, &content, ret_fault);
  if (status != KH_OK)
    return status;
  if (is_same_content(&content, &file->content)) {
    file->is_locked = file->is_locked && kh_secret_is_locked(content.file);
    file->content.stamp = content.stamp;
    return KH_OK;
  }
  status = follow_content(file, &content)
               ? parse_content(file, file->envelope.format, &content, ret_fault)
               : open_anew(file, &content, ret_fault);
  if (status == KH_OK)
    kh_keyfile_adopt(file, &content);
  return status;
}

static kh_status lock_file(kh_keyfile *file, kh_fault *ret_fault)
{
  if (file->lock != NULL)
    return KH_OK;
  kh_status status =
      kh_lockfile_take(file->options.path, KH_KEYFILE_LOCK_WAIT, &file->lock, ret_fault);
  if (status == KH_OK)
    status = update_content(file, ret_fault);
  if (status != KH_OK)
    kh_lockfile_release(&file->lock); /* the content is not what is on the disk */
  return status;
}

kh_status kh_keyfile_begin_change(kh_keyfile *file, kh_repeats repeats, kh_fault *ret_fault)
{
  bool is_of_keys = repeats == KH_REPEATS_REFUSED;
  kh_keyfile_drop_change(file);
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  status = lock_file(file, ret_fault);
  if (status == KH_OK && is_of_keys)
    status = kh_text_check_strictly(file->options.path, file->content.keys, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_keytable_new(file->content.keys, &file->change.before);
  if (status == KH_OK)
    status = kh_keylist_new(is_of_keys ? kh_keytable_id_count(file->change.before) + 1 : 0,
                            &file->change.delta);
  return status == KH_OK ? KH_OK : kh_keyfile_fail(file, status, ret_fault);
}
