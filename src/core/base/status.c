/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/status.h"

struct error {
  kh_class class;
  const char *sentence;
};

static const struct error errors[KH_STATUS_COUNT] = {
    [KH_OK] = {KH_CLASS_NONE, "[{path}: ]success"},
#define KH_ERROR(code, class, sentence) [code] = {KH_CLASS_##class, sentence},
#include "keyhold/errors.def"
};

static const struct error *find_error(kh_status status)
{
  static const struct error unknown = {KH_CLASS_INTERNAL, "[{path}: ]unknown status"};
  return (unsigned)status < KH_STATUS_COUNT ? &errors[status] : &unknown;
}

kh_class kh_status_class(kh_status status)
{
  return find_error(status)->class;
}

const char *kh_status_sentence(kh_status status)
{
  return find_error(status)->sentence;
}
