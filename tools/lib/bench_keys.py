#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables and one JSON document from what tools/bench keys measured. Fails when something is wrong, missing or without a number."""
import json
import math
import sys
from statistics import median

sys.dont_write_bytecode = True  # leaves no cache next to the source
from bench_report import (DISTRIBUTION, KEYHOLD, Invalid, check_document, compare_case, main, number, print_table,
                          summarize_plugin)

FILES = {"small": "32 keys", "ids": "10,000 keys", "versions": "10,000 keys, 10 versions"}
PLUGIN_FILES = {DISTRIBUTION: ("small", "ids"), KEYHOLD: tuple(FILES)}
MODES = ("quiet", "computing", "reloading")
CIPHERS = (("aes-ctr", "aes256-ctr"), ("aes-cbc", "aes256-cbc"))
NOTES = {DISTRIBUTION: {"load", "VmLck", "RssAnon"},
         KEYHOLD: {"load", "VmLck", "RssAnon", "reload", "reload_peak", "rotate", "rotate_all"}}
MAY_BE_ZERO = {"VmLck", "reload_peak"}


# --- What was measured ---

def check_note(name, plugin, file, text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0 or (value == 0 and name not in MAY_BE_ZERO):
        raise Invalid(f"{plugin}, {file}: {name} is '{text}'")
    return value


def load_notes(path):
    """{plugin: {file: {name: [each value]}}}"""
    found = {plugin: {file: {} for file in files} for plugin, files in PLUGIN_FILES.items()}
    for line in path.read_text().splitlines():
        name, plugin, file, _, text = line.split("\t")
        found[plugin][file].setdefault(name, []).append(check_note(name, plugin, file, text))
    return found


def load_documents(folder):
    """{(plugin, file, mode, threads): [document of each round]}; of the file 'ciphers' the mode is the cipher."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        plugin, file, mode, threads, _, _ = path.name.split(".")
        document = json.loads(path.read_text())
        check_document(document, path.name, only=True)
        found.setdefault((plugin, file, mode, int(threads)), []).append(document)
    if not found:
        raise Invalid(f"{folder}: no results")
    return found


def expected_keys(threads):
    keys = {(plugin, file, "quiet", count) for plugin, files in PLUGIN_FILES.items() for file in files for count in threads}
    keys |= {(KEYHOLD, file, mode, count) for file in FILES for mode in MODES for count in threads}
    return keys | {(KEYHOLD, "ciphers", cipher, 1) for pair in CIPHERS for cipher in pair}


def check_documents(found):
    """Everything was measured, equally often, with the same cases."""
    threads = {count for _, file, _, count in found if file in FILES}
    missing = set(found) ^ expected_keys(threads)
    if missing:
        raise Invalid(f"missing or unknown: {sorted(missing)[:3]}")
    rounds = {len(documents) for documents in found.values()}
    names = {(file == "ciphers", frozenset(case["name"] for case in document["cases"]))
             for (_, file, _, _), documents in found.items() for document in documents}
    if len(rounds) != 1 or len(names) != 2:
        raise Invalid(f"not measured alike: rounds {sorted(rounds)}, kinds of cases {len(names)}")
    return sorted(threads)


def check_notes(notes, threads):
    for plugin, files in PLUGIN_FILES.items():
        for file in files:
            wanted = set(NOTES[plugin])
            if plugin == KEYHOLD:
                wanted |= {f"reloads.{count}" for count in threads}
            missing = wanted ^ set(notes[plugin][file])
            if missing:
                raise Invalid(f"{plugin}, {file}: missing or unknown: {sorted(missing)}")


# --- Numbers ---

def compare_files(notes):
    """What each file costs; times in ms, memory in KiB beyond what the small file takes."""
    rows = []
    for file in FILES:
        row = {"file": file}
        for plugin in (plugin for plugin in PLUGIN_FILES if file in PLUGIN_FILES[plugin]):
            middle = {name: median(values) for name, values in notes[plugin][file].items()}
            row[plugin] = {name: middle[name] / 1000 for name in ("load", "reload", "rotate", "rotate_all") if name in middle}
            row[plugin]["locked"] = middle["VmLck"]
            row[plugin]["more_memory"] = middle["RssAnon"] - median(notes[plugin]["small"]["RssAnon"])
            if "reload_peak" in middle:
                row[plugin]["reload_peak"] = middle["reload_peak"]
        rows.append(row)
    return rows


def cases_of(documents):
    """{name: [the case of each round]}"""
    by_name = {}
    for document in documents:
        for case in document["cases"]:
            by_name.setdefault(case["name"], []).append(case)
    return by_name


def compare_look_ups(found, threads):
    rows = []
    for count in threads:
        for file in FILES:
            keyhold = cases_of(found[KEYHOLD, file, "quiet", count])
            distribution = cases_of(found.get((DISTRIBUTION, file, "quiet", count), []))
            for name, cases in keyhold.items():
                if cases[0]["size"] > 0:
                    continue
                row = compare_case(distribution[name], cases) if distribution else {"name": name, KEYHOLD: summarize_plugin(cases)}
                rows.append({"file": file, "threads": count, **row})
    return rows


def compare_modes(found, notes, threads):
    """The cost of another connection that reloads, compared with one that computes and with none."""
    rows = []
    for count in threads:
        for file in FILES:
            cases = {mode: cases_of(found[KEYHOLD, file, mode, count]) for mode in MODES}
            for name in cases["quiet"]:
                row = {"file": file, "threads": count, "name": name, "reloads": sum(notes[KEYHOLD][file][f"reloads.{count}"])}
                row.update({mode: summarize_plugin(cases[mode][name]) for mode in MODES})
                row["slower"] = row["reloading"]["ns"] / row["computing"]["ns"]
                row["slower_undisturbed"] = row["reloading"]["ns_min"] / row["computing"]["ns_min"]
                rows.append(row)
    return rows


def compare_ciphers(found):
    cases = {cipher: cases_of(found[KEYHOLD, "ciphers", cipher, 1]) for pair in CIPHERS for cipher in pair}
    rows = []
    for name in cases[CIPHERS[0][0]]:
        row = {"name": name}
        for short, long in CIPHERS:
            row[short], row[long] = summarize_plugin(cases[short][name]), summarize_plugin(cases[long][name])
            row[f"{long}_slower"] = median(b["ns"] / a["ns"] for a, b in zip(cases[short][name], cases[long][name]))
            row[f"{long}_slower_undisturbed"] = row[long]["ns_min"] / row[short]["ns_min"]
        rows.append(row)
    return rows


# --- Tables ---

def of(row, plugin, name):
    return number(row[plugin][name]) if name in row.get(plugin, {}) else "-"


def print_files(rows):
    print("Key files (d: the distribution's plugin, k: Keyhold; times in ms, memory in KiB; more: beyond that of 32 keys, "
          "peak: more than before during a reload)\n")
    columns = ((DISTRIBUTION, "load"), (KEYHOLD, "load"), (KEYHOLD, "reload"), (KEYHOLD, "rotate"), (KEYHOLD, "rotate_all"),
               (KEYHOLD, "locked"), (DISTRIBUTION, "more_memory"), (KEYHOLD, "more_memory"), (KEYHOLD, "reload_peak"))
    print_table(["key file", "load d", "load k", "reload", "rotate one", "rotate all", "locked k", "more d", "more k", "peak"],
                [[FILES[row["file"]], *(of(row, plugin, name) for plugin, name in columns)] for row in rows])


def print_look_ups(rows):
    print("Look-ups (many: a key, and a version, chosen at random each time; choose: that alone; ns)\n")
    table = []
    for row in rows:
        both = "times_as_fast" in row
        table.append([FILES[row["file"]], row["name"], str(row["threads"]), of(row, DISTRIBUTION, "ns"), of(row, KEYHOLD, "ns"),
                      of(row, DISTRIBUTION, "ns_min"), of(row, KEYHOLD, "ns_min"),
                      f"{row['times_as_fast']:.2f}" if both else "-",
                      f"{row['times_as_fast_min']:.2f} - {row['times_as_fast_max']:.2f}" if both else "-",
                      f"{row['times_as_fast_undisturbed']:.2f}" if both else "-"])
    print_table(["key file", "case", "threads", "d", "k", "fastest d", "fastest k", "times as fast", "range", "fastest rounds"],
                table, texts=2)


def print_modes(rows):
    print("Keyhold while another connection does nothing, computes, or reloads the key file without pause (ns; fastest: of the "
          "fastest round)\n")
    print_table(["key file", "case", "threads", *MODES, *(f"fastest {mode}" for mode in MODES), "reloading / computing", "fastest rounds"],
                [[FILES[row["file"]], row["name"], str(row["threads"]), *(of(row, mode, "ns") for mode in MODES),
                  *(of(row, mode, "ns_min") for mode in MODES), f"{row['slower']:.2f}", f"{row['slower_undisturbed']:.2f}"]
                 for row in rows], texts=2)
    reloads = {(row["file"], row["threads"]): row["reloads"] for row in rows}
    print("Reloads while that was measured: " +
          "; ".join(f"{FILES[file]}, threads: {threads}: {number(count)}" for (file, threads), count in reloads.items()) + "\n")


def print_ciphers(rows):
    print("Keyhold, the cipher as an attribute of the key (ns; slower: 256 bits by 128)\n")
    head, pairs = ["case"], [pair for pair in CIPHERS]
    for short, long in pairs:
        head += [short, long, "slower", "fastest rounds"]
    print_table(head, [[row["name"], *(cell for short, long in pairs for cell in (
        of(row, short, "ns"), of(row, long, "ns"), f"{row[f'{long}_slower']:.2f}", f"{row[f'{long}_slower_undisturbed']:.2f}"))]
        for row in rows])


# --- Command line ---

def report_keys(given):
    found, notes = load_documents(given.results), load_notes(given.results / "notes")
    threads = check_documents(found)
    check_notes(notes, threads)
    document = {"files": compare_files(notes), "notes": notes, "look_ups": compare_look_ups(found, threads),
                "other_connection": compare_modes(found, notes, threads), "ciphers": compare_ciphers(found)}
    print_files(document["files"])
    print_look_ups(document["look_ups"])
    print_modes(document["other_connection"])
    print_ciphers(document["ciphers"])
    return document


if __name__ == "__main__":
    sys.exit(main({"keys": report_keys}))
