/* SPDX-License-Identifier: GPL-2.0-only */
/* `keyhold convert`, and the conversions to sealed and to text: `seal` and `unseal`. */
#include "cli/args/form.h"
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "settings.h"

enum { KEY_OUTPUT = 0x300 };

struct arguments {
  const struct argp *argp; /* of the subcommand */
  kh_cli_target target;
  kh_cli_source new_source;
  kh_cli_form form;   /* of the new file */
  const char *output; /* NULL: the file itself */
};

/* seal has only the costs, unseal no options of the new file */
static void set_child_inputs(struct arguments *arguments, struct argp_state *state)
{
  const struct argp_child *children = arguments->argp->children;
  void *inputs[] = {&arguments->target, &arguments->new_source, &arguments->form};
  for (size_t i = 0; i < sizeof inputs / sizeof inputs[0] && children[i].argp != NULL; i++)
    state->child_inputs[i] =
        children[i].argp == &kh_cli_costs_argp ? &arguments->form.costs : inputs[i];
}

static error_t parse_convert_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    set_child_inputs(arguments, state);
    return 0;
  case KEY_OUTPUT:
    arguments->output = value;
    return 0;
  case ARGP_KEY_END:
    kh_cli_form_check(&arguments->form, &arguments->new_source, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "New file:", KH_CLI_GROUP_NEW_FILE},
    {"output", KEY_OUTPUT, "NEW", 0, "write a new file NEW (default: replace FILE)", 0},
    {0},
};
static const struct argp convert_argp = {
    .options = options,
    .parser = parse_convert_option,
    .args_doc = "--to=NAME FILE",
    .doc = "Write a key file in another format. All keys, attributes and comments are kept. A new "
           "sealed file has one slot, \"main\".",
    .children = (const struct argp_child[]){{&kh_cli_target_argp, 0, NULL, 0},
                                            {&kh_cli_new_source_argp, 0, NULL, 0},
                                            {&kh_cli_new_form_argp, 0, NULL, 0},
                                            {0}},
};
static const struct argp seal_argp = {
    .options = options,
    .parser = parse_convert_option,
    .args_doc = "FILE",
    .doc = "Encrypt a key file under a passphrase, in the format sealed, with one slot, \"main\".",
    .children = (const struct argp_child[]){{&kh_cli_target_argp, 0, NULL, 0},
                                            {&kh_cli_new_source_argp, 0, NULL, 0},
                                            {&kh_cli_costs_argp, 0, NULL, 0},
                                            {0}},
};
static const struct argp unseal_argp = {
    .options = options,
    .parser = parse_convert_option,
    .args_doc = "FILE",
    .doc = "Write a key file in plain text: any user who can read the file has the keys.",
    .children = (const struct argp_child[]){{&kh_cli_target_argp, 0, NULL, 0}, {0}},
};

/* Parses the arguments and recognises the file. False: a message has the reason. */
static bool begin_conversion(struct arguments *arguments, const struct argp *argp, int argc,
                             char **argv)
{
  arguments->argp = argp;
  arguments->target = KH_CLI_TARGET_NONE;
  arguments->new_source = KH_CLI_SOURCE_NONE;
  kh_cli_parse_arguments(argp, argc, argv, arguments);
  return (arguments->output == NULL || kh_cli_is_free(arguments->output)) &&
         kh_cli_target_recognise(&arguments->target);
}

/* The other formats are those of the server's own plugin, which ignores the ciphers in them. */
static void print_ciphers(const kh_keylist *keys, const kh_keyfile_format *format)
{
  for (size_t i = 0; i < kh_keylist_count(keys) && format != &kh_keyfile_format_sealed; i++) {
    const kh_key *key = kh_keylist_at(keys, i);
    kh_cipher cipher = (kh_cipher)key->policy.cipher;
    if (kh_cipher_data_key(cipher, false) == KH_DATAKEY_NONE)
      continue;
    printf("Only Keyhold reads data of its keys with a cipher aes256-..., such as key id %u "
           "version %u (%s).\n",
           key->id, key->version, kh_cipher_name(cipher));
    return;
  }
}

static void print_conversion(const struct arguments *arguments, const char *path,
                             const kh_keyfile_form *form, const kh_keylist *keys)
{
  bool was_encrypted = arguments->target.format->is_encrypted;
  kh_cli_put_text(stdout, path);
  printf(" is now in the format %s; all keys are unchanged.\n", form->format->name);
  if (!was_encrypted && form->passphrase != NULL && arguments->output == NULL)
    printf("The disk may still hold the keys in plain text, in the blocks of the old file.\n"
           "If that matters, make new versions: keyhold rotate --all\n");
  print_ciphers(keys, form->format);
  kh_cli_print_settings(path, form, &arguments->new_source);
  if (was_encrypted && form->passphrase == NULL)
    printf(
        "\nRemove file_key_management_filekey: with it, the server refuses a plain-text file.\n");
}

/* False: a message has the reason. */
static bool write_form(kh_cli_target *target, const kh_keyfile_form *form, const char *output)
{
  kh_fault fault;
  kh_status status = output != NULL ? kh_keyfile_save_as(target->file, form, output, &fault)
                                    : kh_keyfile_set_form(target->file, form, &fault);
  if (status != KH_OK)
    kh_cli_fail_with(&fault);
  return status == KH_OK && (output != NULL || kh_cli_target_save(target));
}

/* Converts the file that was recognised. */
static int convert_target(const struct arguments *arguments)
{
  KH_CLI_AUTO_TARGET target = arguments->target;
  KH_AUTO_SECRET passphrase = NULL;
  const char *path = arguments->output != NULL ? arguments->output : target.path;
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  kh_keyfile_form form = kh_cli_form_with(&arguments->form, NULL);
  if (kh_keyfile_form_needs_passphrase(&form) &&
      !kh_cli_get_new_passphrase(&arguments->new_source, path, &passphrase))
    return KH_CLI_FAILED;
  form.passphrase = passphrase;
  if (!write_form(&target, &form, arguments->output))
    return KH_CLI_FAILED;
  print_conversion(arguments, path, &form, kh_keyfile_keys(target.file));
  return KH_CLI_WRITTEN;
}

int kh_cli_convert(int argc, char **argv)
{
  struct arguments arguments = {.form = KH_CLI_FORM_OF(NULL)};
  if (!begin_conversion(&arguments, &convert_argp, argc, argv))
    return KH_CLI_FAILED;
  return convert_target(&arguments);
}

int kh_cli_seal(int argc, char **argv)
{
  struct arguments arguments = {.form = KH_CLI_FORM_OF(&kh_keyfile_format_sealed)};
  if (!begin_conversion(&arguments, &seal_argp, argc, argv))
    return KH_CLI_FAILED;
  if (arguments.target.format == &kh_keyfile_format_sealed)
    return kh_cli_fail(
        "cannot seal '%s': it is already sealed; to change its passphrases, use 'keyhold slot'",
        arguments.target.path);
  return convert_target(&arguments);
}

int kh_cli_unseal(int argc, char **argv)
{
  struct arguments arguments = {.form = KH_CLI_FORM_OF(&kh_keyfile_format_text)};
  if (!begin_conversion(&arguments, &unseal_argp, argc, argv))
    return KH_CLI_FAILED;
  if (!arguments.target.format->is_encrypted)
    return kh_cli_fail("cannot unseal '%s': it is already in plain text", arguments.target.path);
  return convert_target(&arguments);
}
