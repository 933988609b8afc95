/* SPDX-License-Identifier: GPL-2.0-only */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "keyhold/limits.h"

kh_status kh_stream_new(kh_secret **ret_content)
{
  return kh_secret_new(KH_SECRET_STREAM_MAX + 1,
                       ret_content); /* one byte more shows that it is too long */
}

kh_status kh_stream_read(int fd, kh_secret *content, bool *ret_more, bool *ret_ended)
{
  size_t len = kh_secret_bytes(content).len;
  ssize_t got;
  do
    got = read(fd, kh_secret_data(content) + len, kh_secret_capacity(content) - len);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno != EAGAIN)
    return KH_E_FILE_READ;
  *ret_more = got > 0;
  if (got == 0)
    *ret_ended = true;
  if (got <= 0)
    return KH_OK;
  kh_secret_set_len(content, len + (size_t)got);
  return len + (size_t)got > KH_SECRET_STREAM_MAX ? KH_E_SECRET_TOO_LONG : KH_OK;
}

kh_status kh_stream_read_all(int fd, kh_deadline deadline, kh_secret *content)
{
  for (bool more, ended = false; !ended;) {
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    int ready = poll(&waited, 1, kh_deadline_left(deadline));
    if (ready < 0 && errno != EINTR)
      return KH_E_FILE_READ;
    if (ready == 0)
      return KH_E_SOURCE_TIME;
    kh_status status = ready < 0 ? KH_OK : kh_stream_read(fd, content, &more, &ended);
    if (status != KH_OK)
      return status;
  }
  return KH_OK;
}
