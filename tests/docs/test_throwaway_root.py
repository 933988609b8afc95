#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A throwaway root that cannot be unmounted, as after a second Ctrl-C, takes nothing of the system with it."""
import os
import sys
import tempfile
from pathlib import Path

import throwaway_root

real_run = throwaway_root.run


def run_interrupted(*command):
    """No mount can be ended."""
    if command[0] == "umount":
        raise KeyboardInterrupt
    real_run(*command)


def main():
    if not throwaway_root.can_mount():
        print("skipped: this needs root, and the right to mount")
        return 77
    throwaway_root.enter()
    with tempfile.TemporaryDirectory(prefix="keyhold-system-") as system:
        file = Path(system, "null")
        file.touch()
        throwaway_root.run = run_interrupted
        try:
            with throwaway_root.memory_folder("keyhold-docs-") as base:
                device = Path(base, "dev")
                device.mkdir()
                real_run("mount", "--rbind", system, device)
        except (KeyboardInterrupt, OSError):
            pass
        is_there = file.exists()
        real_run("umount", "--recursive", "--lazy", base)
        os.rmdir(base)
    print("the system's file is there" if is_there else "the system's file was removed")
    return 0 if is_there else 1


if __name__ == "__main__":
    sys.exit(main())
