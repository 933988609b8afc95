/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file version.h
 * The version of Keyhold. CMake reads it from here for the project, the manual pages and packages;
 * the test tree.version compares the documentation with it.
 */
#ifndef KEYHOLD_VERSION_H
#define KEYHOLD_VERSION_H

/** For people: log, information_schema.plugins. */
#define KEYHOLD_VERSION "0.2.0"

/** For st_maria_plugin: major and minor in one byte each. */
#define KEYHOLD_VERSION_HEX 0x0002

#endif
