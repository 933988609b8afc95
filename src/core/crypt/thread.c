/* SPDX-License-Identifier: GPL-2.0-only */
#include "thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "keyhold/secret.h"
#include "schedule_cache.h"

enum { AREA_ALIGNMENT = 64 };

struct thread {
  struct thread *next;
  struct thread *previous;
  kh_threads *threads; /* NULL: they are gone, and the areas with them */
  uint32_t uses;
  kh_area *areas[KH_ENGINES];
};

struct kh_threads {
  const kh_engine *const *engines;
  void *const *opened;
  pthread_key_t key;
  struct thread *first;
  size_t count;
};

/* Of all lists, and of what end_thread() does; taken when a thread comes or goes, never for a
 * message. It outlives every list: the C library may have begun to call end_thread() for a thread
 * of a server that is ending while the plugin ends too. For the same reason the plugin's code
 * stays in the process (cmake/KeyholdPlugin.cmake). */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void free_areas(const kh_engine *const *engines, struct thread *thread)
{
  for (size_t i = 0; i < KH_ENGINES; i++) {
    if (thread->areas[i] == NULL)
      continue;
    engines[i]->end_thread(thread->areas[i]);
    kh_wipe(thread->areas[i], engines[i]->thread_size);
    free(thread->areas[i]);
    thread->areas[i] = NULL;
  }
}

static void enlist(kh_threads *threads, struct thread *thread)
{
  pthread_mutex_lock(&mutex);
  thread->next = threads->first;
  if (threads->first != NULL)
    threads->first->previous = thread;
  threads->first = thread;
  threads->count++;
  pthread_mutex_unlock(&mutex);
}

static void delist(kh_threads *threads, struct thread *thread)
{
  if (thread->next != NULL)
    thread->next->previous = thread->previous;
  if (thread->previous != NULL)
    thread->previous->next = thread->next;
  else
    threads->first = thread->next;
  threads->count--;
}

/* called by the C library when a thread ends */
static void end_thread(void *value)
{
  struct thread *thread = value;
  pthread_mutex_lock(&mutex);
  kh_threads *threads = thread->threads;
  if (threads != NULL) {
    delist(threads, thread);
    free_areas(threads->engines, thread);
  }
  pthread_mutex_unlock(&mutex);
  free(thread);
}

kh_status kh_threads_new(const kh_engine *const *engines, void *const *opened,
                         kh_threads **ret_threads)
{
  kh_threads *threads = calloc(1, sizeof *threads);
  if (threads == NULL)
    return KH_E_NO_MEMORY;
  threads->engines = engines;
  threads->opened = opened;
  if (pthread_key_create(&threads->key, end_thread) != 0) {
    free(threads);
    return KH_E_CRYPTO;
  }
  *ret_threads = threads;
  return KH_OK;
}

void kh_threads_free(kh_threads **threads)
{
  if (threads == NULL || *threads == NULL)
    return;
  struct thread *own = pthread_getspecific((*threads)->key);
  pthread_key_delete(
      (*threads)->key); /* end_thread() is not called for threads that end from now on */
  pthread_mutex_lock(&mutex);
  for (struct thread *thread = (*threads)->first; thread != NULL; thread = thread->next) {
    free_areas((*threads)->engines, thread);
    thread->threads = NULL;
  }
  pthread_mutex_unlock(&mutex);
  free(own); /* other threads free theirs: they may be ending at this moment */
  free(*threads);
  *threads = NULL;
}

static kh_area *new_area(const kh_engine *engine)
{
  size_t size = (engine->thread_size + AREA_ALIGNMENT - 1) / AREA_ALIGNMENT * AREA_ALIGNMENT;
  kh_area *area = aligned_alloc(AREA_ALIGNMENT, size == 0 ? AREA_ALIGNMENT : size);
  if (area != NULL)
    kh_wipe(area, size);
  return area;
}

static struct thread *new_thread(kh_threads *threads)
{
  struct thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL)
    return NULL;
  thread->threads = threads;
  bool complete = true;
  for (size_t i = 0; i < KH_ENGINES; i++) {
    if (threads->opened[i] == NULL)
      continue;
    thread->areas[i] = new_area(threads->engines[i]);
    complete = complete && thread->areas[i] != NULL;
  }
  if (!complete || pthread_setspecific(threads->key, thread) != 0) {
    free_areas(threads->engines, thread);
    free(thread);
    return NULL;
  }
  enlist(threads, thread);
  return thread;
}

static void sweep_areas(const kh_threads *threads, struct thread *thread)
{
  for (size_t i = 0; i < KH_ENGINES; i++) {
    if (thread->areas[i] == NULL)
      continue;
    thread->areas[i]->now = thread->uses;
    threads->engines[i]->sweep(thread->areas[i]);
  }
}

kh_area *kh_threads_area(kh_threads *threads, size_t engine)
{
  struct thread *thread = pthread_getspecific(threads->key);
  if (thread == NULL && (thread = new_thread(threads)) == NULL)
    return NULL;
  if (++thread->uses % KH_SCHEDULE_SWEEP == 0)
    sweep_areas(threads, thread);
  thread->areas[engine]->now = thread->uses;
  return thread->areas[engine];
}

void kh_threads_forget(kh_threads *threads)
{
  struct thread *thread = pthread_getspecific(threads->key);
  if (thread == NULL)
    return;
  pthread_setspecific(threads->key, NULL);
  end_thread(thread);
}

size_t kh_threads_count(kh_threads *threads)
{
  pthread_mutex_lock(&mutex);
  size_t count = threads->count;
  pthread_mutex_unlock(&mutex);
  return count;
}
