/* SPDX-License-Identifier: GPL-2.0-only */
/* New content of a key file: made in memory, read back, compared key by key, and written. */
#include "attributes.h"
#include "keyfile_parts.h"
#include "keyhold/random.h"

/* Makes the file of a text, and decrypts it again. */
static kh_status make_and_read_back(const kh_envelope *envelope, kh_bytes text, kh_content *content,
                                    kh_fault *ret_fault)
{
  const kh_keyfile_format_functions *functions = envelope->format->functions;
  kh_status status = functions->make(envelope, text, &content->file, ret_fault);
  if (status != KH_OK)
    return status;
  kh_bytes file = kh_secret_bytes(content->file);
  if (file.len > KH_KEYFILE_MAX)
    return kh_keyfile_too_large(envelope->options.path, file.len, ret_fault);
  return functions->read_back(envelope, file, &content->decrypted, ret_fault);
}

/* Makes the file of a text, and reads it back as if it had been read from the disk. What was
 * prepared for it is used up: a salt is for one file. */
static kh_status make_new_content(kh_envelope *envelope, kh_bytes text, kh_repeats repeats,
                                  kh_content *content, kh_fault *ret_fault)
{
  kh_status status = kh_envelope_prepare(envelope, ret_fault);
  if (status == KH_OK)
    status = make_and_read_back(envelope, text, content, ret_fault);
  kh_secret_free(&envelope->prepared);
  if (status != KH_OK)
    return status;
  return kh_keyfile_parse_text(envelope->options.path, kh_content_text(content), repeats, NULL,
                               &content->keys, ret_fault);
}

/* The expected keys of the new content: those of before, with the delta. */
struct comparison {
  const char *path;
  const kh_keytable *before; /* NULL: there were none */
  const kh_keylist *delta;
  kh_keytable *retired; /* of the delta */
  kh_keytable *after;
};

static void free_comparison(struct comparison *comparison)
{
  kh_keytable_free(&comparison->retired);
  kh_keytable_free(&comparison->after);
}

static kh_status compare_key(const struct comparison *comparison, const kh_key *expected,
                             kh_fault *ret_fault)
{
  kh_status status = KH_OK;
  const kh_key *key = kh_keytable_find(comparison->after, expected->id, expected->version);
  if (key == NULL)
    status = KH_E_KEY_LOST;
  else if (!kh_key_is_same_secret(key, expected) ||
           !kh_attributes_are_same(&key->policy, &expected->policy))
    status = KH_E_KEY_CHANGED;
  if (status == KH_OK)
    return KH_OK;
  kh_fault_set(ret_fault, status, comparison->path, 0);
  if (ret_fault != NULL) {
    ret_fault->key_id = expected->id;
    ret_fault->key_version = expected->version;
  }
  return status;
}

/* counts the keys that must be there */
static kh_status compare_remaining(const struct comparison *comparison, size_t *count,
                                   kh_fault *ret_fault)
{
  kh_status status = KH_OK;
  const kh_keytable *before = comparison->before;
  for (size_t i = 0; i < kh_keytable_version_count(before) && status == KH_OK; i++) {
    const kh_key *key = kh_keytable_at(before, i);
    if (kh_keytable_is_retired(comparison->retired, key->id, key->version))
      continue;
    status = compare_key(comparison, key, ret_fault);
    (*count)++;
  }
  return status;
}

/* only the versions of the delta may have become retired, and retired ones stay retired */
static bool has_retired(const struct comparison *comparison)
{
  size_t more = kh_keylist_retired_count(comparison->delta);
  size_t before = comparison->before == NULL ? 0 : kh_keytable_retired_count(comparison->before);
  for (size_t i = 0; i < more; i++) {
    const kh_retired *retired = kh_keylist_retired_at(comparison->delta, i);
    if (!kh_keytable_is_retired(comparison->after, retired->id, retired->version))
      return false;
  }
  return kh_keytable_retired_count(comparison->after) == before + more;
}

static kh_status compare_all_keys(const struct comparison *comparison, kh_fault *ret_fault)
{
  kh_status status = KH_OK;
  size_t count = kh_keylist_count(comparison->delta);
  if (comparison->before != NULL)
    status = compare_remaining(comparison, &count, ret_fault);
  for (size_t i = 0; i < kh_keylist_count(comparison->delta) && status == KH_OK; i++)
    status = compare_key(comparison, kh_keylist_at(comparison->delta, i), ret_fault);
  if (status != KH_OK)
    return status;
  if (kh_keytable_version_count(comparison->after) != count || !has_retired(comparison))
    return kh_fault_set(ret_fault, KH_E_KEY_CHANGED, comparison->path, 0);
  return KH_OK;
}

/* Checks that the content that was read back has exactly the expected keys, in any order. */
static kh_status check_new_content(const char *path, const kh_content *content,
                                   const kh_keytable *before, const kh_keylist *delta,
                                   kh_fault *ret_fault)
{
  __attribute__((cleanup(free_comparison))) struct comparison comparison = {
      .path = path, .before = before, .delta = delta};
  kh_status status = kh_keytable_new(content->keys, &comparison.after);
  if (status == KH_OK)
    status = kh_keytable_new(delta, &comparison.retired);
  return status == KH_OK ? compare_all_keys(&comparison, ret_fault)
                         : kh_fault_set(ret_fault, status, path, 0);
}

/* Makes the content that the change writes. */
static kh_status make_changed(const kh_keyfile *file, kh_envelope *envelope, kh_content *content,
                              kh_fault *ret_fault)
{
  const kh_change *change = &file->change;
  kh_bytes text = change->text != NULL ? kh_secret_bytes(change->text) : kh_keyfile_text(file);
  kh_repeats repeats = change->text != NULL ? KH_REPEATS_REFUSED : KH_REPEATS_AS_UPSTREAM;
  kh_status status = make_new_content(envelope, text, repeats, content, ret_fault);
  return status == KH_OK ? check_new_content(file->options.path, content, change->before,
                                             change->delta, ret_fault)
                         : status;
}

static void adopt_changed(kh_keyfile *file, kh_content *content)
{
  kh_change *change = &file->change;
  file->is_locked = file->is_locked && kh_secret_is_locked(change->text) &&
                    kh_keylist_is_locked(change->delta) &&
                    kh_secret_is_locked(change->envelope.passphrase);
  if (change->envelope.format != NULL) {
    kh_envelope_clear(&file->envelope);
    file->envelope = kh_envelope_take(&change->envelope);
  }
  kh_keyfile_adopt(file, content);
}

static kh_status write_changed(kh_keyfile *file, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  kh_envelope *envelope =
      file->change.envelope.format != NULL ? &file->change.envelope : &file->envelope;
  kh_status status = make_changed(file, envelope, &content, ret_fault);
  kh_file_seen seen = {file->content.stamp, kh_secret_bytes(file->content.file)};
  if (status == KH_OK)
    status = kh_keyfile_replace(file->options.path, &seen, kh_secret_bytes(content.file), file->log,
                                &content.stamp, &file->had_unseen, ret_fault);
  if (status == KH_OK)
    adopt_changed(file, &content);
  return status;
}

kh_status kh_keyfile_save(kh_keyfile *file, kh_fault *ret_fault)
{
  file->had_unseen = false;
  bool is_changed = file->change.text != NULL || file->change.envelope.format != NULL;
  kh_status status = is_changed
                         ? write_changed(file, ret_fault)
                         : kh_file_flush(file->options.path, &file->content.stamp, ret_fault);
  if (status == KH_OK)
    file->decided = file->content.stamp;
  kh_secret_free(&file->envelope.prepared); /* when nothing was made */
  kh_keyfile_drop_change(file);
  kh_lockfile_release(&file->lock);
  return status;
}

static kh_status write_copy(const kh_keyfile *file, kh_envelope *envelope, const char *path,
                            kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  KH_AUTO_KEYLIST none = NULL;
  kh_keytable *keys = NULL;
  kh_status status = kh_keylist_new(0, &none);
  if (status == KH_OK)
    status = kh_keytable_new(file->content.keys, &keys);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  status = make_new_content(envelope, kh_keyfile_text(file), KH_REPEATS_AS_UPSTREAM, &content,
                            ret_fault);
  if (status == KH_OK)
    status = check_new_content(path, &content, keys, none, ret_fault);
  kh_keytable_free(&keys);
  return status == KH_OK ? kh_file_create(path, kh_secret_bytes(content.file), ret_fault) : status;
}

kh_status kh_keyfile_save_as(kh_keyfile *file, const kh_keyfile_form *form, const char *path,
                             kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE envelope = {.format = NULL};
  if (form == NULL)
    return kh_file_create(path, kh_secret_bytes(file->content.file), ret_fault);
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  status = kh_envelope_make(form, path, file->crypt, &envelope, ret_fault);
  return status == KH_OK ? write_copy(file, &envelope, path, ret_fault) : status;
}

static kh_status make_first_text(const kh_keylist *keys, kh_secret **ret_text)
{
  KH_AUTO_KEYLIST none = NULL;
  KH_AUTO_SECRET lines = NULL;
  kh_status status = kh_random_start();
  if (status == KH_OK)
    status = kh_keylist_new(0, &none);
  if (status == KH_OK)
    status = kh_keyfile_add_lines((kh_bytes){NULL, 0}, none, keys, &lines);
  return status == KH_OK ? kh_keyfile_add_markers(kh_secret_bytes(lines), keys, ret_text) : status;
}

kh_status kh_content_make(const char *path, const kh_keyfile_form *form, const kh_crypt *crypt,
                          const kh_keylist *keys, kh_content *content, kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE envelope = {.format = NULL};
  KH_AUTO_SECRET text = NULL;
  kh_status status = make_first_text(keys, &text);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  status = kh_envelope_make(form, path, crypt, &envelope, ret_fault);
  if (status == KH_OK)
    status =
        make_new_content(&envelope, kh_secret_bytes(text), KH_REPEATS_REFUSED, content, ret_fault);
  if (status == KH_OK)
    status = check_new_content(path, content, NULL, keys, ret_fault);
  return status;
}

kh_status kh_keyfile_create(const char *path, const kh_keyfile_form *form, const kh_crypt *crypt,
                            const kh_keylist *keys, kh_fault *ret_fault)
{
  KH_AUTO_CONTENT content = {.file = NULL};
  kh_status status = kh_content_make(path, form, crypt, keys, &content, ret_fault);
  return status == KH_OK ? kh_file_create(path, kh_secret_bytes(content.file), ret_fault) : status;
}
