#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Storms: the command and real servers rotate, reload, convert and are killed at random on one key file. After each round no key
version is lost or was made twice, and all tables have their checksums.

  run.py BUILD [--seconds N] [--seed N] [--only NAME]

BUILD is a build folder with bin/keyhold and plugins/keyhold_file.so. All storms together take N seconds (120), and at least one
round each. The seed repeats what is chosen, not how threads and processes interleave. A failure leaves the folder of the storm,
with the key files, the servers and their logs, and `operations`: everything that was done."""
import argparse
import collections
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from storm import keyfiles
from commands import CommandStorm
from servers import CrowdStorm, OldFileStorm, RetireStorm, TwoServersStorm
from throwaway import Failure, Server, ServerError

STORMS = (CommandStorm, CrowdStorm, TwoServersStorm, RetireStorm, OldFileStorm)

FIRST = ("rounds", "kills", "versions", "connections", "statements", "commands")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda path: Path(path).resolve(strict=True))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=[kind.name for kind in STORMS])
    return parser.parse_args()


def end_on_signal(number, _):
    """Once: what ends the servers must not be interrupted."""
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def report(counts):
    order = [*(what for what in FIRST if what in counts), *sorted(counts.keys() - set(FIRST))]
    return ", ".join(f"{counts[what]} {what}" for what in order)


def run_all(kinds, arguments, root):
    """Returns the sum of all counts, or None after a failure."""
    fresh = Server(root / "fresh", arguments.build / "plugins", [])
    if kinds != [CommandStorm]:
        fresh.create()
    sums = collections.Counter()
    for kind in kinds:
        storm = kind(root / kind.name, arguments.build, fresh, arguments.seed)
        began = time.monotonic()
        try:
            storm.run(arguments.seconds / len(kinds))
        except (Failure, keyfiles.Broken, ServerError, OSError) as failure:
            print("\n".join(["the last operations:", *storm.operations]), file=sys.stderr)
            print(f"FAILED: storm {kind.name}, seed {arguments.seed}: {failure}\nkept: {storm.home}", file=sys.stderr)
            return None
        print(f"{kind.name}: {report(storm.counts)}; {time.monotonic() - began:.0f} seconds", flush=True)
        sums += storm.counts
        shutil.rmtree(storm.home)
    return sums


def main():
    arguments = parse_arguments()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_on_signal)
    kinds = [kind for kind in STORMS if arguments.only in (None, kind.name)]
    print(f"seed: {arguments.seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="keyhold-storm-"))
    keep = False
    try:
        sums = run_all(kinds, arguments, root)
        keep = sums is None
    finally:
        shutil.rmtree(root / "fresh" if keep else root, ignore_errors=True)
    if keep:
        return 1
    print(f"storms: {report(sums)}; nothing was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
