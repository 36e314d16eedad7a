#!/usr/bin/env python3
"""The mutants: small changes that each break one promise, and the test that catches each.

    tests/mutants/run.py list            prints them
    tests/mutants/run.py check           that each still fits this checkout
    tests/mutants/run.py run [NAME...]   builds each in a copy, and demands that its test fails

Each is a file NAME.mutant beside this one. It begins with two lines, "Promise:" and "Caught by:", the
latter a program in the build's bin/ and its arguments. Then come the changes, separated by empty lines:
lines that begin with "-" are taken out and those with "+" put in their place; those with " " stay and say
where. A change names no file, since code moves: its lines must be in the sources exactly once, however
they are indented.

A mutant that nothing catches shows a promise that nothing tests. `run` copies what is committed to
build/mutants and builds there; first it runs every test unchanged, which must pass.
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COPY = os.path.join(ROOT, "build", "mutants")
NOT_MUTATED = {"tests", "bench", "build", "docs"}
TEST_SECONDS_MAX = 600


class Mutant:
    def __init__(self, name, text):
        self.name = name
        head, *changes = text.strip("\n").split("\n\n")
        promise, caught_by = head.split("\n")
        if not promise.startswith("Promise: ") or not caught_by.startswith("Caught by: ") or not changes:
            sys.exit(f"{name}: does not begin with Promise: and Caught by:, with a change behind them")
        self.promise = promise.removeprefix("Promise: ")
        self.command = caught_by.removeprefix("Caught by: ").split()
        self.changes = [change.split("\n") for change in changes]

    def apply(self, sources):
        """Changes `sources`, lines by path. Answers what it changed; raises ValueError where it does not fit."""
        changed = set()
        for change in self.changes:
            path, begin = place_of(change, sources)
            end, put = begin, []
            for line in change:
                if line[0] == "+":
                    put.append(line[1:])
                    continue
                if line[0] == " ":
                    put.append(sources[path][end])
                end += 1
            sources[path][begin:end] = put
            changed.add(path)
        return changed


def place_of(change, sources):
    wanted = [line[1:].strip() for line in change if line[0] != "+"]
    found = []
    for path, lines in sources.items():
        stripped = [line.strip() for line in lines]
        for at in range(len(lines) - len(wanted) + 1):
            if stripped[at] == wanted[0] and stripped[at:at + len(wanted)] == wanted:
                found.append((path, at))
    if len(found) != 1:
        raise ValueError(f"its lines are there {len(found)} times, not once: {wanted[0]}")
    return found[0]


def read_sources(root):
    listed = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=root, check=True, capture_output=True, text=True)
    sources = {}
    for path in listed.stdout.split():
        if path.split("/")[0] not in NOT_MUTATED and os.path.exists(os.path.join(root, path)):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                sources[path] = file.read().split("\n")
    return sources


def read_mutants():
    found = []
    for file in sorted(os.listdir(HERE)):
        name, ending = os.path.splitext(file)
        if ending == ".mutant":
            with open(os.path.join(HERE, file), encoding="utf-8") as text:
                found.append(Mutant(name, text.read()))
    return found


def print_list(mutants):
    for mutant in mutants:
        print(f"{mutant.name}\n    breaks     {mutant.promise}\n    caught by  {' '.join(mutant.command)}")
    print(f"{len(mutants)} mutants")


def check(mutants):
    stale = []
    sources = read_sources(ROOT)
    for mutant in mutants:
        try:
            mutant.apply({path: list(lines) for path, lines in sources.items()})
        except ValueError as why:
            stale.append(f"{mutant.name}: {why}")
    print("\n".join(stale) if stale else f"all {len(mutants)} mutants fit")
    return not stale


def git(*arguments):
    subprocess.run(["git", *arguments], cwd=COPY, check=True, capture_output=True)


def mutate(mutant):
    sources = read_sources(COPY)
    for path in mutant.apply(sources):
        with open(os.path.join(COPY, path), "w", encoding="utf-8") as file:
            file.write("\n".join(sources[path]))


def build(program):
    """None, or what the compiler said."""
    done = subprocess.run(
        ["cmake", "--build", "build/release", "--target", program, "--", "--quiet"],
        cwd=COPY, capture_output=True, text=True,
    )
    return None if done.returncode == 0 else done.stdout[-2000:] + done.stderr[-2000:]


def passes(command):
    program = os.path.join("build", "release", "bin", command[0])
    try:
        done = subprocess.run([program, *command[1:]], cwd=COPY, capture_output=True, timeout=TEST_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def prepare():
    os.makedirs(os.path.dirname(COPY), exist_ok=True)
    if not os.path.isdir(os.path.join(COPY, ".git")):
        subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, COPY], check=True)
    git("fetch", "--quiet", "origin", "HEAD")
    git("checkout", "--quiet", "--force", "FETCH_HEAD")
    configured = subprocess.run(["cmake", "--preset", "release"], cwd=COPY, capture_output=True, text=True)
    if configured.returncode != 0:
        sys.exit(configured.stdout + configured.stderr)


def run(chosen):
    prepare()
    bad = 0
    for command in sorted({tuple(mutant.command) for mutant in chosen}):
        failure = build(command[0])
        if failure is not None or not passes(command):
            bad += 1
            print(f"{' '.join(command)}: does not pass unchanged", failure or "", flush=True)
    for mutant in chosen:
        began = time.monotonic()
        git("checkout", "--quiet", "--force", "FETCH_HEAD")
        mutate(mutant)
        failure = build(mutant.command[0])
        if failure is not None:
            verdict = "DOES NOT BUILD\n" + failure
        elif passes(mutant.command):
            verdict = "SURVIVED"
        else:
            verdict = "caught"
        bad += verdict != "caught"
        print(f"{verdict:9}{time.monotonic() - began:6.0f} s  {mutant.name}: {mutant.promise}", flush=True)
    git("checkout", "--quiet", "--force", "FETCH_HEAD")
    print(f"{len(chosen)} mutants, {bad} not caught")
    return bad == 0


def main():
    mutants = read_mutants()
    verb, names = (sys.argv[1:2] or ["list"])[0], sys.argv[2:]
    if verb == "list":
        print_list(mutants)
    elif verb == "check":
        sys.exit(0 if check(mutants) else 1)
    elif verb == "run":
        chosen = [mutant for mutant in mutants if not names or mutant.name in names]
        sys.exit(0 if chosen and run(chosen) else 1)
    else:
        sys.exit(__doc__)


main()
