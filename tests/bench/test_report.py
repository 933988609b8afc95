#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The report of tools/bench: its numbers on made-up results, and that it refuses results that prove nothing."""
import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPORT = Path(sys.argv.pop(1))
spec = importlib.util.spec_from_file_location("bench_report", REPORT)
report = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report)


def case(name, ns):
    operation, padding, bits, key, size = (name.split("-") + ["nopad", "128", "same", "0"][name.count("-"):])[:5]
    return {"name": name, "operation": operation, "padded": padding == "padded", "key_bits": int(bits) if bits.isdigit() else 128,
            "new_key": key == "new", "size": int(size), "correct": True, "repetitions": 10, "ns": ns, "ns_min": ns,
            "ns_max": ns, "per_second": 1e9 / ns, "mb_per_second": 1e3 * int(size) / ns, "ticks": 2 * ns}


def document(ns):
    return {"threads": 1, "rounds": 1, "milliseconds": 1, "cases": [case(name, ns) for name in sorted(report.every_name())]}


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.results = self.folder / "results"
        self.json = self.folder / "out.json"
        self.results.mkdir()

    def put(self, plugin, number, content, cipher="aes_cbc"):
        (self.results / f"{plugin}.{cipher}.{number}.1.json").write_text(json.dumps(content))

    def put_rounds(self, distribution, keyhold):
        for number, (old, new) in enumerate(zip(distribution, keyhold), 1):
            self.put(report.DISTRIBUTION, number, document(old))
            self.put(report.KEYHOLD, number, document(new))

    def run_report(self, what="service", results=None):
        command = [sys.executable, str(REPORT), what, "--results", str(results or self.results), "--json", str(self.json)]
        return subprocess.run(command, text=True, capture_output=True, check=False)

    def refused(self, phrase, **how):
        result = self.run_report(**how)
        self.assertEqual(result.returncode, 1)
        self.assertIn(phrase, result.stderr)
        self.assertFalse(self.json.exists())

    def test_ratio_is_the_median_of_the_rounds(self):
        self.put_rounds([900, 600, 800], [300, 300, 100])
        self.assertEqual(self.run_report().returncode, 0)
        part = json.loads(self.json.read_text())["parts"][0]
        row = part["cases"][0]
        self.assertEqual(len(part["cases"]), len(report.every_name()))
        self.assertEqual((row["times_as_fast_min"], row["times_as_fast"], row["times_as_fast_max"]), (2, 3, 8))
        self.assertEqual(row["times_as_fast_undisturbed"], 6)
        self.assertEqual((row[report.DISTRIBUTION]["ns"], row[report.KEYHOLD]["ns"]), (800, 300))

    def test_groups_have_their_cases(self):
        self.put_rounds([200], [100])
        self.assertEqual(self.run_report().returncode, 0)
        groups = {group["group"]: group for group in json.loads(self.json.read_text())["groups"]}
        self.assertEqual(groups["up to 256 bytes, NOPAD, CBC encrypt, same key"]["cases"], 8)
        self.assertEqual(groups["16354 bytes, CBC encrypt"]["cases"], 4)
        self.assertEqual(groups["get_key"]["cases"], 2)
        self.assertNotIn("16354 bytes, CTR", groups)
        self.assertTrue(all(abs(group["times_as_fast"] - 2) < 1e-9 for group in groups.values()))

    def test_wrong_case_is_refused(self):
        self.put_rounds([200], [100])
        wrong = document(100)
        wrong["cases"][5]["correct"] = False
        self.put(report.KEYHOLD, 1, wrong)
        self.refused(f"{wrong['cases'][5]['name']} gives wrong results")

    def test_missing_case_is_refused(self):
        self.put_rounds([200], [100])
        short = document(100)
        del short["cases"][5]
        self.put(report.KEYHOLD, 1, short)
        self.refused("cases are missing")

    def test_number_that_is_none_is_refused(self):
        for value in (0, -1, float("nan"), float("inf")):
            self.put_rounds([200], [100])
            bad = document(100)
            bad["cases"][7]["per_second"] = value
            self.put(report.DISTRIBUTION, 1, bad)
            self.refused("has per_second")

    def test_plugin_without_a_partner_is_refused(self):
        self.put(report.KEYHOLD, 1, document(100))
        self.refused("not measured alike")

    def test_round_without_a_partner_is_refused(self):
        self.put_rounds([200], [100])
        self.put(report.KEYHOLD, 2, document(100))
        self.refused("not measured alike")

    def test_no_results_are_refused(self):
        self.refused("no results")

    def put_ciphers(self, times):
        """times: {(plugin, cipher): [ns of each round]}"""
        for (plugin, cipher), rounds in times.items():
            for number, ns in enumerate(rounds, 1):
                self.put(plugin, number, {"cases": [case("encrypt-nopad-128-one-41", ns)]}, cipher)
        for path in self.results.iterdir():
            path.rename(path.with_name(path.name.replace(".1.json", ".json")))

    def test_ciphers_are_compared_with_both_of_the_distribution(self):
        self.put_ciphers({(report.DISTRIBUTION, "aes_cbc"): [900, 1000, 800], (report.DISTRIBUTION, "aes_ctr"): [300, 200, 250],
                          (report.KEYHOLD, "aes256_xts"): [300, 400, 200]})
        result = self.run_report("ciphers")
        self.assertEqual(result.returncode, 0, result.stderr)
        row = json.loads(self.json.read_text())["cases"][0]
        self.assertEqual((row["ns"], row["aes_cbc"]["times_as_fast"], row["aes_ctr"]["times_as_fast"]), (300, 3, 1))
        self.assertEqual((row["aes_cbc"]["times_as_fast_undisturbed"], row["aes_ctr"]["times_as_fast_undisturbed"]), (4, 1))

    def test_cipher_without_a_partner_is_refused(self):
        self.put_ciphers({(report.DISTRIBUTION, "aes_cbc"): [900], (report.KEYHOLD, "aes256_xts"): [300]})
        self.refused("not measured alike", what="ciphers")

    def put_sysbench(self, lines):
        path = self.folder / "lines"
        path.write_text("".join("\t".join(line) + "\n" for line in lines))
        return path

    def test_sysbench_shows_what_is_lost_and_won_back(self):
        lines = [("oltp_insert", variant, str(number), rate) for number in (1, 2, 3)
                 for variant, rate in (("none", "1000"), ("file_key_management.aes_cbc", "600"), ("keyhold_file.aes_cbc", "800"))]
        result = self.run_report("sysbench", self.put_sysbench(lines))
        self.assertEqual(result.returncode, 0, result.stderr)
        row = json.loads(self.json.read_text())["tests"][0]["variants"][2]
        self.assertAlmostEqual(row["loss"], 0.2)
        self.assertAlmostEqual(row["won_back"], 0.5)

    def test_sysbench_without_transactions_is_refused(self):
        for rate in ("", "0.00"):
            self.refused("no transactions", what="sysbench", results=self.put_sysbench([("oltp_insert", "none", "1", rate)]))

    def test_sysbench_with_a_missing_round_is_refused(self):
        lines = [("oltp_insert", "none", "1", "10"), ("oltp_insert", "none", "2", "10"), ("oltp_insert", "keyhold_file.aes_cbc", "1", "9")]
        self.refused("not measured alike", what="sysbench", results=self.put_sysbench(lines))


if __name__ == "__main__":
    unittest.main()
