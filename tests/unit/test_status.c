/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/status.h"
#include "unit.h"

static void every_code_has_its_own_sentence(void **state)
{
  (void)state;
  for (int a = 0; a < KH_STATUS_COUNT; a++) {
    assert_non_null(kh_status_sentence((kh_status)a));
    for (int b = 0; b < a; b++)
      assert_string_not_equal(kh_status_sentence((kh_status)a), kh_status_sentence((kh_status)b));
  }
}

static void every_error_has_a_class(void **state)
{
  (void)state;
  assert_int_equal(kh_status_class(KH_OK), KH_CLASS_NONE);
  for (int a = KH_OK + 1; a < KH_STATUS_COUNT; a++)
    assert_in_range(kh_status_class((kh_status)a), KH_CLASS_USAGE, KH_CLASS_INTERNAL);
}

/* what `keyhold check` reports as a fault of the file, and what it does not */
static void a_damaged_file_is_not_an_unreadable_one(void **state)
{
  (void)state;
  static const kh_status of_file[] = {
      KH_E_SYNTAX,         KH_E_KEY_ID,           KH_E_KEY_VERSION,     KH_E_KEY_HEX,
      KH_E_KEY_DUPLICATE,  KH_E_ATTRIBUTE,        KH_E_KEY_TOO_SHORT,   KH_E_ATTRIBUTE_VALUE,
      KH_E_NO_SYSTEM_KEY,  KH_E_CONTAINER_SIZE,   KH_E_SEALED_DAMAGED,  KH_E_SEALED_COST,
      KH_E_SEALED_CHANGED, KH_E_CONTAINER_CIPHER, KH_E_CONTAINER_ARMOUR};
  static const kh_status of_others[] = {
      KH_E_FILE_OPEN,     KH_E_FILE_TOO_LARGE, KH_E_WRONG_PASSPHRASE, KH_E_NO_PASSPHRASE,
      KH_E_NOT_ENCRYPTED, KH_E_SEALED_NEWER,   KH_E_PROGRAM_EXIT,     KH_E_NO_MEMORY};
  for (size_t i = 0; i < COUNT(of_file); i++)
    assert_int_equal(kh_status_class(of_file[i]), KH_CLASS_FORMAT);
  for (size_t i = 0; i < COUNT(of_others); i++)
    assert_int_not_equal(kh_status_class(of_others[i]), KH_CLASS_FORMAT);
}

static void a_code_outside_the_enum_is_unknown(void **state)
{
  (void)state;
  static const kh_status beyond[] = {KH_STATUS_COUNT, (kh_status)4000000000u};
  for (size_t i = 0; i < COUNT(beyond); i++) {
    assert_int_equal(kh_status_class(beyond[i]), KH_CLASS_INTERNAL);
    assert_non_null(strstr(kh_status_sentence(beyond[i]), "unknown status"));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_has_its_own_sentence),
      cmocka_unit_test(every_error_has_a_class),
      cmocka_unit_test(a_damaged_file_is_not_an_unreadable_one),
      cmocka_unit_test(a_code_outside_the_enum_is_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
