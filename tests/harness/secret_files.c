/* SPDX-License-Identifier: GPL-2.0-only */
#include "secret_files.h"

#include <stdio.h>
#include <string.h>

#include "files.h"

enum {
  DIGITS = 64,
  PASSPHRASE = 48,
  LINE = sizeof "1;" - 1 + DIGITS + 1,
  /* what open_sealed.py --explain prints before each key */
  SLOT_KEY_AT = sizeof "slot: main\nslot key: " - 1,
  FILE_KEY_AT = SLOT_KEY_AT + DIGITS + sizeof "\nfile key: " - 1
};

static const char *const names[SECRET_FORMS] = {"text", "openssl", "argon2", "pbkdf2"};
static struct secrets found[SECRET_FORMS];

const char *secret_file(enum secret_form form)
{
  return test_path(names[form]);
}

const struct secrets *secrets_of(enum secret_form form)
{
  return &found[form];
}

const char *secret_filekey(enum secret_form form)
{
  static char filekey[1024];
  snprintf(filekey, sizeof filekey, "%s%s",
           form == SECRET_TEXT ? "" : "FILE:", form == SECRET_TEXT ? "" : test_path("pass"));
  return filekey;
}

static void seal(enum secret_form form, const char *costs)
{
  test_run("\"$KEYHOLD\" seal '%s' --output='%s' --new-passphrase-file='%s' %s >'%s'",
           secret_file(SECRET_TEXT), secret_file(form), test_path("pass"), costs,
           test_path("said"));
  test_run("umask 077; $KEYHOLD_OPEN_SEALED --explain '%s' '%s' > '%s'", secret_file(form),
           test_path("bare"), test_path("explained"));
  found[form].slot_key = memory_mask_file(test_path("explained"), SLOT_KEY_AT, DIGITS);
  found[form].slot_key = memory_unhex(&found[form].slot_key);
  found[form].file_key = memory_mask_file(test_path("explained"), FILE_KEY_AT, DIGITS);
  found[form].file_key = memory_unhex(&found[form].file_key);
}

void secret_files_make(void)
{
  const char *text = secret_file(SECRET_TEXT);
  test_run("umask 077; { printf '1;'; openssl rand -hex 32; } > '%s'", text);
  test_run("umask 077; openssl rand -hex 24 > '%s'", test_path("pass"));
  test_run("umask 077; tr -d '\\n' < '%s' > '%s'", test_path("pass"), test_path("bare"));
  test_run("umask 077; openssl enc -aes-256-cbc -md sha1 -in '%s' -out '%s' -pass file:'%s' "
           "2>/dev/null",
           text, secret_file(SECRET_OPENSSL), test_path("pass"));
  for (int form = 0; form < SECRET_FORMS; form++) {
    found[form].digits = memory_mask_file(text, LINE - DIGITS - 1, DIGITS);
    found[form].bytes = memory_unhex(&found[form].digits);
    found[form].passphrase = memory_mask_file(test_path("pass"), 0, PASSPHRASE);
  }
  seal(SECRET_ARGON2, "--memory=1 --passes=1");
  seal(SECRET_PBKDF2, "--kdf=pbkdf2-hmac-sha512 --iterations=1000");
}

struct masked secret_rotated_digits(enum secret_form form)
{
  const char *how = form == SECRET_TEXT ? "" : "--passphrase-file=";
  test_run("umask 077; \"$KEYHOLD\" export --yes-print-the-keys '%s' %s%s > '%s'",
           secret_file(form), how, form == SECRET_TEXT ? "" : test_path("pass"),
           test_path("exported"));
  return memory_mask_file(test_path("exported"), LINE + sizeof "1;3;" - 1, DIGITS);
}
