#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tables and one JSON document from what tools/bench measured. Fails when a case is wrong, missing or without a number."""
import argparse
import json
import math
import sys
from pathlib import Path
from statistics import geometric_mean, median

DISTRIBUTION, KEYHOLD = "file_key_management", "keyhold_file"
SIZES = (16, 32, 128, 256, 1024, 4096, 16354, 32768, 65536, 1048576)
NUMBERS = ("ns", "ns_min", "ns_max", "per_second", "repetitions")


class Invalid(Exception):
    """Results that prove nothing."""


# --- What was measured ---

def every_name():
    """The names of all cases of a benchmark without --only."""
    names = {"latest_version", "get_key-128", "get_key-256"}
    for bits in (128, 256):
        for key in ("same", "new"):
            for size in SIZES:
                names |= {f"{operation}-{padding}-{bits}-{key}-{size}"
                          for operation in ("encrypt", "decrypt") for padding in ("nopad", "padded")}
                if size >= 32:
                    names.add(f"stream-nopad-{bits}-{key}-{size}")
    return names


def check_document(document, where, only):
    cases = document["cases"]
    names = {case["name"] for case in cases}
    if len(names) != len(cases) or not names:
        raise Invalid(f"{where}: no cases, or two of one name")
    if not only and names != every_name():
        raise Invalid(f"{where}: cases are missing or unknown: {sorted(names ^ every_name())[:5]}")
    for case in cases:
        if case["correct"] is not True:
            raise Invalid(f"{where}: {case['name']} gives wrong results")
        for number in NUMBERS:
            if not (math.isfinite(case[number]) and case[number] > 0):
                raise Invalid(f"{where}: {case['name']} has {number} = {case[number]}")
    return names


def load_service(folder, only):
    """{(cipher, threads): {plugin: [document of each round]}}"""
    found = {}
    for path in sorted(folder.glob("*.json")):
        plugin, cipher, _, threads, _ = path.name.split(".")
        document = json.loads(path.read_text())
        check_document(document, path.name, only)
        found.setdefault((cipher, int(threads)), {}).setdefault(plugin, []).append(document)
    if not found:
        raise Invalid(f"{folder}: no results")
    for part, plugins in found.items():
        rounds = {plugin: len(documents) for plugin, documents in plugins.items()}
        names = {frozenset(case["name"] for case in document["cases"])
                 for documents in plugins.values() for document in documents}
        if set(plugins) != {DISTRIBUTION, KEYHOLD} or len(set(rounds.values())) != 1 or len(names) != 1:
            raise Invalid(f"{part}: the plugins were not measured alike: {rounds}")
    return found


# --- Numbers ---

def summarize_plugin(cases):
    """One case of one plugin: the median of its rounds, each of which is a median already."""
    summary = {number: median(case[number] for case in cases) for number in ("ns", "per_second", "mb_per_second")}
    if all("ticks" in case for case in cases):
        summary["ticks"] = median(case["ticks"] for case in cases)
    summary["ns_min"] = min(case["ns_min"] for case in cases)
    summary["ns_of_rounds"] = [case["ns"] for case in cases]
    return summary


def compare_case(distribution, keyhold):
    first = distribution[0]
    row = {field: first[field] for field in ("name", "operation", "padded", "key_bits", "new_key", "size")}
    row[DISTRIBUTION], row[KEYHOLD] = summarize_plugin(distribution), summarize_plugin(keyhold)
    ratios = [old["ns"] / new["ns"] for old, new in zip(distribution, keyhold)]
    row["times_as_fast"] = median(ratios)
    # what else runs on the machine only adds time, so the fastest rounds are the least disturbed
    row["times_as_fast_undisturbed"] = row[DISTRIBUTION]["ns_min"] / row[KEYHOLD]["ns_min"]
    row["times_as_fast_min"], row["times_as_fast_max"] = min(ratios), max(ratios)
    return row


def compare_service(found):
    parts = []
    for (cipher, threads), plugins in sorted(found.items()):
        by_round = {plugin: [{case["name"]: case for case in document["cases"]} for document in documents]
                    for plugin, documents in plugins.items()}
        names = [case["name"] for case in plugins[KEYHOLD][0]["cases"]]
        rows = [compare_case([cases[name] for cases in by_round[DISTRIBUTION]],
                             [cases[name] for cases in by_round[KEYHOLD]]) for name in names]
        parts.append({"cipher": cipher, "threads": threads, "cases": rows})
    return parts


# --- Tables ---

def print_table(head, rows, texts=1):
    """Prints a Markdown table that is also readable as plain text; the first columns are texts, the others numbers."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width if i < texts else "-" * (width - 1) + ":" for i, width in enumerate(widths)], *rows]
    for line in lines:
        cells = [cell.ljust(width) if i < texts else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))]
        print("| " + " | ".join(cells) + " |")
    print()


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def row_of(case):
    old, new, size = case[DISTRIBUTION], case[KEYHOLD], case["size"]

    def per_byte(side):
        return f"{side['ticks'] / size:.2f}" if size and "ticks" in side else "-"

    def speed(side):
        return number(side["mb_per_second"]) if size else "-"
    return [case["name"], number(old["ns"]), number(new["ns"]), speed(old), speed(new), per_byte(old), per_byte(new),
            f"{case['times_as_fast']:.2f}", f"{case['times_as_fast_min']:.2f} - {case['times_as_fast_max']:.2f}", f"{case['times_as_fast_undisturbed']:.2f}"]


def print_parts(parts):
    for part in parts:
        print(f"{part['cipher']}, threads: {part['threads']} (d: the distribution's plugin, k: Keyhold; "
              "ticks: of the time-stamp counter)\n")
        print_table(["case", "ns d", "ns k", "MB/s d", "MB/s k", "ticks/B d", "ticks/B k", "times as fast", "range", "fastest rounds"],
                    [row_of(case) for case in part["cases"]])


def small(case):
    return 0 < case["size"] <= 256 and not case["padded"] and case["operation"] in ("encrypt", "decrypt")


def page(case, operations):
    return case["size"] == 16354 and not case["padded"] and case["operation"] in operations


# the lines of the summary: title, cipher or None for both, which cases
GROUPS = (
    ("up to 256 bytes, NOPAD, CTR, same key", "aes_ctr", lambda c: small(c) and not c["new_key"]),
    ("up to 256 bytes, NOPAD, CBC encrypt, same key", "aes_cbc",
     lambda c: small(c) and not c["new_key"] and c["operation"] == "encrypt"),
    ("up to 256 bytes, NOPAD, CBC decrypt, same key", "aes_cbc",
     lambda c: small(c) and not c["new_key"] and c["operation"] == "decrypt"),
    ("up to 256 bytes, NOPAD, a new key each time", None, lambda c: small(c) and c["new_key"]),
    ("16354 bytes, CTR", "aes_ctr", lambda c: page(c, ("encrypt", "decrypt"))),
    ("16354 bytes, CBC decrypt", "aes_cbc", lambda c: page(c, ("decrypt",))),
    ("16354 bytes, CBC encrypt", "aes_cbc", lambda c: page(c, ("encrypt",))),
    ("32 KiB, padded, GCM", "aes_ctr", lambda c: c["size"] == 32768 and c["padded"]),
    ("32 KiB, padded, CBC", "aes_cbc", lambda c: c["size"] == 32768 and c["padded"]),
    ("up to 256 bytes, streamed, same key", None,
     lambda c: c["operation"] == "stream" and c["size"] <= 256 and not c["new_key"]),
    ("latest_version", None, lambda c: c["operation"] == "latest_version"),
    ("get_key", None, lambda c: c["operation"] == "get_key"),
)


def summarize_group(cases):
    ratios = [case["times_as_fast"] for case in cases]
    return {"cases": len(cases), "times_as_fast": geometric_mean(ratios), "worst": min(ratios), "best": max(ratios),
            "times_as_fast_undisturbed": geometric_mean(case["times_as_fast_undisturbed"] for case in cases)}


def groups_of(parts):
    groups = []
    for threads in sorted({part["threads"] for part in parts}):
        for title, cipher, belongs in GROUPS:
            cases = [case for part in parts for case in part["cases"]
                     if part["threads"] == threads and cipher in (None, part["cipher"]) and belongs(case)]
            if cases:
                groups.append({"group": title, "threads": threads, **summarize_group(cases)})
    return groups


def print_groups(groups):
    print("How many times as fast Keyhold is (geometric mean of the cases of a group)\n")
    print_table(["group", "threads", "cases", "times as fast", "worst", "best", "fastest rounds"],
                [[g["group"], str(g["threads"]), str(g["cases"]), f"{g['times_as_fast']:.2f}", f"{g['worst']:.2f}",
                  f"{g['best']:.2f}", f"{g['times_as_fast_undisturbed']:.2f}"] for g in groups])


# --- ciphers ---

# what each is compared with; the distribution's plugin has no other ciphers
CIPHER_BASES = ((DISTRIBUTION, "aes_cbc"), (DISTRIBUTION, "aes_ctr"))
CIPHER_OWN = (KEYHOLD, "aes256_xts")


def load_ciphers(folder, only):
    """{(plugin, cipher): [{name: case} of each round]}"""
    found = {}
    for path in sorted(folder.glob("*.json")):
        plugin, cipher, _, _ = path.name.split(".")
        document = json.loads(path.read_text())
        check_document(document, path.name, only or "*")
        found.setdefault((plugin, cipher), []).append({case["name"]: case for case in document["cases"]})
    kinds = {frozenset(cases) for rounds in found.values() for cases in rounds}
    if set(found) != {*CIPHER_BASES, CIPHER_OWN} or len({len(rounds) for rounds in found.values()}) != 1 or len(kinds) != 1:
        raise Invalid(f"the ciphers were not measured alike: {sorted(found)}")
    return found


def compare_ciphers(found):
    rows = []
    for name in found[CIPHER_OWN][0]:
        own = [cases[name]["ns"] for cases in found[CIPHER_OWN]]
        row = {"name": name, "ns": median(own)}
        for base in CIPHER_BASES:
            others = [cases[name]["ns"] for cases in found[base]]
            row[base[1]] = {"ns": median(others), "times_as_fast": median(old / new for old, new in zip(others, own)),
                            "times_as_fast_undisturbed": min(cases[name]["ns_min"] for cases in found[base])
                            / min(cases[name]["ns_min"] for cases in found[CIPHER_OWN])}
        rows.append(row)
    return rows


def print_ciphers(rows):
    print("Keyhold's aes256-xts (k), and the ciphers of the distribution's plugin (d)\n")
    head = ["case", "ns k"]
    for _, cipher in CIPHER_BASES:
        head += [f"ns d {cipher}", "times as fast", "fastest rounds"]
    lines = []
    for row in rows:
        line = [row["name"], number(row["ns"])]
        for _, cipher in CIPHER_BASES:
            base = row[cipher]
            line += [number(base["ns"]), f"{base['times_as_fast']:.2f}", f"{base['times_as_fast_undisturbed']:.2f}"]
        lines.append(line)
    print_table(head, lines)


# --- sysbench ---

def load_sysbench(path):
    """{test: {variant: [transactions a second of each round]}}"""
    found = {}
    for line in path.read_text().splitlines():
        test, variant, _, rate = line.split("\t")
        if not rate or not float(rate) > 0:
            raise Invalid(f"{test}, {variant}: no transactions")
        found.setdefault(test, {}).setdefault(variant, []).append(float(rate))
    counts = {len(rates) for variants in found.values() for rates in variants.values()}
    kinds = {frozenset(variants) for variants in found.values()}
    if len(counts) != 1 or len(kinds) != 1 or "none" not in next(iter(kinds)):
        raise Invalid("the variants were not measured alike")
    return found


def compare_variant(rates, variants, variant):
    plugin, _, cipher = variant.partition(".")
    rate, none = median(rates), median(variants["none"])
    row = {"variant": variant, "per_second": rate, "rounds": rates, "loss": 1 - rate / none}
    other = variants.get(f"{DISTRIBUTION}.{cipher}")
    if plugin == KEYHOLD and other and none > median(other):
        row["won_back"] = (rate - median(other)) / (none - median(other))
    return row


def compare_sysbench(found):
    return [{"test": test, "variants": [compare_variant(rates, variants, variant) for variant, rates in variants.items()]}
            for test, variants in found.items()]


def print_sysbench(tests):
    print("Transactions a second, median of the rounds; 'won back' is of what the distribution's plugin loses\n")
    rows = []
    for test in tests:
        for row in test["variants"]:
            won = f"{row['won_back']:.0%}" if "won_back" in row else "-"
            rows.append([test["test"], row["variant"], number(row["per_second"]),
                         f"{number(min(row['rounds']))} - {number(max(row['rounds']))}", f"{row['loss']:.1%}", won])
    print_table(["test", "variant", "per second", "range", "loss", "won back"], rows, texts=2)


# --- Command line ---

def report_service(given):
    parts = compare_service(load_service(given.results, given.only))
    document = {"parts": parts, "groups": groups_of(parts)}
    print_parts(parts)
    print_groups(document["groups"])
    return document


def report_ciphers(given):
    rows = compare_ciphers(load_ciphers(given.results, given.only))
    print_ciphers(rows)
    return {"cases": rows}


def report_sysbench(given):
    document = {"tests": compare_sysbench(load_sysbench(given.results))}
    print_sysbench(document["tests"])
    return document


def arguments(reports):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=reports)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--only", default="")
    for name in ("machine", "server", "openssl", "engine", "load", "threads", "seconds"):
        parser.add_argument(f"--{name}", default="")
    return parser.parse_args()


def main(reports):
    given = arguments(reports)
    environment = {name: value for name, value in vars(given).items()
                   if name in ("machine", "server", "openssl", "engine", "load", "threads", "seconds") and value}
    print("\n" + "; ".join(f"{name}: {value}" for name, value in environment.items()) + "\n")
    try:
        document = {**environment, **reports[given.what](given)}
    except Invalid as fault:
        print(f"{Path(sys.argv[0]).name}: {fault}", file=sys.stderr)
        return 1
    given.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main({"service": report_service, "ciphers": report_ciphers, "sysbench": report_sysbench}))
