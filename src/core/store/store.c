/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/store.h"

#include <string.h>

void kh_store_content_free(kh_store_content *content)
{
  if (content->owner != NULL)
    content->free_owner(content->owner);
  content->owner = NULL;
  content->list = NULL;
}

static void free_list(void *owner)
{
  kh_keylist *list = owner;
  kh_keylist_free(&list);
}

void kh_store_content_own(kh_store_content *content, kh_keylist *list)
{
  content->list = list;
  content->owner = list;
  content->free_owner = free_list;
}

void kh_store_free(kh_store *store)
{
  if (store == NULL || store->ops == NULL)
    return;
  store->ops->free(store->self);
  *store = (kh_store){0};
}

kh_store_name kh_store_get_name(const kh_store *store)
{
  return store->ops->name(store->self);
}

kh_shown_path kh_store_shown_place(const kh_store *store)
{
  return kh_show_path(kh_store_get_name(store).place);
}

bool kh_store_is_same(const kh_store_mark *a, const kh_store_mark *b)
{
  return memcmp(a->words, b->words, sizeof a->words) == 0;
}

kh_status kh_store_fail(const kh_store *store, kh_status status, kh_fault *ret_fault)
{
  return kh_fault_set(ret_fault, status, kh_store_get_name(store).place, 0);
}

void kh_store_name_in(const kh_store *store, kh_fault *fault)
{
  if (fault != NULL)
    fault->path = kh_store_shown_place(store);
}

kh_status kh_store_make_versions(const kh_store *store, const kh_store_rotation *rotation,
                                 kh_store_content *ret_content, kh_store_rotated *ret_rotated,
                                 kh_fault *ret_fault)
{
  if (store->ops->make_versions == NULL)
    return kh_store_fail(store, KH_E_NO_ROTATION, ret_fault);
  return store->ops->make_versions(store->self, rotation, ret_content, ret_rotated, ret_fault);
}

kh_status kh_store_save(const kh_store *store, const kh_store_saving *saving,
                        kh_store_content *ret_content, kh_store_saved *ret_saved,
                        kh_fault *ret_fault)
{
  if (store->ops->save == NULL)
    return kh_store_fail(store, KH_E_NO_SAVE, ret_fault);
  return store->ops->save(store->self, saving, ret_content, ret_saved, ret_fault);
}

kh_status kh_store_settle(const kh_store *store, const kh_store_mark *mark, kh_fault *ret_fault)
{
  return store->ops->settle == NULL ? KH_OK : store->ops->settle(store->self, mark, ret_fault);
}
