"""A smoke run of bench/compare: small sizes, with the peers that this machine has.

Each row's outcome must be right, and the document, the plots and the stored figures whole. No time is
looked at.

    tests/bench/compare_test.py BIN_DIRECTORY
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROWS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "16"]
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def compare(binaries, place, *words, **environment):
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(ROOT, "bench", "compare"), "--quick", "--rounds", "1",
         "--binaries", binaries, "--out", place, "--work-dir", os.path.join(place, "data"), *words],
        env=dict(os.environ, **environment), capture_output=True, text=True, timeout=280,
        check=False)
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")
    return done.returncode


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def check_results(place):
    results = json.loads(read(place, "benchmarks", "results.json"))
    expect(sorted(results) == sorted(ROWS), f"rows: {sorted(results)}")
    for number, result in results.items():
        bad = [check for check in result["checks"] if not check["ok"]]
        expect(not bad, f"row {number}: {bad}")
        expect(result["checks"] or result["notes"], f"row {number} checked nothing")
        for key in ("date", "commit", "machine", "versions", "command"):
            expect(result[key], f"row {number} has no {key}")


def check_document(place):
    page = read(place, "benchmarks.md")
    for number in ROWS:
        expect(f"\n## {number}. " in page, f"the document lacks row {number}")
    plots = re.findall(r"\]\((benchmarks/\w+\.svg)\)", page)
    expect(len(plots) >= 6, f"{len(plots)} plots")
    for plot in plots:
        root = xml.dom.minidom.parse(os.path.join(place, plot)).documentElement
        expect(root.tagName == "svg" and root.getElementsByTagName("text"), plot)


def check_render(binaries, place):
    """The document comes from the stored figures alone."""
    before = read(place, "benchmarks.md")
    os.remove(os.path.join(place, "benchmarks.md"))
    expect(compare(binaries, place, "--rows", "render") == 0, "rendering again failed")
    expect(read(place, "benchmarks.md") == before, "rendered again, the document is another one")


def check_absent_peers(binaries, place):
    """Without any peer a row is measured all the same, and says what is missing."""
    expect(compare(binaries, place, "--rows", "2", PATH="/nowhere") == 0, "no peers: failed")
    expect("Redis is not installed" in read(place, "benchmarks.md"), "absent peers are not told")


def main(binaries):
    # Beside the programs, and so on the disk; /tmp may be memory.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(binaries))) as top:
        whole, alone = os.path.join(top, "whole"), os.path.join(top, "alone")
        expect(compare(binaries, whole) == 0, "the smoke run failed")
        check_results(whole)
        check_document(whole)
        check_render(binaries, whole)
        check_absent_peers(binaries, alone)
    print("\n".join(failures) or "all as it should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
