/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "keyhold/fault.h"
#include "unit.h"

static const struct {
  kh_fault fault;
  const char *sentence;
} sentences[] = {
    {{.status = KH_E_FILE_NOT_FOUND, .os_error = ENOENT},
     "File '/k' not found (Errcode: 2 \"No such file or directory\")"},
    {{.status = KH_E_FILE_OPEN, .os_error = EACCES},
     "Cannot open file '/k' (Errcode: 13 \"Permission denied\")"},
    {{.status = KH_E_FILE_OPEN, .os_error = EACCES, .advice = "because; do this"},
     "Cannot open file '/k' (Errcode: 13 \"Permission denied\"): because; do this"},
    {{.status = KH_E_FILE_READ, .os_error = EIO},
     "Cannot read file '/k' (Errcode: 5 \"Input/output error\")"},
    {{.status = KH_E_FILE_DIRECTORY}, "Cannot read '/k': it is a directory; specify a file"},
    {{.status = KH_E_FILE_SPECIAL},
     "Cannot read '/k': it is not a regular file; specify a regular file"},
    {{.status = KH_E_FILE_FIFO},
     "Cannot use '/k' for this: it is a FIFO; use the file that its writer reads, then reload"},
    {{.status = KH_E_FILE_TIME},
     "Cannot read '/k': it is a FIFO, and no process wrote to it and closed it within 10 seconds"},
    {{.status = KH_E_FILE_WAIT_ENDED},
     "Cannot read '/k': it is a FIFO, and SIGTERM ended the wait for a process that writes to it "
     "and closes it"},
    {{.status = KH_E_FILE_CUT},
     "Cannot use what came through FIFO '/k': its last line has no line end and a shorter key than "
     "another line, so it may be cut; let its writer end the line"},
    {{.status = KH_E_FILE_TOO_LARGE, .size = 1048577, .limit = 1048576},
     "File '/k' is too large: 1048577 bytes (maximum 1048576)"},
    {{.status = KH_E_FILE_CHANGED},
     "File '/k' was changed by another process meanwhile; try again"},
    {{.status = KH_E_SECRET_TOO_LONG, .limit = 256},
     "Cannot read /k, the filekey is too long, max secret size is 256B "},
    {{.status = KH_E_SYNTAX, .line = 3, .column = 2}, "Syntax error at /k line 3, column 2"},
    {{.status = KH_E_SYNTAX, .line = 3, .column = 2, .quote = "found x"},
     "Syntax error at /k line 3, column 2: found x"},
    {{.status = KH_E_KEY_ID, .line = 3, .column = 2, .quote = "found x"},
     "Invalid key id at /k line 3, column 2: found x"},
    {{.status = KH_E_KEY_HEX, .line = 3, .column = 2, .quote = "found x"},
     "Invalid key at /k line 3, column 2: found x"},
    {{.status = KH_E_NO_SYSTEM_KEY, .line = 3, .column = 1, .quote = "found x"},
     "System key id 1 is missing at /k line 3, column 1: found x"},
    {{.status = KH_E_KEY_REST, .line = 3, .column = 35, .quote = "found x"},
     "More than one key at /k line 3, column 35: found x"},
    {{.status = KH_E_TEXT_NUL, .line = 3, .column = 1},
     "A NUL byte ends the text at /k line 3, column 1: what follows is ignored; restore the file "
     "from a copy, or remove the byte"},
    {{.status = KH_E_KEY_ID, .line = 3, .column = 2}, "Invalid key id at /k line 3, column 2"},
    {{.status = KH_E_KEY_VERSION, .line = 3, .column = 2},
     "Invalid key version at /k line 3, column 2 (expected 1 to 4294967294)"},
    {{.status = KH_E_KEY_HEX, .line = 3, .column = 2}, "Invalid key at /k line 3, column 2"},
    {{.status = KH_E_NO_SYSTEM_KEY, .line = 3, .column = 1},
     "System key id 1 is missing at /k line 3, column 1"},
    {{.status = KH_E_KEY_DUPLICATE,
      .line = 9,
      .column = 1,
      .other_line = 4,
      .key_id = 5,
      .key_version = 3},
     "Two different keys for key id 5 version 3 at /k line 9, column 1; the first is in line 4; "
     "keep the one that data needs"},
    {{.status = KH_E_CONTAINER_SIZE, .size = 17},
     "Cannot decrypt '/k': the file is truncated or damaged: 17 bytes (expected a multiple of 16, "
     "at least 32); restore it from a copy"},
    {{.status = KH_E_WRONG_PASSPHRASE}, "Cannot decrypt /k. Wrong key?"},
    {{.status = KH_E_WRONG_PASSPHRASE, .advice = "It opens with x"},
     "Cannot decrypt /k. Wrong key? It opens with x"},
    {{.status = KH_E_CONTAINER_CIPHER, .size = 33},
     "Cannot decrypt '/k': 33 bytes are not a multiple of 16: it is cut short, or was not "
     "encrypted "
     "with aes-256-cbc. Restore it from a copy, or see how it was made"},
    {{.status = KH_E_CONTAINER_CIPHER, .size = 33, .advice = "It was made by x"},
     "Cannot decrypt '/k': 33 bytes are not a multiple of 16: it is cut short, or was not "
     "encrypted "
     "with aes-256-cbc. It was made by x"},
    {{.status = KH_E_CONTAINER_ARMOUR},
     "Cannot decrypt '/k': the base64 text of 'openssl enc -a' is truncated or damaged; restore it "
     "from a copy"},
    {{.status = KH_E_DIGEST_READ_ONLY},
     "Cannot write '/k': its digest is md5, which is not secure and only read; convert the file "
     "first: keyhold seal --digest=md5 FILE"},
    {{.status = KH_E_DIGEST_READ_ONLY, .size = 10000},
     "Cannot write '/k': its digest is md5, which is not secure and only read; convert the file "
     "first: keyhold seal --digest=md5 --pbkdf2-iterations=10000 FILE"},
    {{.status = KH_E_NO_PASSPHRASE},
     "Cannot decrypt /k. Wrong key? The file is encrypted, and filekey is not set"},
    {{.status = KH_E_SEALED_DAMAGED},
     "Cannot decrypt '/k': the sealed key file is truncated or damaged: wrong checksum; restore it "
     "from a copy"},
    {{.status = KH_E_SEALED_DAMAGED, .line = 2, .column = 7},
     "Cannot decrypt '/k': the sealed key file is truncated or damaged in line 2, column 7; "
     "restore "
     "it from a copy"},
    {{.status = KH_E_SEALED_NEWER, .size = 2, .limit = 1},
     "Cannot decrypt '/k': sealed key file format 2 is not supported (this version reads up to 1); "
     "install a newer Keyhold"},
    {{.status = KH_E_SEALED_COST, .line = 3, .size = 65, .limit = 64},
     "Cannot decrypt '/k': the key derivation cost in line 3 of the sealed key file is too high: "
     "65 "
     "(maximum 64)"},
    {{.status = KH_E_SEALED_CHANGED},
     "Cannot decrypt '/k': the passphrase opens a slot, but the rest of the sealed key file was "
     "changed without the key; restore it from a copy, and find out who changed it"},
    {{.status = KH_E_SLOT_LABEL},
     "Invalid slot label for '/k' (expected 1 to 32 of the characters a to z, A to Z, 0 to 9, '.', "
     "'_' and '-')"},
    {{.status = KH_E_SEALED_MEMORY, .name = "main", .size = 9, .limit = 8},
     "Cannot decrypt '/k': slot 'main' needs 9 KiB of memory, more than argon2_memory_max allows "
     "(8 "
     "KiB)"},
    {{.status = KH_E_SEALED_WORK, .size = 9, .limit = 8},
     "Cannot decrypt '/k' automatically: its slots cost too much key derivation: 9 (limit 8); if "
     "you made it, SET GLOBAL file_key_management_reload = ON loads it"},
    {{.status = KH_E_SLOT_COST, .name = "main", .size = 7, .limit = 8},
     "Cannot make slot 'main' of '/k': its key derivation cost is too low, or too high with the "
     "other slots: 7 (limit 8)"},
    {{.status = KH_E_SLOT_TEXT, .name = "main"},
     "Cannot make slot 'main' of '/k': a text parameter is missing, too long or has invalid "
     "characters"},
    {{.status = KH_E_SLOT_COUNT, .limit = 8},
     "Cannot seal '/k': a sealed key file has 1 to 8 slots; add or remove a slot"},
    {{.status = KH_E_SLOT_EXISTS, .name = "main"},
     "Cannot make slot 'main' of '/k': it already exists; choose another label"},
    {{.status = KH_E_SLOT_LAST, .name = "main"},
     "Cannot remove slot 'main' of '/k': it is the last slot; add another one first"},
    {{.status = KH_E_SLOT_NOT_FOUND, .name = "safe"},
     "No slot 'safe' in '/k'; 'keyhold slot list' shows the slots"},
    {{.status = KH_E_NOT_ENCRYPTED}, "Cannot decrypt /k. Not encrypted"},
    {{.status = KH_E_NOT_ENCRYPTED, .advice = "It is x"},
     "Cannot decrypt /k. Not encrypted. It is x"},
    {{.status = KH_E_NO_ENGINE},
     "The AES engine set by /k is not available: its library is not installed, or does not support "
     "this processor; set it to auto"},
    {{.status = KH_E_SELF_TEST},
     "An AES engine failed its self-test: its results are wrong; set /k to another engine"},
    {{.status = KH_E_FILE_UNFINISHED},
     "File '/k' has no line end after its last line and may be incomplete; add the line end"},
    {{.status = KH_E_FILE_WRITE, .os_error = ENOSPC},
     "Cannot replace file '/k' (Errcode: 28 \"No space left on device\"); the file is unchanged"},
    {{.status = KH_E_FILE_WRITE, .os_error = EBUSY, .advice = "because; do this"},
     "Cannot replace file '/k' (Errcode: 16 \"Device or resource busy\"); the file is unchanged; "
     "because; do this"},
    {{.status = KH_E_FILE_EXISTS},
     "Cannot create file '/k': it already exists and is unchanged; choose another name"},
    {{.status = KH_E_FILE_CREATE, .os_error = ENOSPC},
     "Cannot create file '/k' (Errcode: 28 \"No space left on device\")"},
    {{.status = KH_E_FILE_OWNER, .os_error = EPERM},
     "Cannot replace file '/k': the owner, group, mode and access control list cannot be given to "
     "the new file (Errcode: 1 \"Operation not permitted\"); the file is unchanged"},
    {{.status = KH_E_FILE_FLUSH, .os_error = EIO},
     "Cannot flush file '/k' to the disk (Errcode: 5 \"Input/output error\"); it is in place, but "
     "a "
     "power failure may undo its last change"},
    {{.status = KH_E_FILE_LOCKED},
     "Cannot lock file '/k': another process is changing it; try again"},
    {{.status = KH_E_FILE_LOCK, .os_error = EROFS},
     "Cannot lock '/k.lock' (Errcode: 30 \"Read-only file system\"); check write access to its "
     "folder"},
    {{.status = KH_E_FILE_LOCK, .os_error = EROFS, .advice = "because; do this"},
     "Cannot lock '/k.lock' (Errcode: 30 \"Read-only file system\"): because; do this"},
    {{.status = KH_E_FILE_WATCH, .os_error = ENOSPC},
     "Cannot watch the folder of file '/k' (Errcode: 28 \"No space left on device\"); check "
     "fs.inotify.max_user_instances and fs.inotify.max_user_watches"},
    {{.status = KH_E_FILE_UNSAFE, .mode = S_IFREG | 0644, .owner = 1001},
     "File '/k' is refused by strict_permissions: it has mode 0644 and is owned by user 1001; give "
     "it mode 0600 or 0640, and root or the user of this process as owner"},
    {{.status = KH_E_SOURCE_SYNTAX, .quote = "a name"},
     "Invalid filekey: '/k' must be followed by a name"},
    {{.status = KH_E_SOURCE_EMPTY},
     "The passphrase from '/k' is empty; check what the source returns"},
    {{.status = KH_E_SOURCE_TIME}, "No passphrase from '/k' within 10 seconds"},
    {{.status = KH_E_SOURCE_TIME, .quote = "waiting"},
     "No passphrase from '/k' within 10 seconds; its standard error: \"waiting\""},
    {{.status = KH_E_SOURCE_VARIABLE},
     "Environment variable '/k' is not set; set it, or change filekey"},
    {{.status = KH_E_SOURCE_CREDENTIAL},
     "Cannot read credential '/k': CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the "
     "systemd unit"},
    {{.status = KH_E_PROGRAM_RUN, .os_error = EACCES},
     "Cannot run program '/k' (Errcode: 13 \"Permission denied\")"},
    {{.status = KH_E_PROGRAM_EXIT, .ended_with = 3}, "Program '/k' failed with exit status 3"},
    {{.status = KH_E_PROGRAM_EXIT,
      .ended_with = 3,
      .quote = "................................................................................"
               "........................................"},
     "Program '/k' failed with exit status 3; its standard error: "
     "\"................................................................................"
     "........................................\""},
    {{.status = KH_E_PROGRAM_SIGNAL, .ended_with = 9, .quote = "ouch"},
     "Program '/k' was killed by signal 9; its standard error: \"ouch\""},
    {{.status = KH_E_SOCKET, .os_error = ECONNREFUSED},
     "Cannot read from socket '/k' (Errcode: 111 \"Connection refused\")"},
    {{.status = KH_E_CIPHER_REDO_LOG,
      .key_id = 1,
      .key_version = 3,
      .name = "aes-ctr",
      .advice = "it shows rows"},
     "Key id 1 version 3 of '/k' has the cipher aes-ctr: it shows rows"},
    {{.status = KH_E_CIPHER_LENGTH, .key_id = 5, .name = "aes256-xts", .size = 128, .limit = 256},
     "Cannot rotate key id 5 in '/k': its cipher aes256-xts needs a key of 256 bits, not 128; "
     "request that length, or another cipher"},
    {{.status = KH_E_VERSION_LIMIT, .key_id = 5, .key_version = 4294967294},
     "Cannot rotate key id 5 in '/k': it is at version 4294967294, and no higher version is "
     "possible; use a new key id"},
    {{.status = KH_E_NO_ROTATION},
     "Cannot rotate the keys of '/k' from this server; rotate them where they are stored, then "
     "reload"},
    {{.status = KH_E_VERSION_NEEDED, .key_id = 5, .key_version = 3},
     "Cannot rotate the keys of '/k': it lacks key id 5 version 3, which data needs, and a "
     "rotation "
     "could make another key with that number; put the right keys back, then restart the server"},
    {{.status = KH_E_STILL_DUE},
     "The keys of '/k' are still due for rotation after they were rotated; check the clock of the "
     "host that stores them"},
    {{.status = KH_E_KEY_LOST, .key_id = 5, .key_version = 3},
     "Key id 5 version 3 is missing in '/k'; the keys in use stay in force. Data may need it: put "
     "it back"},
    {{.status = KH_E_KEY_CHANGED, .key_id = 5, .key_version = 3, .line = 8},
     "Line 8 of '/k' has a different key for key id 5 version 3; the key in use stays in force"},
    {{.status = KH_E_KEY_CHANGED}, "'/k' has a different key; the key in use stays in force"},
    {{.status = KH_E_CIPHER_CHANGED, .key_id = 5, .key_version = 3, .line = 8},
     "Line 8 of '/k' has a different cipher for key id 5 version 3; only a new version can have "
     "another cipher"},
    {{.status = KH_E_KEY_LATEST, .key_id = 5, .key_version = 3},
     "Cannot remove key id 5 version 3 from '/k': it is the latest version"},
    {{.status = KH_E_NO_KEY_ID},
     "Cannot choose a key id for '/k': the highest possible one is in use; specify a lower key id"},
    {{.status = KH_E_KEY_EXISTS, .key_id = 5},
     "Cannot add key id 5 to '/k': it already exists; 'keyhold rotate' makes a new version"},
    {{.status = KH_E_KEY_NOT_FOUND, .key_id = 5}, "No key id 5 in '/k'"},
    {{.status = KH_E_KEY_NOT_FOUND, .key_id = 5, .key_version = 3},
     "No key id 5 version 3 in '/k'"},
    {{.status = KH_E_ATTRIBUTE, .line = 3, .column = 2},
     "Unknown or repeated attribute at /k line 3, column 2; see keyhold-key-file(5)"},
    {{.status = KH_E_ATTRIBUTE_VALUE, .line = 3, .column = 2},
     "Invalid value of an attribute at /k line 3, column 2; see keyhold-key-file(5)"},
    {{.status = KH_E_KEY_TOO_SHORT, .line = 3, .column = 2},
     "Key too short at /k line 3, column 2: the aes256 ciphers need 256 bits; use a key of "
     "64 digits, and bits=256"},
    {{.status = KH_E_NO_MEMORY}, "/k: out of memory"},
    {{.status = KH_E_CRYPTO},
     "/k: a function of OpenSSL or libsodium failed; check the installed libraries"},
    {{.status = KH_E_FILE_OPEN}, "Cannot open file '/k'"},
    {{.status = KH_OK}, "/k: success"},
};

static void each_failure_has_its_sentence(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(sentences); i++) {
    kh_fault fault = sentences[i].fault;
    char text[KH_MESSAGE_MAX];
    fault.path = kh_show_path("/k");
    kh_fault_describe(&fault, text, sizeof text);
    assert_string_equal(text, sentences[i].sentence);
  }
}

static void set_replaces_all_and_gives_the_status_back(void **state)
{
  (void)state;
  kh_fault fault = {.line = 9, .column = 9, .size = 9, .limit = 9, .other_line = 9};
  assert_int_equal(kh_fault_set(&fault, KH_E_FILE_OPEN, "a", EACCES), KH_E_FILE_OPEN);
  kh_fault expected = {.status = KH_E_FILE_OPEN, .path = {"a"}, .os_error = EACCES};
  assert_int_equal(fault.line, expected.line);
  assert_int_equal(fault.size, expected.size);
  assert_int_equal(fault.other_line, expected.other_line);
  assert_int_equal(fault.os_error, expected.os_error);
  assert_string_equal(fault.path.text, expected.path.text);
  assert_int_equal(kh_fault_set(NULL, KH_E_SYNTAX, "a", 0), KH_E_SYNTAX);
}

static void a_path_at_its_limit_and_one_past_it(void **state)
{
  (void)state;
  char path[KH_PATH_SHOWN_MAX + 1];
  memset(path, 'p', sizeof path);
  path[KH_PATH_SHOWN_MAX - 1] = '\0';
  assert_string_equal(kh_show_path(path).text, path);
  path[KH_PATH_SHOWN_MAX - 1] = 'q';
  path[KH_PATH_SHOWN_MAX] = '\0';
  path[0] = 'a';
  kh_shown_path shown = kh_show_path(path);
  assert_in_range(strlen(shown.text), KH_PATH_SHOWN_MAX - 4, KH_PATH_SHOWN_MAX - 1);
  assert_int_equal(shown.text[0], 'a');
  assert_int_equal(shown.text[strlen(shown.text) - 1], 'q');
  assert_non_null(strstr(shown.text, "p...p"));
  assert_string_equal(kh_show_path(NULL).text, "");
}

static bool is_balanced(const char *template)
{
  bool is_open = false;
  for (; *template != '\0'; template ++) {
    if ((*template == '{' && is_open) || (*template == '}' && !is_open))
      return false;
    if (*template == '{' || *template == '}')
      is_open = *template == '{';
  }
  return !is_open;
}

static bool has_template_left(const char *text)
{
  return strpbrk(text, "{}[]|") != NULL;
}

/* the fault with the longest value in every field */
static kh_fault full_fault(void)
{
  char path[2000];
  kh_fault fault = {.os_error = EDOM, /* "Numerical argument out of domain" */
                    .mode = 07777,
                    .owner = UINT32_MAX,
                    .ended_with = 255,
                    .line = 1000000,
                    .column = 1000000,
                    .other_line = 1000000,
                    .key_id = UINT32_MAX,
                    .key_version = UINT32_MAX,
                    .size = UINT64_MAX,
                    .limit = UINT32_MAX};
  memset(path, 'p', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  fault.path = kh_show_path(path);
  memset(fault.name, 'n', sizeof fault.name - 1);
  memset(fault.quote, 'q', sizeof fault.quote - 1);
  return fault;
}

static void templates_are_well_formed(void **state)
{
  (void)state;
  for (int status = 0; status < KH_STATUS_COUNT; status++)
    assert_true(is_balanced(kh_status_sentence((kh_status)status)));
  assert_false(is_balanced("a {b"));
  assert_false(is_balanced("a b}"));
  assert_false(is_balanced("{a {b}"));
}

/* without an advice it is one line of the server's log */
static void every_sentence_fits_with_the_longest_details(void **state)
{
  (void)state;
  kh_fault fault = full_fault();
  for (int status = 0; status < KH_STATUS_COUNT; status++) {
    char text[2 * KH_MESSAGE_MAX];
    fault.status = (kh_status)status;
    kh_fault_describe(&fault, text, sizeof text);
    assert_in_range(strlen(text), KH_PATH_SHOWN_MAX - 4, KH_LINE_MAX - 1);
    assert_false(has_template_left(text));
  }
}

/* what failed, as kh_report_refusal() and the background tasks put it first, and their next step */
enum { ROOM_FOR_WHAT = 64 };

/* With the longest path and advice a message is whole: what comes before it fits too. */
static void every_message_is_whole_with_its_advice(void **state)
{
  (void)state;
  static const size_t path_lens[] = {100, KH_PATH_SHOWN_MAX - 1};
  for (size_t i = 0; i < COUNT(path_lens); i++) {
    kh_fault fault = full_fault();
    memset(fault.path.text, 'p', path_lens[i]);
    fault.path.text[path_lens[i]] = '\0';
    memset(fault.advice, 'a', sizeof fault.advice - 1);
    memcpy(fault.advice + sizeof fault.advice - 5, " end", 4);
    for (int status = 0; status < KH_STATUS_COUNT; status++) {
      char text[KH_MESSAGE_MAX];
      fault.status = (kh_status)status;
      bool has_advice = strstr(kh_status_sentence(fault.status), "{advice}") != NULL;
      kh_fault_describe(&fault, text, sizeof text);
      assert_in_range(strlen(text), path_lens[i], KH_MESSAGE_MAX - ROOM_FOR_WHAT);
      assert_non_null(strstr(text, fault.path.text));
      assert_true(!has_advice || strstr(text, fault.advice) != NULL);
    }
  }
}

static void a_sentence_that_does_not_fit_has_a_shorter_path(void **state)
{
  (void)state;
  char text[KH_LINE_MAX];
  kh_fault fault = full_fault();
  fault.status = KH_E_FILE_OPEN;
  memset(fault.advice, 'a', sizeof fault.advice - 1);
  memcpy(fault.advice + sizeof fault.advice - 5, " end", 4);
  kh_fault_describe(&fault, text, sizeof text);
  assert_in_range(strlen(text), KH_LINE_MAX - 3, KH_LINE_MAX - 1);
  assert_string_equal(text + strlen(text) - 4, " end");
  assert_non_null(strstr(text, "'ppp"));
  assert_non_null(strstr(text, "p...p"));
}

static void every_sentence_is_one_without_details(void **state)
{
  (void)state;
  for (int status = 0; status < KH_STATUS_COUNT; status++) {
    char text[KH_MESSAGE_MAX];
    kh_fault fault = {.status = (kh_status)status};
    kh_fault_describe(&fault, text, sizeof text);
    assert_in_range(strlen(text), 6, KH_MESSAGE_MAX - 1);
    assert_false(has_template_left(text));
    assert_null(strstr(text, "standard error"));
    assert_null(strstr(text, "Errcode"));
  }
}

/* two sentences have a limit in words */
static void limits_in_words_are_those_of_the_code(void **state)
{
  (void)state;
  assert_int_equal(KH_UNLOCK_WAIT, 10 * 1000);
  assert_non_null(strstr(kh_status_sentence(KH_E_SOURCE_TIME), "within 10 seconds"));
  assert_int_equal(KH_SEALED_LABEL_MAX, 32);
  assert_non_null(strstr(kh_status_sentence(KH_E_SLOT_LABEL), "1 to 32 of"));
}

static void a_code_outside_the_enum_is_unknown(void **state)
{
  (void)state;
  static const kh_status beyond[] = {KH_STATUS_COUNT, (kh_status)4000000000u};
  for (size_t i = 0; i < COUNT(beyond); i++) {
    char text[KH_MESSAGE_MAX];
    kh_fault fault = {.status = beyond[i], .path = {"/k"}};
    kh_fault_describe(&fault, text, sizeof text);
    assert_string_equal(text, "/k: unknown status");
  }
}

static void a_small_buffer_is_not_overrun(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(sentences); i++) {
    char text[3] = {'a', 'b', 'c'};
    kh_fault_describe(&sentences[i].fault, text, 2);
    assert_int_equal(text[1], '\0');
    assert_int_equal(text[2], 'c');
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_failure_has_its_sentence),
      cmocka_unit_test(set_replaces_all_and_gives_the_status_back),
      cmocka_unit_test(a_path_at_its_limit_and_one_past_it),
      cmocka_unit_test(templates_are_well_formed),
      cmocka_unit_test(every_sentence_fits_with_the_longest_details),
      cmocka_unit_test(every_message_is_whole_with_its_advice),
      cmocka_unit_test(a_sentence_that_does_not_fit_has_a_shorter_path),
      cmocka_unit_test(every_sentence_is_one_without_details),
      cmocka_unit_test(limits_in_words_are_those_of_the_code),
      cmocka_unit_test(a_code_outside_the_enum_is_unknown),
      cmocka_unit_test(a_small_buffer_is_not_overrun),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
