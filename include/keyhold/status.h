/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file status.h
 * What every function of the core answers: success, or one precise cause.
 *
 * A status says what went wrong; kh_fault (fault.h) says where; the sentence for people is made
 * from both by kh_fault_describe(). Each error is one row of a list of the layer that owns it
 * (errors.def).
 */
#ifndef KEYHOLD_STATUS_H
#define KEYHOLD_STATUS_H

/** A function whose status no caller may drop. */
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
  KH_CLASS_USAGE,          /**< the caller or the configuration asked for what cannot be */
  KH_CLASS_IO,             /**< the operating system refused, or the file is not what it must be */
  KH_CLASS_SOURCE,         /**< a passphrase could not be fetched from where it is */
  KH_CLASS_FORMAT,         /**< the bytes are not what the format defines: malformed, damaged or
                              tampered with */
  KH_CLASS_UNSUPPORTED,    /**< a form that this build does not know, which may be a good one */
  KH_CLASS_AUTHENTICATION, /**< the passphrase does not fit */
  KH_CLASS_SUCCESSION,     /**< keys that must not take the place of the keys in use */
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
