/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file status.h
 * The result of a function of the core: success, or one precise cause.
 *
 * A status is what went wrong; a kh_fault (fault.h) is where; kh_fault_describe() makes the
 * sentence for people from both. Each error is one row of a list of the layer that owns it
 * (errors.def).
 */
#ifndef KEYHOLD_STATUS_H
#define KEYHOLD_STATUS_H

/** Marks a function whose status callers must use. */
#define KH_MUST_USE __attribute__((warn_unused_result))

/** Outcome of a call. The numbers are not stored anywhere and may change between builds. */
typedef enum kh_status {
  KH_OK = 0,
/** A row of the catalogue as its number (errors.def). */
#define KH_ERROR(code, class, sentence) code,
#include "keyhold/errors.def"
  KH_STATUS_COUNT /**< number of codes, for tables and tests */
} kh_status;

/** What kind of failure a status is. */
typedef enum kh_class {
  KH_CLASS_NONE,           /**< KH_OK */
  KH_CLASS_USAGE,          /**< the caller or the configuration asked for something impossible */
  KH_CLASS_IO,             /**< the operating system refused, or the file is not what it must be */
  KH_CLASS_SOURCE,         /**< a passphrase could not be read from its source */
  KH_CLASS_FORMAT,         /**< the bytes are not what the format defines: malformed, damaged or
                              tampered with */
  KH_CLASS_UNSUPPORTED,    /**< a form that this version does not know, which may be valid */
  KH_CLASS_AUTHENTICATION, /**< the passphrase is wrong */
  KH_CLASS_UNTRIED,        /**< the keys could not be looked at yet; they may be right */
  KH_CLASS_SUCCESSION,     /**< keys that must not replace the keys in use */
  KH_CLASS_NOT_FOUND,      /**< no object of that name or number */
  KH_CLASS_INTERNAL,       /**< memory or a library failed, or a program error */
} kh_class;

/**
 * Returns the class of a status. Thread-safe.
 *
 * @param status  any value; one outside the enum is KH_CLASS_INTERNAL.
 */
kh_class kh_status_class(kh_status status);

/**
 * Returns the sentence of a status as a template (fault.h), a constant that is never NULL.
 * Thread-safe.
 *
 * @param status  any value; one outside the enum has the sentence "unknown status".
 */
const char *kh_status_sentence(kh_status status);

#endif
