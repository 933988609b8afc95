/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file wrap.h
 * Functions of a test program that replace others (linker option --wrap).
 */
#ifndef KEYHOLD_TEST_WRAP_H
#define KEYHOLD_TEST_WRAP_H

/** Declares __real_NAME and __wrap_NAME as the function's own header declares NAME. Not for
 * functions with `...`, whose wrappers have parameters of their own. */
#define WRAPS(name) __typeof__(name) __real_##name, __wrap_##name

/** Defines a wrapper that returns `failure` if strikes("NAME") is true, and otherwise calls the
 * real function. */
#define WRAP(strikes, type, name, failure, parameters, arguments)                                  \
  type __real_##name parameters;                                                                   \
  type __wrap_##name parameters;                                                                   \
  type __wrap_##name parameters                                                                    \
  {                                                                                                \
    return strikes(#name) ? failure : __real_##name arguments;                                     \
  }

/*
 * Wrappers that several programs use. `strikes` is calls_strike of calls.h, or a function of the
 * program.
 */

/* files: <fcntl.h>, <stdlib.h>, <sys/stat.h> and <unistd.h> */
#define WRAP_REALPATH(strikes)                                                                     \
  WRAP(strikes, char *, realpath, NULL, (const char *path, char *real), (path, real))
#define WRAP_STAT(strikes)                                                                         \
  WRAP(strikes, int, stat, -1, (const char *path, struct stat *st), (path, st))
#define WRAP_FSTATAT(strikes)                                                                      \
  WRAP(strikes, int, fstatat, -1, (int folder, const char *name, struct stat *st, int flags),      \
       (folder, name, st, flags))
#define WRAP_OPEN(strikes)                                                                         \
  WRAP(strikes, int, open, -1, (const char *path, int flags, mode_t mode), (path, flags, mode))
#define WRAP_OPENAT(strikes)                                                                       \
  WRAP(strikes, int, openat, -1, (int folder, const char *name, int flags, mode_t mode),           \
       (folder, name, flags, mode))
#define WRAP_UNLINKAT(strikes)                                                                     \
  WRAP(strikes, int, unlinkat, -1, (int folder, const char *name, int flags), (folder, name, flags))
#define WRAP_RENAMEAT(strikes)                                                                     \
  WRAP(strikes, int, renameat, -1, (int from, const char *old, int to, const char *new),           \
       (from, old, to, new))
#define WRAP_READ(strikes)                                                                         \
  WRAP(strikes, ssize_t, read, -1, (int fd, void *data, size_t size), (fd, data, size))
#define WRAP_WRITE(strikes)                                                                        \
  WRAP(strikes, ssize_t, write, -1, (int fd, const void *data, size_t size), (fd, data, size))
#define WRAP_FCHOWN(strikes)                                                                       \
  WRAP(strikes, int, fchown, -1, (int fd, uid_t owner, gid_t group), (fd, owner, group))
#define WRAP_FCHMOD(strikes) WRAP(strikes, int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
#define WRAP_FSYNC(strikes)  WRAP(strikes, int, fsync, -1, (int fd), (fd))
#define WRAP_FLOCK(strikes)  WRAP(strikes, int, flock, -1, (int fd, int operation), (fd, operation))

/* memory: <stdlib.h> and <sodium.h> */
#define WRAP_MALLOC(strikes) WRAP(strikes, void *, malloc, NULL, (size_t size), (size))
#define WRAP_CALLOC(strikes)                                                                       \
  WRAP(strikes, void *, calloc, NULL, (size_t count, size_t size), (count, size))
#define WRAP_SODIUM_MALLOC(strikes)                                                                \
  WRAP(strikes, void *, sodium_malloc, NULL, (size_t size), (size))
#define WRAP_SODIUM_INIT(strikes) WRAP(strikes, int, sodium_init, -1, (void), ())

/* <openssl/evp.h> */
#define WRAP_EVP_MD_FETCH(strikes)                                                                 \
  WRAP(strikes, EVP_MD *, EVP_MD_fetch, NULL,                                                      \
       (OSSL_LIB_CTX * library, const char *name, const char *properties),                         \
       (library, name, properties))
#define WRAP_EVP_CIPHER_CTX_NEW(strikes)                                                           \
  WRAP(strikes, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, NULL, (void), ())
#define WRAP_EVP_CIPHERINIT_EX2(strikes)                                                           \
  WRAP(strikes, int, EVP_CipherInit_ex2, 0,                                                        \
       (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,                  \
        const unsigned char *iv, int enc, const OSSL_PARAM params[]),                              \
       (ctx, cipher, key, iv, enc, params))

#endif
