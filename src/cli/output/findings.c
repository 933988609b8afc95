/* SPDX-License-Identifier: GPL-2.0-only */
#include "findings.h"

#include <stdarg.h>
#include <stdlib.h>

#include "keyhold/limits.h"
#include "message.h"
#include "text.h"

enum { VERDICT_MAX = 48 };

static const char *const levels[] = {
    [KH_CLI_GOOD] = "good",
    [KH_CLI_NOTE] = "note",
    [KH_CLI_BAD] = "bad",
};

bool kh_cli_findings_begin(bool json, bool in_colour, kh_cli_findings *ret_findings)
{
  *ret_findings = (kh_cli_findings){.json = json, .in_colour = in_colour};
  ret_findings->out = open_memstream(&ret_findings->text, &ret_findings->len);
  if (ret_findings->out == NULL)
    kh_cli_fail_status(KH_E_NO_MEMORY, NULL);
  return ret_findings->out != NULL;
}

/* Adds a finding; JSON has the place in the file, if there is a column. */
static void add_finding(kh_cli_findings *findings, kh_cli_colour level, const char *about,
                        const kh_fault *place, const char *text)
{
  if (findings->json) {
    fprintf(findings->out, "%s{\"level\":\"%s\",\"about\":\"%s\",", findings->count == 0 ? "" : ",",
            levels[level], about);
    if (place->column != 0)
      fprintf(findings->out, "\"line\":%u,\"column\":%zu,", place->line, place->column);
    fputs("\"text\":", findings->out);
    kh_cli_put_json(findings->out, text);
    fputc('}', findings->out);
  } else {
    kh_cli_print_coloured(findings->out, level, findings->in_colour, levels[level]);
    fputs(level == KH_CLI_BAD ? "   " : "  ", findings->out);
    kh_cli_put_text(findings->out, text);
    fputc('\n', findings->out);
  }
  findings->count++;
  findings->bad += level == KH_CLI_BAD;
}

void kh_cli_findings_add(kh_cli_findings *findings, kh_cli_colour level, const char *about,
                         const char *format, ...)
{
  static const kh_fault nowhere = {.status = KH_OK};
  char text[KH_MESSAGE_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  add_finding(findings, level, about, &nowhere, text);
}

void kh_cli_findings_add_fault(kh_cli_findings *findings, const char *about, const kh_fault *fault)
{
  char text[KH_MESSAGE_MAX];
  kh_fault_describe(fault, text, sizeof text);
  add_finding(findings, KH_CLI_BAD, about, fault, text);
}

void kh_cli_findings_print(kh_cli_findings *findings, const char *path, const char *format)
{
  bool is_good = findings->bad == 0;
  fflush(findings->out);
  if (findings->json) {
    printf("{\"file\":");
    kh_cli_put_json(stdout, path);
    printf(",\"format\":\"%s\",\"good\":%s,\"findings\":[%s]}\n", format,
           is_good ? "true" : "false", findings->text);
    return;
  }
  fputs(findings->text, stdout);
  char verdict[VERDICT_MAX] = "no problems found";
  if (!is_good)
    snprintf(verdict, sizeof verdict, "%zu problem%s found", findings->bad,
             findings->bad == 1 ? "" : "s");
  kh_cli_put_text(stdout, path);
  fputs(": ", stdout);
  kh_cli_print_coloured(stdout, is_good ? KH_CLI_GOOD : KH_CLI_BAD, findings->in_colour, verdict);
  fputc('\n', stdout);
}

void kh_cli_findings_cleanup(kh_cli_findings *findings)
{
  if (findings->out != NULL)
    (void)fclose(findings->out); /* writes to memory only */
  free(findings->text);
}
