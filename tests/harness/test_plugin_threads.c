/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads look up existing and missing keys and crypt at the same time, with the server's cipher
 * and with aes256-xts. ThreadSanitizer checks the rest. */
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "plugin.h"
#include "reference.h"
#include "threads.h"
#include "unit.h"

enum { THREADS = 8, ROUNDS = 3000, KEYS = 200 };

static test_plugin loaded;

static int start(void **state)
{
  static char text[KEYS * 64 + 128];
  size_t used = (size_t)snprintf(text, sizeof text, "1;2;%064x;cipher=aes256-xts\n", 1);
  for (unsigned id = 1; id <= KEYS; id++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%u;%032x\n", id * 3 - 2, id);
  plugin_run_file(&loaded, test_text("keys", text, 0600), "", 1);
  *state = &loaded;
  return 0;
}

static int look_up(unsigned id)
{
  unsigned char key[32] = {0};
  unsigned length = sizeof key;
  unsigned last = id == 1 ? 2 : 1;
  int present = id % 3 == 1 && id <= KEYS * 3 - 2;
  unsigned version = loaded.methods->get_latest_key_version(id);
  unsigned result = loaded.methods->get_key(id, 1, key, &length);
  if (!present)
    return version == ENCRYPTION_KEY_VERSION_INVALID && result == ENCRYPTION_KEY_VERSION_INVALID;
  return version == last && result == 0 && length == 16 && key[15] == (unsigned char)((id + 2) / 3);
}

static int round_trip(uint32_t *seed)
{
  enum {
    TABLES = 64
  }; /* keys that the server passes: few, so that threads share their data keys */
  unsigned char key[16] = {0}, iv[16], plain[200], cipher[232], back[232];
  test_plugin with = loaded;
  unsigned len = test_random(seed) % sizeof plain;
  unsigned made = 0, again = 0;
  int nopad = (int)(test_random(seed) & ENCRYPTION_FLAG_NOPAD);
  key[0] = (unsigned char)(test_random(seed) % TABLES);
  with.version = 1 + test_random(seed) % 2;
  test_random_bytes(seed, iv, sizeof iv);
  test_random_bytes(seed, plain, sizeof plain);
  return plugin_crypt(&with, plain, len, cipher, &made, key, 16, iv,
                      nopad | ENCRYPTION_FLAG_ENCRYPT) == 0 &&
         plugin_crypt(&with, cipher, made, back, &again, key, 16, iv, nopad) == 0 && again == len &&
         memcmp(back, plain, len) == 0;
}

static bool look_up_and_crypt(void *unused, size_t number)
{
  (void)unused;
  uint32_t seed = (uint32_t)number;
  for (unsigned i = 0; i < ROUNDS; i++)
    if (!look_up(test_random(&seed) % (KEYS * 4)) || !round_trip(&seed))
      return false;
  return true;
}

static void eight_threads_at_once(void **state)
{
  (void)state;
  threads_run(THREADS, look_up_and_crypt, NULL);
}

static bool crypt_shortly(void *round, size_t number)
{
  uint32_t seed = *(uint32_t *)round * THREADS + (uint32_t)number;
  return round_trip(&seed) && round_trip(&seed);
}

/* threads that begin and end, as connections do: what each cached is freed (ASan), and no other
 * thread uses it (TSan) */
static void many_short_lived_threads(void **state)
{
  (void)state;
  for (uint32_t round = 0; round < 100; round++)
    threads_run(THREADS, crypt_shortly, &round);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(eight_threads_at_once),
      cmocka_unit_test(many_short_lived_threads),
  };
  return cmocka_run_group_tests(tests, start, plugin_tear_down);
}
