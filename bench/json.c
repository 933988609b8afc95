/* SPDX-License-Identifier: GPL-2.0-only */
#include "json.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *boolean(bool value)
{
  return value ? "true" : "false";
}

/* Leaves ticks out where the processor has no counter. */
static void write_ticks(FILE *to, const kh_bench_result *result)
{
  if (result->ticks > 0)
    fprintf(to, ", \"ticks\": %.2f", result->ticks);
}

static void write_case(FILE *to, const kh_bench_result *result)
{
  const kh_bench_case *what = &result->what;
  char name[KH_BENCH_NAME_MAX];
  kh_bench_case_name(what, name);
  fprintf(to, "  {\"name\": \"%s\", \"operation\": \"%s\", \"padded\": %s, ", name,
          kh_bench_operation_name(what->operation), boolean(what->padded));
  fprintf(to, "\"key_bits\": %u, \"new_key\": %s, \"size\": %u, \"correct\": %s, ", what->key_bits,
          boolean(what->new_key), what->size, boolean(result->correct));
  fprintf(to, "\"repetitions\": %llu, \"ns\": %.2f, \"ns_min\": %.2f, \"ns_max\": %.2f, ",
          (unsigned long long)result->repetitions, result->ns, result->ns_min, result->ns_max);
  fprintf(to, "\"per_second\": %.1f, \"mb_per_second\": %.2f", result->per_second,
          result->per_second * what->size / 1e6);
  write_ticks(to, result);
  fprintf(to, "}");
}

bool kh_bench_json_write(FILE *to, const kh_bench_settings *settings,
                         const kh_bench_results *results)
{
  fprintf(to, "{\"threads\": %u, \"rounds\": %u, \"milliseconds\": %u, \"cases\": [\n",
          settings->threads, settings->rounds, settings->milliseconds);
  for (size_t i = 0; i < results->count; i++) {
    write_case(to, &results->results[i]);
    fprintf(to, i + 1 < results->count ? ",\n" : "\n");
  }
  fprintf(to, "]}\n");
  return fflush(to) == 0 && ferror(to) == 0;
}

bool kh_bench_json_save(const char *path, const kh_bench_settings *settings,
                        const kh_bench_results *results)
{
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0)
    return false;
  FILE *to = fdopen(descriptor, "w");
  if (to == NULL) {
    close(descriptor);
    return false;
  }
  bool written = kh_bench_json_write(to, settings, results);
  return fclose(to) == 0 && written;
}
