/* SPDX-License-Identifier: GPL-2.0-only */
#include "conversion.h"

#include <string.h>

#include "cli/output/message.h"
#include "cli/output/utf8.h"
#include "command.h"
#include "keyhold/keyfile_change.h"
#include "settings.h"

const struct argp_child kh_cli_conversion_children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {0},
};

static void set_child_inputs(kh_cli_conversion *conversion, struct argp_state *state)
{
  void *inputs[] = {&conversion->target, &conversion->new_source, &conversion->costs};
  for (size_t i = 0; conversion->children[i].argp != NULL; i++)
    state->child_inputs[i] = inputs[i];
}

static void check(const kh_cli_conversion *conversion, struct argp_state *state)
{
  if (conversion->look.format == NULL)
    argp_error(state, "into which format? --to says it");
  kh_cli_given given = {
      .passphrase = kh_cli_source_is_given(&conversion->new_source),
      .costs = conversion->costs.is_given,
      .derivation =
          conversion->derivation_is_given ? "--new-digest and --new-pbkdf2-iterations" : NULL,
  };
  kh_cli_check_given(&conversion->look, given, state);
}

error_t kh_cli_conversion_parse(int key, char *value, struct argp_state *state)
{
  kh_cli_conversion *conversion = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    set_child_inputs(conversion, state);
    return 0;
  case KH_CLI_KEY_OUTPUT:
    conversion->output = value;
    return 0;
  case KH_CLI_KEY_TO:
    conversion->look = kh_cli_format_option(value, state);
    return 0;
  case KH_CLI_KEY_NEW_DIGEST:
    conversion->derivation_is_given = true;
    conversion->digest = kh_cli_digest_option(value, state);
    return 0;
  case KH_CLI_KEY_NEW_ITERATIONS:
    conversion->derivation_is_given = true;
    conversion->pbkdf2_iterations = kh_cli_iterations_option(value, state);
    return 0;
  case ARGP_KEY_END:
    check(conversion, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

bool kh_cli_conversion_open(kh_cli_conversion *conversion)
{
  kh_file_stamp stamp;
  if (conversion->output != NULL && kh_file_stamp_of(conversion->output, &stamp, NULL) == KH_OK) {
    kh_cli_fail_status(KH_E_FILE_EXISTS, conversion->output);
    return false;
  }
  return kh_cli_target_look(&conversion->target);
}

static const char *path_of(const kh_cli_conversion *conversion)
{
  return conversion->output != NULL ? conversion->output : conversion->target.path;
}

static int convert(const kh_cli_conversion *conversion, const kh_keyfile_form *form)
{
  const kh_cli_target *target = &conversion->target;
  kh_keyfile_options how = kh_cli_target_options(target);
  kh_fault fault;
  if (kh_keyfile_convert(&how, target->crypt, form, conversion->output, &target->log, &fault) !=
      KH_OK)
    return kh_cli_fail_with(&fault);
  kh_cli_put_text(stdout, path_of(conversion));
  printf(" is %s now; every key is as it was.\n", form->format);
  if (!target->look.is_encrypted && form->passphrase != NULL && conversion->output == NULL)
    printf("The disk may still have the keys in the clear where the old file lay.\n");
  kh_cli_print_settings(path_of(conversion), form, &conversion->new_source);
  if (target->look.is_encrypted && form->passphrase == NULL)
    printf("and no file_key_management_filekey: with one it refuses a file in the clear.\n");
  return KH_CLI_WRITTEN;
}

int kh_cli_conversion_run(kh_cli_conversion *conversion)
{
  KH_AUTO_SECRET passphrase = NULL;
  if (!kh_cli_target_unlock(&conversion->target))
    return KH_CLI_FAILED;
  if (conversion->look.is_encrypted &&
      !kh_cli_get_new_passphrase(&conversion->new_source, path_of(conversion), &passphrase))
    return KH_CLI_FAILED;
  kh_keyfile_form form = {.format = conversion->look.format,
                          .passphrase = passphrase,
                          .digest = conversion->digest,
                          .pbkdf2_iterations = conversion->pbkdf2_iterations,
                          .slot = kh_cli_slot(&conversion->costs, KH_SEALED_LABEL_DEFAULT)};
  return convert(conversion, &form);
}

void kh_cli_conversion_cleanup(kh_cli_conversion *conversion)
{
  kh_cli_target_cleanup(&conversion->target);
}
