/* SPDX-License-Identifier: GPL-2.0-only */
/* The sealed key file as one of the formats of a key file. */
#include "envelope.h"

/* Opening a file finds out whether it is damaged or newer. */
static bool may_open_sealed_without(kh_bytes file)
{
  kh_sealed_slots slots;
  return kh_sealed_list(NULL, file, &slots, NULL) == KH_OK && !kh_sealed_needs_passphrase(&slots);
}

/* before a key is derived: the file's writer sets what that costs */
static kh_status check_cost(const kh_keyfile_options *options, kh_bytes file, kh_fault *ret_fault)
{
  kh_sealed_slots slots;
  kh_sealed_limits limits = {KH_ARGON2_MEMORY_MAX, KH_SEALED_WORK_MAX};
  if (options->argon2_memory_max != 0)
    limits.memory = options->argon2_memory_max;
  if (options->work_max != 0)
    limits.work = options->work_max;
  kh_status status = kh_sealed_list(options->path, file, &slots, ret_fault);
  return status == KH_OK ? kh_sealed_check_limits(options->path, &slots, &limits, ret_fault)
                         : status;
}

static kh_status open_sealed(kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                             kh_fault *ret_fault)
{
  kh_status status = check_cost(&envelope->options, file, ret_fault);
  if (status != KH_OK)
    return status;
  return kh_sealed_open(envelope->options.path, file, kh_secret_bytes(envelope->passphrase),
                        &envelope->sealed, ret_text, ret_fault);
}

static kh_status read_sealed_back(const kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                                  kh_fault *ret_fault)
{
  return kh_sealed_read_back(envelope->sealed, file, ret_text, ret_fault);
}

static kh_status make_sealed(const kh_envelope *envelope, kh_bytes text, kh_secret **ret_file,
                             kh_fault *ret_fault)
{
  return kh_sealed_write(envelope->sealed, text, ret_file, ret_fault);
}

static void hint_slots(const kh_keyfile_options *options, const kh_log *log)
{
  bool is_setting = options->passphrase == NULL;
  kh_log_write(log, KH_LOG_HINT, "tried '%s' with the passphrase%s in each of its slots%s",
               kh_show_path(options->path).text, is_setting ? " of filekey" : "",
               is_setting ? "; digest and use_pbkdf2 do not apply to sealed key files" : "");
}

static const kh_keyfile_format_functions functions = {
    .knows = kh_sealed_knows,
    .may_open_without_passphrase = may_open_sealed_without,
    .open = open_sealed,
    .read_back = read_sealed_back,
    .make = make_sealed,
    .hint_what_was_tried = hint_slots,
};

const kh_keyfile_format kh_keyfile_format_sealed = {
    .name = "sealed", .is_encrypted = true, .has_slots = true, .functions = &functions};
