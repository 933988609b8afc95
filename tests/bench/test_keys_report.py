#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The report of tools/bench keys: its numbers on made-up results, and that it refuses results that prove nothing."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(sys.argv.pop(1))
sys.path.insert(0, str(SCRIPT.parent))
sys.dont_write_bytecode = True
import bench_keys as report

LOOK_UPS = ("latest_version", "get_key-many", "encrypt-nopad-128-same-16")
MESSAGES = ("encrypt-nopad-128-same-16", "decrypt-nopad-128-new-256")
NOTES = {"load": 2000, "VmLck": 4, "RssAnon": 1000, "reload": 3000, "reload_peak": 5, "rotate": 4000, "rotate_all": 6000}


def case(name, ns):
    operation, size = name.split("-")[0], int(name.rsplit("-", 1)[1]) if "nopad" in name else 0
    return {"name": name, "operation": operation, "padded": False, "key_bits": 128, "new_key": False, "size": size, "correct": True,
            "repetitions": 10, "ns": ns, "ns_min": ns / 2, "ns_max": ns, "per_second": 1e9 / ns, "mb_per_second": 0}


class KeysReport(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results, self.json = Path(folder.name), Path(folder.name) / "out"
        self.notes = []
        for number in (1, 2, 3):
            self.put_round(number)

    def put(self, plugin, file, mode, threads, number, ns, names=LOOK_UPS):
        path = self.results / f"{plugin}.{file}.{mode}.{threads}.{number}.json"
        path.write_text(json.dumps({"cases": [case(name, ns) for name in names]}))
        return path

    def put_round(self, number):
        for plugin, files in report.PLUGIN_FILES.items():
            for file in files:
                self.put_file(plugin, file, number)
        for short, long in report.CIPHERS:
            self.put(report.KEYHOLD, "ciphers", short, 1, number, 100, MESSAGES)
            self.put(report.KEYHOLD, "ciphers", long, 1, number, 100 * (1 + number), MESSAGES)

    def put_file(self, plugin, file, number):
        for name in report.NOTES[plugin]:
            more = 100 * number if file != "small" else 0
            self.note(name, plugin, file, number, NOTES[name] + more)
        for threads in (1, 2):
            if plugin == report.DISTRIBUTION:
                self.put(plugin, file, "quiet", threads, number, 30)
                continue
            self.note(f"reloads.{threads}", plugin, file, number, 7)
            for mode, ns in zip(report.MODES, (10, 20, 25)):
                self.put(plugin, file, mode, threads, number, ns * number)

    def note(self, *fields):
        self.notes.append([str(field) for field in fields])

    def run_report(self):
        (self.results / "notes").write_text("".join("\t".join(line) + "\n" for line in self.notes))
        command = [sys.executable, str(SCRIPT), "keys", "--results", str(self.results), "--json", str(self.json)]
        return subprocess.run(command, text=True, capture_output=True, check=False)

    def document(self):
        result = self.run_report()
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(self.json.read_text())

    def refused(self, phrase):
        result = self.run_report()
        self.assertEqual(result.returncode, 1)
        self.assertIn(phrase, result.stderr)
        self.assertFalse(self.json.exists())

    def test_files_are_medians_and_memory_is_beyond_the_small_file(self):
        rows = {row["file"]: row for row in self.document()["files"]}
        self.assertEqual(set(rows), set(report.FILES))
        self.assertEqual(rows["small"][report.KEYHOLD]["load"], 2)
        ids = rows["ids"][report.KEYHOLD]
        self.assertEqual((ids["load"], ids["reload"], ids["rotate"], ids["rotate_all"]), (2.2, 3.2, 4.2, 6.2))
        self.assertEqual((ids["locked"], ids["more_memory"], ids["reload_peak"]), (204, 200, 205))
        self.assertNotIn(report.DISTRIBUTION, rows["versions"])

    def test_look_ups_are_compared_where_both_can(self):
        rows = {(row["file"], row["threads"], row["name"]): row for row in self.document()["look_ups"]}
        self.assertEqual(len(rows), 3 * 2 * 2)  # a record is no look-up
        row = rows["ids", 2, "get_key-many"]
        self.assertEqual((row["times_as_fast_min"], row["times_as_fast"], row["times_as_fast_max"]), (1, 1.5, 3))
        self.assertNotIn("times_as_fast", rows["versions", 1, "latest_version"])
        self.assertEqual(rows["versions", 1, "latest_version"][report.KEYHOLD]["ns"], 20)

    def test_reloading_is_compared_with_computing(self):
        rows = self.document()["other_connection"]
        self.assertEqual(len(rows), 3 * 2 * len(LOOK_UPS))
        for row in rows:
            self.assertEqual((row["quiet"]["ns"], row["computing"]["ns"], row["reloading"]["ns"]), (20, 40, 50))
            self.assertEqual((row["slower"], row["slower_undisturbed"], row["reloads"]), (1.25, 1.25, 21))

    def test_ciphers_are_compared_round_by_round(self):
        rows = self.document()["ciphers"]
        self.assertEqual([row["name"] for row in rows], list(MESSAGES))
        self.assertEqual((rows[0]["aes256-ctr_slower"], rows[0]["aes256-cbc_slower_undisturbed"]), (3, 2))

    def test_wrong_case_is_refused(self):
        path = self.put(report.KEYHOLD, "ids", "reloading", 2, 3, 10)
        content = json.loads(path.read_text())
        content["cases"][0]["correct"] = False
        path.write_text(json.dumps(content))
        self.refused("latest_version gives wrong results")

    def test_missing_part_is_refused(self):
        for path in self.results.glob("keyhold_file.versions.computing.2.*.json"):
            path.unlink()
        self.refused("missing or unknown")

    def test_missing_round_is_refused(self):
        (self.results / "keyhold_file.versions.computing.2.3.json").unlink()
        self.refused("not measured alike")

    def test_missing_case_is_refused(self):
        self.put(report.DISTRIBUTION, "ids", "quiet", 2, 3, 10, LOOK_UPS[1:])
        self.refused("not measured alike")

    def test_note_that_is_missing_is_refused(self):
        self.notes = [line for line in self.notes if line[:3] != ["rotate", report.KEYHOLD, "versions"]]
        self.refused("missing or unknown: ['rotate']")

    def test_note_without_a_number_is_refused(self):
        good = list(self.notes)
        for value in ("", "0", "-1", "nan", "ERROR"):
            self.notes = [*good, ["load", report.KEYHOLD, "ids", "3", value]]
            self.refused(f"load is '{value}'")

    def test_no_reload_is_refused(self):
        self.note("reloads.2", report.KEYHOLD, "small", 3, 0)
        self.refused("reloads.2 is '0'")

    def test_no_results_are_refused(self):
        for path in self.results.glob("*.json"):
            path.unlink()
        self.refused("no results")


if __name__ == "__main__":
    unittest.main()
