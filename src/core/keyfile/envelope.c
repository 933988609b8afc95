/* SPDX-License-Identifier: GPL-2.0-only */
#include "envelope.h"

#include <string.h>

/* the last one knows every file */
static const kh_keyfile_format *const formats[] = {
    &kh_keyfile_format_openssl,
    &kh_keyfile_format_sealed,
    &kh_keyfile_format_text,
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

const kh_keyfile_format *kh_keyfile_format_at(size_t index)
{
  return index < FORMATS ? formats[index] : NULL;
}

const kh_keyfile_format *kh_keyfile_format_by_name(const char *name)
{
  for (size_t i = 0; i < FORMATS; i++)
    if (strcmp(formats[i]->name, name) == 0)
      return formats[i];
  return NULL;
}

const kh_keyfile_format *kh_envelope_format_of(kh_bytes file)
{
  size_t i = 0;
  while (i < FORMATS - 1 && !formats[i]->functions->knows(file))
    i++;
  return formats[i];
}

bool kh_envelope_needs_passphrase(const kh_keyfile_format *format, kh_bytes file)
{
  bool (*may_open_without)(kh_bytes) = format->functions->may_open_without_passphrase;
  return format->is_encrypted && (may_open_without == NULL || !may_open_without(file));
}

bool kh_keyfile_form_needs_passphrase(const kh_keyfile_form *form)
{
  return form->format->is_encrypted &&
         (!form->format->has_slots || form->slot.kind->needs_passphrase);
}

static kh_status check_form(const kh_keyfile_form *form, const char *path, kh_fault *ret_fault)
{
  if (kh_keyfile_form_needs_passphrase(form) && kh_secret_bytes(form->passphrase).len == 0)
    return kh_fault_set(ret_fault, KH_E_NO_PASSPHRASE, path, 0);
  if (!form->format->is_encrypted && form->passphrase != NULL)
    return kh_fault_set(ret_fault, KH_E_NOT_ENCRYPTED, path, 0);
  return KH_OK;
}

static kh_status fill_envelope(const kh_keyfile_form *form, kh_envelope *envelope,
                               kh_fault *ret_fault)
{
  kh_sealed_entry only = {form->slot, kh_secret_bytes(form->passphrase)};
  kh_status status =
      form->passphrase == NULL ? KH_OK : kh_envelope_set_passphrase(envelope, &only.passphrase);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, envelope->options.path, 0);
  if (form->format->has_slots)
    status = kh_sealed_new(envelope->options.path, &only, 1, &envelope->sealed, ret_fault);
  return status == KH_OK ? kh_envelope_prepare(envelope, ret_fault) : status;
}

kh_status kh_envelope_make(const kh_keyfile_form *form, const char *path, const kh_crypt *crypt,
                           kh_envelope *ret_envelope, kh_fault *ret_fault)
{
  KH_AUTO_ENVELOPE envelope = {.format = form->format,
                               .options = {.path = path,
                                           .digest = form->digest,
                                           .pbkdf2_iterations = form->pbkdf2_iterations},
                               .crypt = crypt};
  kh_status status = check_form(form, path, ret_fault);
  if (status == KH_OK)
    status = fill_envelope(form, &envelope, ret_fault);
  if (status == KH_OK)
    *ret_envelope = kh_envelope_take(&envelope);
  return status;
}

kh_status kh_envelope_prepare(kh_envelope *envelope, kh_fault *ret_fault)
{
  const kh_keyfile_format_functions *functions = envelope->format->functions;
  if (functions->prepare == NULL || envelope->prepared != NULL)
    return KH_OK;
  return functions->prepare(envelope, ret_fault);
}

kh_status kh_envelope_set_passphrase(kh_envelope *envelope, const kh_bytes *passphrase)
{
  kh_secret *copy = NULL;
  kh_status status = passphrase == NULL ? KH_OK : kh_secret_new(passphrase->len, &copy);
  if (status != KH_OK)
    return status;
  if (passphrase != NULL && passphrase->len > 0)
    memcpy(kh_secret_data(copy), passphrase->data, passphrase->len);
  if (passphrase != NULL)
    kh_secret_set_len(copy, passphrase->len);
  kh_secret_free(&envelope->prepared);
  kh_secret_free(&envelope->passphrase);
  envelope->passphrase = copy;
  return KH_OK;
}

kh_status kh_envelope_clone(const kh_envelope *envelope, kh_envelope *ret_clone)
{
  *ret_clone = *envelope;
  ret_clone->passphrase = NULL;
  ret_clone->sealed = NULL;
  ret_clone->prepared = NULL;
  kh_bytes passphrase = kh_secret_bytes(envelope->passphrase);
  kh_status status =
      kh_envelope_set_passphrase(ret_clone, envelope->passphrase != NULL ? &passphrase : NULL);
  if (status == KH_OK && envelope->sealed != NULL)
    status = kh_sealed_clone(envelope->sealed, &ret_clone->sealed);
  return status;
}

kh_envelope kh_envelope_take(kh_envelope *envelope)
{
  kh_envelope taken = *envelope;
  *envelope = (kh_envelope){.format = NULL};
  return taken;
}

void kh_envelope_clear(kh_envelope *envelope)
{
  kh_secret_free(&envelope->passphrase);
  kh_sealed_free(&envelope->sealed);
  kh_secret_free(&envelope->prepared);
}
