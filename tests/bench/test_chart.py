#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The charts of tools/bench: names, scale and numbers in the picture, errors that name the file, and the pictures of the tree."""
import contextlib
import copy
import io
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

SCRIPT, IMAGES = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
sys.path.insert(0, str(SCRIPT.parent))
sys.dont_write_bytecode = True
import bench_chart

SVG = "{http://www.w3.org/2000/svg}"


def group(title, value, worst, best, threads=1):
    return {"group": title, "threads": threads, "cases": 2, "times_as_fast": value, "worst": worst, "best": best,
            "times_as_fast_undisturbed": value}


def service(**more):
    return {"machine": "a machine", "server": "10.11", "openssl": "3.0", "parts": [{"cases": []}],
            "groups": [group("16354 bytes, CTR", 4, 2, 8), group("one & <two>", 2, 1.5, 3), group("16354 bytes, CTR", 9, 9, 9, 4)], **more}


def variant(name, *rounds):
    return {"variant": name, "per_second": sorted(rounds)[len(rounds) // 2], "rounds": list(rounds)}


SYSBENCH = {"tests": [{"test": "oltp_insert", "variants": [
    variant("none", 200, 240, 220), variant("file_key_management.aes_ctr", 100, 100, 100),
    variant("keyhold_file.aes_ctr", 150, 180, 140)]}]}
KEYS = {"files": [], "look_ups": [
    {"file": "ids", "threads": 1, "name": "get_key-many", "times_as_fast": 4, "times_as_fast_min": 3, "times_as_fast_max": 5},
    {"file": "ids", "threads": 1, "name": "choose-many", "times_as_fast": 1, "times_as_fast_min": 1, "times_as_fast_max": 1},
    {"file": "versions", "threads": 1, "name": "get_key-many"}]}


class Chart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.images = self.folder / "images"
        self.images.mkdir()

    def run_chart(self, *contents):
        """Draws documents, or texts that are not documents; (exit status, errors)."""
        paths = []
        for number, content in enumerate(contents):
            paths.append(self.folder / f"{number}.json")
            paths[-1].write_text(content if isinstance(content, str) else json.dumps(content))
        return self.run_files(*paths)

    def run_files(self, *paths):
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            status = bench_chart.main(["--to", str(self.images), *map(str, paths)])
        return status, errors.getvalue()

    def drawn(self, kind, *contents):
        self.assertEqual(self.run_chart(*contents), (0, ""))
        return ElementTree.parse(self.images / f"bench-{kind}.svg").getroot()

    def texts(self, picture):
        return [element.text for element in picture.iter(SVG + "text")]

    def bars(self, picture, series=0):
        """(x, width) of each bar of a series."""
        return [(float(bar.get("x")), float(bar.get("width"))) for bar in picture.iter(SVG + "rect")
                if bar.get("class") == f"s{series}" and bar.get("width") != bar.get("height")]

    def refused(self, phrase, *contents):
        status, errors = self.run_chart(*contents)
        self.assertEqual(status, 1)
        self.assertRegex(errors, "^tools/bench chart: .*" + re.escape(phrase))
        self.assertEqual(errors.count("\n"), 1)
        self.assertEqual(list(self.images.iterdir()), [])

    def test_names_and_numbers_are_in_the_picture(self):
        picture = self.drawn("service", service())
        texts = self.texts(picture)
        for expected in ("One call: times as fast as the distribution's plugin", "page, CTR", "16 KiB", "one & <two>", "engine auto",
                         "4.00", "2.00", "a machine; MariaDB 10.11; OpenSSL 3.0"):
            self.assertIn(expected, texts)
        self.assertNotIn("9.00", texts)  # of more threads
        self.assertEqual(picture.find(SVG + "desc").text, "page, CTR, 16 KiB: 4.00 (engine auto); one & <two>: 2.00 (engine auto).")

    def test_a_bar_is_as_long_as_its_ratio(self):
        picture = self.drawn("service", service())
        (first, four), (second, two) = self.bars(picture)
        self.assertEqual(first, second)
        self.assertAlmostEqual(four, 2 * two, delta=0.02)
        marks = {element.text: float(element.get("x")) for element in picture.iter(SVG + "text") if element.get("text-anchor") == "middle"}
        self.assertEqual(list(marks), [str(number) for number in range(9)])
        self.assertAlmostEqual(first + four, marks["4"], delta=0.02)
        self.assertLessEqual(marks["8"], float(picture.get("viewBox").split()[2]))

    def test_the_line_of_the_same_speed_is_at_one(self):
        picture = self.drawn("service", service())
        mark = next(element for element in picture.iter(SVG + "text") if element.text == "1")
        same = next(path for path in picture.iter(SVG + "path") if path.get("class") == "o")
        self.assertTrue(same.get("d").startswith(f"M{mark.get('x')} "))

    def test_a_range_reaches_from_smallest_to_largest(self):
        picture = self.drawn("service", service())
        start, width = self.bars(picture)[0]
        unit = width / 4
        ends = [float(x) for x in re.findall(r"[ML]([\d.]+)", next(
            path.get("d") for path in picture.iter(SVG + "path") if path.get("class") == "w"))]
        for end, value in zip(ends, (2, 8)):
            self.assertAlmostEqual(end, start + value * unit, delta=0.02)

    def test_the_axis_has_room_for_any_ratio(self):
        for value in (0.02, 0.7, 1, 9.99, 47, 123456):
            document = service()
            document["groups"] = [group("x", value, value, value)]
            picture = self.drawn("service", document)
            (start, width), = self.bars(picture)
            self.assertLessEqual(start + width, float(picture.get("viewBox").split()[2]) - 60, value)
            self.assertLessEqual(sum(path.get("class") == "g" for path in picture.iter(SVG + "path")), 9)

    def test_each_engine_has_its_bars(self):
        slower = service(engine="openssl")
        slower["groups"][0] = group("16354 bytes, CTR", 2, 1, 3)
        picture = self.drawn("service", service(), slower)
        self.assertIn("engine openssl", self.texts(picture))
        self.assertAlmostEqual(self.bars(picture, 0)[0][1], 2 * self.bars(picture, 1)[0][1], delta=0.02)

    def test_sysbench_is_compared_with_the_distribution_and_with_no_encryption(self):
        picture = self.drawn("sysbench", SYSBENCH)
        for expected in ("oltp_insert", "aes_ctr", "Keyhold", "no encryption", "1.50", "2.20"):
            self.assertIn(expected, self.texts(picture))

    def test_keys_are_compared_where_both_plugins_have_them(self):
        picture = self.drawn("keys", KEYS)
        self.assertEqual(len(self.bars(picture)), 1)
        for expected in ("get_key", "among 10,000 keys", "4.00"):
            self.assertIn(expected, self.texts(picture))

    def test_what_was_drawn_is_kept_and_draws_the_same(self):
        self.drawn("service", service(), service(engine="openssl"))
        kept, picture = self.images / "bench-service.json", self.images / "bench-service.svg"
        self.assertNotIn("parts", kept.read_text())
        before = picture.read_text()
        picture.unlink()
        self.assertEqual(self.run_files(kept), (0, ""))
        self.assertEqual(picture.read_text(), before)

    def test_the_picture_has_colours_for_a_dark_page(self):
        self.drawn("service", service())
        self.assertIn("@media (prefers-color-scheme:dark)", (self.images / "bench-service.svg").read_text())

    def test_what_is_not_a_document_is_refused(self):
        for content in ("", "{", "[1", "\x00"):
            self.refused("0.json: not JSON", content)
        for content in (1, "a", [1], [None], {}, {"cases": []}, {"groups": [1], "tests": [1]}):
            self.refused("0.json: not what tools/bench writes", json.dumps(content))
        for content in ([], {"groups": []}, {"tests": []}, {"look_ups": {}}):
            self.refused("0.json: no results", content)

    def test_a_file_that_cannot_be_read_is_named(self):
        status, errors = self.run_files(self.folder / "nonesuch.json")
        self.assertEqual(status, 1)
        self.assertEqual(errors, f"tools/bench chart: cannot read '{self.folder}/nonesuch.json': No such file or directory\n")

    def test_a_number_that_is_not_a_ratio_is_refused(self):
        for value in (0, -1, "4", None, True, float("nan"), float("inf")):
            document = service()
            document["groups"][0]["times_as_fast"] = value
            self.refused("16354 bytes, CTR", document)
        document = service()
        document["groups"][0]["worst"] = 9
        self.refused("the smallest ratio, 9, is above the largest", document)

    def test_a_part_that_is_missing_is_named(self):
        for part in ("times_as_fast", "worst", "best", "threads", "group"):
            document = service()
            del document["groups"][0][part]
            self.refused(f"service: missing or malformed: '{part}'", document)
        document = copy.deepcopy(SYSBENCH)
        del document["tests"][0]["variants"][1]
        self.refused("sysbench: missing or malformed: 'file_key_management.aes_ctr'", document)
        self.refused("sysbench: missing or malformed", {"tests": [1]})
        self.refused("keys: nothing to compare", {"look_ups": KEYS["look_ups"][1:]})

    def test_documents_that_do_not_go_together_are_refused(self):
        self.refused("two documents are of the same engine", service(), service())
        other = service(engine="openssl")
        del other["groups"][1]
        self.refused("the documents have different groups", service(), other)
        self.refused("2 documents of sysbench", SYSBENCH, SYSBENCH)

    def test_the_pictures_of_the_tree_show_the_numbers_beside_them(self):
        kept = sorted(IMAGES.glob("bench-*.json"))
        self.assertIn("bench-service.json", [path.name for path in kept])
        self.assertEqual([path.stem for path in kept], [path.stem for path in sorted(IMAGES.glob("bench-*.svg"))])
        subprocess.run([SCRIPT.parents[1] / "bench", "chart", "--to", self.images, *kept], stdout=subprocess.DEVNULL, check=True)
        for path in kept:
            self.assertEqual((self.images / path.with_suffix(".svg").name).read_text(), path.with_suffix(".svg").read_text(),
                             f"draw it again: tools/bench chart docs/images/{path.name}")


if __name__ == "__main__":
    unittest.main()
