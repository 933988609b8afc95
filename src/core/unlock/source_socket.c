/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is read from a UNIX stream socket. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "passphrase.h"
#include "source.h"
#include "stream.h"

enum { TICK = 20 }; /* milliseconds between two tries while a queue is full */

static bool is_socket_path(const char *argument)
{
  return argument[0] == '/';
}

/* errno is set on failure */
static kh_status connect_to(int fd, const char *path, kh_deadline deadline)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >=
      (int)sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return KH_E_SOCKET;
  }
  while (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    if (errno != EAGAIN && errno != EINTR) /* EAGAIN: the queue of connections is full */
      return KH_E_SOCKET;
    if (kh_deadline_left(deadline) == 0)
      return KH_E_SOURCE_TIME;
    (void)poll(NULL, 0, TICK);
  }
  return KH_OK;
}

static kh_status connect_and_read(int fd, const char *path, kh_secret *content)
{
  kh_deadline deadline = kh_deadline_in(KH_UNLOCK_WAIT);
  kh_status status = connect_to(fd, path, deadline);
  if (status == KH_OK)
    status = kh_stream_read_all(fd, deadline, content);
  return status == KH_E_FILE_READ ? KH_E_SOCKET : status;
}

static kh_status read_socket(const char *path, const kh_unlock_how *how, const kh_log *log,
                             kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  (void)how;
  KH_AUTO_SECRET content = NULL;
  kh_status status = kh_stream_new(&content);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return kh_fault_set(ret_fault, KH_E_SOCKET, path, errno);
  status = connect_and_read(fd, path, content);
  int error = errno;
  close(fd);
  if (status == KH_E_SECRET_TOO_LONG)
    return kh_passphrase_too_long(path, ret_fault);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, status == KH_E_SOCKET ? error : 0);
  return kh_passphrase_take(&content, path, log, ret_passphrase, ret_fault);
}

const kh_unlock_source kh_unlock_socket = {.prefix = "SOCKET:",
                                           .takes = "the absolute path of a UNIX socket",
                                           .fits = is_socket_path,
                                           .read = read_socket};
