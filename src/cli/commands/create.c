/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/costs.h"
#include "cli/args/format.h"
#include "cli/args/keyspec.h"
#include "cli/args/target.h"
#include "cli/output/message.h"
#include "cli/output/utf8.h"
#include "command.h"
#include "keyhold/keyfile_change.h"
#include "keyhold/random.h"
#include "settings.h"

enum { KEY_FORMAT = 0x300, KEY_TEMPORARY };

struct arguments {
  kh_cli_target target; /* its options say how the new file opens */
  kh_cli_keyspec key;
  kh_cli_costs costs;
  kh_keyfile_look look;
  bool with_temporary;
};

static void check(const struct arguments *arguments, struct argp_state *state)
{
  kh_cli_given given = {
      .passphrase = kh_cli_source_is_given(&arguments->target.source),
      .costs = arguments->costs.is_given,
      .derivation =
          arguments->target.derivation_is_given ? "--digest and --pbkdf2-iterations" : NULL,
  };
  kh_cli_check_given(&arguments->look, given, state);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->key;
    state->child_inputs[2] = &arguments->costs;
    return 0;
  case KEY_FORMAT:
    arguments->look = kh_cli_format_option(value, state);
    return 0;
  case KEY_TEMPORARY:
    arguments->with_temporary = true;
    return 0;
  case ARGP_KEY_END:
    check(arguments, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {"format", KEY_FORMAT, "NAME", 0, "sealed, which it is otherwise, openssl or text", 0},
    {"with-key-2", KEY_TEMPORARY, NULL, 0,
     "make key 2 too, which the server then uses for temporary files and tables", 0},
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_keyspec_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "FILE",
    .doc = "Makes a new key file with key 1, which only its owner can read.",
    .children = children,
};

static kh_keyfile_form form_of(const struct arguments *arguments, const kh_secret *passphrase)
{
  return (kh_keyfile_form){.format = arguments->look.format,
                           .passphrase = passphrase,
                           .digest = arguments->target.digest,
                           .pbkdf2_iterations = arguments->target.pbkdf2_iterations,
                           .slot = kh_cli_slot(&arguments->costs, KH_SEALED_LABEL_DEFAULT)};
}

static kh_status make_keys(const struct arguments *arguments, kh_keylist **ret_keys)
{
  kh_status status = kh_random_start();
  if (status == KH_OK)
    status = kh_keylist_new(2, ret_keys);
  if (status != KH_OK)
    return status;
  for (uint32_t id = KH_KEY_ID_SYSTEM; id <= KH_KEY_ID_TEMPORARY; id++)
    if (id == KH_KEY_ID_SYSTEM || arguments->with_temporary)
      kh_keylist_add_random(*ret_keys, id, KH_KEY_VERSION_MIN, arguments->key.len,
                            &arguments->key.policy);
  return KH_OK;
}

static int create(kh_cli_target *target, const kh_keyfile_form *form, const kh_keylist *keys)
{
  kh_fault fault;
  kh_status status = kh_crypt_new(KH_ENGINE_OPENSSL, &target->crypt);
  if (status != KH_OK)
    return kh_cli_fail_status(status, NULL);
  if (kh_keyfile_create(target->path, form, target->crypt, keys, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  kh_cli_put_text(stdout, target->path);
  printf(" (%s) has %s.\n", form->format, kh_keylist_count(keys) == 1 ? "key 1" : "keys 1 and 2");
  kh_cli_print_settings(target->path, form, &target->source);
  return KH_CLI_WRITTEN;
}

/* before anybody types a passphrase for nothing */
static bool is_free(const char *path)
{
  kh_file_stamp stamp;
  if (kh_file_stamp_of(path, &stamp, NULL) != KH_OK)
    return true;
  kh_cli_fail_status(KH_E_FILE_EXISTS, path);
  return false;
}

int kh_cli_create(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE, .key = KH_CLI_KEYSPEC_DEFAULT};
  arguments.target.is_new = true;
  arguments.target.digest = KH_CLI_NEW_DIGEST;
  arguments.target.pbkdf2_iterations = KH_CLI_NEW_ITERATIONS;
  arguments.look = (kh_keyfile_look){"sealed", true};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_AUTO_KEYLIST keys = NULL;
  if (!is_free(target.path))
    return KH_CLI_FAILED;
  if (arguments.look.is_encrypted &&
      !kh_cli_get_new_passphrase(&target.source, target.path, &target.passphrase))
    return KH_CLI_FAILED;
  kh_status status = make_keys(&arguments, &keys);
  if (status != KH_OK)
    return kh_cli_fail_status(status, NULL);
  kh_keyfile_form form = form_of(&arguments, target.passphrase);
  return create(&target, &form, keys);
}
