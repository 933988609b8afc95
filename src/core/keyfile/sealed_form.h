/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_form.h
 * The parts of a sealed key file, found without a passphrase. Every file has exactly one spelling;
 * any other is damage.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_FORM_H
#define KEYHOLD_KEYFILE_SEALED_FORM_H

#include "sealed_slot.h"

/** The words that lines begin with. */
#define KH_SEALED_MAGIC        "keyhold-sealed "
#define KH_SEALED_WORD_SLOT    "slot "
#define KH_SEALED_WORD_PAYLOAD "payload "
#define KH_SEALED_WORD_END     "end "

/** Characters of a full line of the payload, and the bytes that they encode. */
enum { KH_SEALED_BASE64_LINE = 64, KH_SEALED_BASE64_BYTES = 48 };

/** Lines of slots, in their order. Large: not for the stack. */
typedef struct kh_sealed_lines {
  kh_sealed_line at[KH_SEALED_SLOTS_MAX];
  size_t count;
} kh_sealed_lines;

/** Allocates, for free(). Returns NULL without memory. */
kh_sealed_lines *kh_sealed_lines_new(void);

/** Returns the version of the format of a file with these slots. */
uint32_t kh_sealed_lines_version(const kh_sealed_lines *lines);

/** Returns the part of the slots that is visible without a passphrase. */
kh_sealed_slots kh_sealed_lines_slots(const kh_sealed_lines *lines);

/** The parts of a file: views into it, except for the lines of slots. */
typedef struct kh_sealed_form {
  kh_sealed_lines *lines;            /**< owned */
  kh_bytes head;                     /**< all before the payload, which is bound to it */
  uint8_t nonce[KH_AEAD_NONCE_SIZE]; /**< of the payload */
  kh_bytes payload;                  /**< lines of base64 */
  size_t payload_len;                /**< bytes that they encode; at least KH_AEAD_TAG_SIZE */
} kh_sealed_form;

/**
 * Finds the parts of a file.
 *
 * @param ret_form  for kh_sealed_form_clear() in any case; without use on failure.
 * @return KH_OK, KH_E_SEALED_DAMAGED, KH_E_SEALED_NEWER, KH_E_SEALED_COST, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_sealed_form_read(const char *path, kh_bytes file, kh_sealed_form *ret_form,
                                          kh_fault *ret_fault);

/** Frees the lines, if any. For `__attribute__((cleanup))`. */
void kh_sealed_form_clear(kh_sealed_form *form);
#define KH_AUTO_SEALED_FORM __attribute__((cleanup(kh_sealed_form_clear))) kh_sealed_form

/** Returns whether the file's last line is that of a sealed file, whatever precedes it. */
bool kh_sealed_form_has_end(kh_bytes file);

/**
 * Reads a line that kh_sealed_slot_wrap() wrote, as it will be read from a file.
 *
 * @param line  its text; the slot and the fields are set.
 * @return KH_OK, KH_E_SEALED_DAMAGED, KH_E_SEALED_COST, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_sealed_form_read_line(kh_sealed_line *line);

#endif
