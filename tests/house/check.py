#!/usr/bin/env python3
"""The house rules that a program can check; CONTRIBUTING.md says why they are rules.

Prints one line for each breach, as path:line: what, and exits 1 if there is any.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIPPED = {"build", ".git", "node_modules", "carillon-data", ".cache"}

FILE_LINES_MAX = 450
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P90_MAX = 30
# Put together here, so that this file does not break its own rule.
MARKERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
# May include and link everything: they stand beside the layers.
UNLAYERED = {"tests", "bench", "clients"}

# Where a source file includes a header that stands on its own header.
LOOPED = {"base", "delivery"}

breaches = []


def breach(path, line, what):
    breaches.append(f"{path}:{line}: {what}")


def files(*endings):
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        found += [
            os.path.relpath(os.path.join(folder, name), ROOT)
            for name in sorted(names)
            if name.endswith(endings)
        ]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def layers():
    """The source folders, lowest first, as the top CMakeLists.txt lists them."""
    names = re.findall(r"^add_subdirectory\((\w+)\)", read("CMakeLists.txt"), re.MULTILINE)
    return [name for name in names if name not in UNLAYERED]


def check_layers():
    order = {name: rank for rank, name in enumerate(layers())}
    for path in files(".h", ".cc", "CMakeLists.txt"):
        folder = path.split(os.sep)[0]
        if folder not in order:
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            for used in re.findall(r'^#include "(\w+)/|\bcarillon_(\w+)', line):
                name = used[0] or used[1]
                if name in order and order[name] > order[folder]:
                    breach(path, number, f"{folder}/ is below {name}/ and must not know it")
                if used[0] in UNLAYERED:
                    breach(path, number, f"{folder}/ must not know {used[0]}/")


def included(path):
    """(line number, path) of each header of ours that a file includes."""
    for number, line in enumerate(read(path).splitlines(), 1):
        if match := re.match(r'#include "([^"]+)"', line):
            yield number, match[1]


def loops(graph):
    """The edges that close a loop, as (from, to)."""
    done, path = set(), []

    def visit(node):
        path.append(node)
        for following in sorted(graph.get(node, ())):
            if following in path:
                yield node, following
            elif following not in done:
                yield from visit(following)
        done.add(path.pop())

    for node in sorted(graph):
        if node not in done:
            yield from visit(node)


def check_includes():
    """Headers never include each other in a circle; nor do, within a folder, a header and its source
    taken as one: so each folder can be read from the bottom up."""
    headers, parts, where = {}, {}, {}
    for path in files(".h", ".cc"):
        folder, part = os.path.dirname(path), os.path.splitext(path)[0]
        for number, used in included(path):
            if path.endswith(".h"):
                headers.setdefault(path, set()).add(used)
                where[path, used] = path, number
            of = os.path.splitext(used)[0]
            if os.path.dirname(used) == folder and of != part and folder not in LOOPED:
                parts.setdefault(part, set()).add(of)
                where[part, of] = path, number
    for graph in (headers, parts):
        for node, used in loops(graph):
            breach(*where[node, used], f"includes {used}, which stands on it")


def check_text():
    for path in files(".h", ".cc", ".py", ".sh", ".md", ".txt", ".cmake", ".json", ".yaml", ".js", ".mjs", ".ts", ".java", ".toml"):
        if path.endswith("package-lock.json"):
            continue
        lines = read(path).splitlines()
        is_code = path.endswith((".h", ".cc"))
        lines_max = TEST_FILE_LINES_MAX if path.startswith("tests") else FILE_LINES_MAX
        if is_code and len(lines) > lines_max:
            breach(path, lines_max, f"{len(lines)} lines; at most {lines_max}")
        for number, line in enumerate(lines, 1):
            if MARKERS.search(line):
                breach(path, number, "a marker of something left over")


def check_headers():
    for path in files(".h"):
        text = read(path)
        if not text.startswith("// "):
            breach(path, 1, "a header begins with a comment that says what it is for")
        if "\n#pragma once\n" not in text:
            breach(path, 1, "no #pragma once")


def function_lengths(path):
    """(first line, length) of each function definition, as clang-format lays them out: its closing
    brace stands in the column where its first line began."""
    scope = re.compile(r"(template.*>\s*)?(typedef |inline )?(namespace|class|struct|enum|union|extern)\b")
    begin = indent = None  # of the statement being read
    head = ""  # its text up to the brace; None within the braces
    for number, line in enumerate(read(path).splitlines(), 1):
        text = line.split(" //")[0].strip()
        if not text or text.startswith(("//", "#")):
            continue
        column = len(line) - len(line.lstrip())
        if begin is None:
            if column > 4 or text.startswith("}") or scope.match(text):
                continue
            begin, indent, head = number, column, ""
        if head is None:
            if column == indent and text.startswith("}"):
                if is_function:
                    yield begin, number - begin + 1
                begin = None
            continue
        head += text
        if text.endswith("{"):
            is_function = "(" in head and not head.endswith("= {")
            head = None
        elif text.endswith((";", "}")) or re.fullmatch(r"\w+:", text):
            begin = None


def check_functions():
    lengths = []
    for path in files(".h", ".cc"):
        for line, length in function_lengths(path):
            if not path.startswith("tests" + os.sep):
                lengths.append(length)
            if length > FUNCTION_LINES_MAX:
                breach(path, line, f"a function of {length} lines; at most {FUNCTION_LINES_MAX}")
    if len(lengths) >= 10:
        p90 = statistics.quantiles(lengths, n=10)[-1]
        if p90 > FUNCTION_LINES_P90_MAX:
            breach(".", 0, f"a tenth of the functions have over {p90:.0f} lines; "
                   f"at most {FUNCTION_LINES_P90_MAX}")


def check_architecture():
    path = "ARCHITECTURE.md"
    if not os.path.exists(os.path.join(ROOT, path)):
        return
    rows = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        if match := re.match(r"^\| `(\w+)/` \|", line):
            rows[match[1]] = number
    for name, number in rows.items():
        if not os.path.isdir(os.path.join(ROOT, name)):
            breach(path, number, f"there is no folder {name}/")
    for name in layers():
        if name not in rows:
            breach(path, 1, f"the table of folders lacks {name}/")


def anchor(heading):
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def headings(path):
    return {anchor(line.lstrip("#")) for line in read(path).splitlines() if line.startswith("#")}


def check_links():
    for path in files(".md"):
        fenced = False
        for number, line in enumerate(read(path).splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            for link in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", link):
                    continue
                name, _, fragment = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not os.path.exists(os.path.join(ROOT, target)):
                    breach(path, number, f"the link to {link} leads nowhere")
                elif fragment and target.endswith(".md") and fragment not in headings(target):
                    breach(path, number, f"{target} has no heading #{fragment}")


def check_versions():
    """One version, wherever a package must say it."""
    version = re.search(r"project\(carillon VERSION (\S+)", read("CMakeLists.txt"))[1]
    for path, pattern in {
        "debian/changelog": r"^carillon \((.*?)-",
        "clients/python/pyproject.toml": r'^version = "(.*)"',
        "clients/python/src/carillon/__init__.py": r'^__version__ = "(.*)"',
        "clients/typescript/package.json": r'^  "version": "(.*)"',
        "deploy/helm/carillon/Chart.yaml": r'^appVersion: "(.*)"',
        "deploy/compose.yml": r"image: carillon:(.*)",
        "deploy/kubernetes/sidecar.yaml": r"image: carillon:(.*)",
        "deploy/kubernetes/cluster.yaml": r"image: carillon:(.*)",
        "docs/install.md": r"carillon:(\d\S*)",
    }.items():
        for found in re.findall(pattern, read(path), re.MULTILINE)[: 1 if path == "debian/changelog" else None]:
            if found != version:
                breach(path, 1, f"version {found}; CMakeLists.txt has {version}")


def check_build_packages():
    """What tools/setup.sh installs to build with, debian/control asks for."""
    listed = re.search(r"^build_packages=\((.*?)^\)", read("tools/setup.sh"), re.MULTILINE | re.DOTALL)[1]
    asked = re.search(r"^Build-Depends:(.*?)^\S", read("debian/control"), re.MULTILINE | re.DOTALL)[1]
    for package in re.findall(r"[a-z][-+.\w]+", listed.replace("|", " ")):
        # The compiler is there wherever packages are built.
        if package not in ("ca-certificates", "g++") and not re.search(rf"(?<!\S){re.escape(package)}(?![-+.\w])", asked):
            breach("debian/control", 1, f"tools/setup.sh has {package}, Build-Depends does not")


def check_format():
    program = shutil.which("clang-format-19")
    if program is None:
        print("house: clang-format-19 is not installed; layout is not checked", file=sys.stderr)
        return
    done = subprocess.run(
        [program, "--dry-run", "-Werror", *files(".h", ".cc")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    for path in sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", done.stderr, re.MULTILINE))):
        breach(path, 1, f"not laid out by .clang-format; clang-format-19 -i {path}")


def main():
    for check in (check_layers, check_includes, check_text, check_headers, check_functions, check_architecture,
                  check_links, check_versions, check_build_packages, check_format):
        check()
    for line in breaches:
        print(line)
    print(f"house: {len(files('.h', '.cc'))} source files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
