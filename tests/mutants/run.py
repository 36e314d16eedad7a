#!/usr/bin/env python3
"""The mutants: small changes that each break one promise, and the test that catches each.

    tests/mutants/run.py list            prints them
    tests/mutants/run.py check           that each still applies to this checkout
    tests/mutants/run.py run [NAME...]   builds each in a copy, and demands that its test fails

Each is a patch beside this file that begins with two lines, "Promise:" and "Caught by:", the latter a
program in the build's bin/ and its arguments. A mutant that nothing catches shows a promise that nothing
tests. `run` copies what is committed to build/mutants and builds there; first it runs every test
unchanged, which must pass.
"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COPY = os.path.join(ROOT, "build", "mutants")
TEST_SECONDS_MAX = 600


def mutants():
    """Name, promise, command and path of each, by name."""
    found = []
    for file in sorted(os.listdir(HERE)):
        name, ending = os.path.splitext(file)
        if ending != ".patch":
            continue
        path = os.path.join(HERE, file)
        with open(path, encoding="utf-8") as patch:
            promise, caught_by = patch.readline(), patch.readline()
        if not promise.startswith("Promise: ") or not caught_by.startswith("Caught by: "):
            sys.exit(f"{path}: does not begin with Promise: and Caught by:")
        found.append((name, promise.split(": ", 1)[1].strip(), caught_by.split(": ", 1)[1].split(), path))
    return found


def print_list(all_of_them):
    for name, promise, command, _ in all_of_them:
        print(f"{name}\n    breaks     {promise}\n    caught by  {' '.join(command)}")
    print(f"{len(all_of_them)} mutants")


def check(all_of_them):
    stale = []
    for name, _, _, path in all_of_them:
        done = subprocess.run(["git", "apply", "--check", path], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            stale.append(f"{name}: {done.stderr.strip()}")
    print("\n".join(stale) if stale else f"all {len(all_of_them)} mutants apply")
    return not stale


def git(*arguments):
    subprocess.run(["git", *arguments], cwd=COPY, check=True, capture_output=True)


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
    for command in sorted({tuple(command) for _, _, command, _ in chosen}):
        failure = build(command[0])
        if failure is not None or not passes(command):
            bad += 1
            print(f"{' '.join(command)}: does not pass unchanged", failure or "", flush=True)
    for name, promise, command, path in chosen:
        began = time.monotonic()
        git("checkout", "--quiet", "--force", "FETCH_HEAD")
        git("apply", path)
        failure = build(command[0])
        if failure is not None:
            verdict = "DOES NOT BUILD\n" + failure
        elif passes(command):
            verdict = "SURVIVED"
        else:
            verdict = "caught"
        bad += verdict != "caught"
        print(f"{verdict:9}{time.monotonic() - began:6.0f} s  {name}: {promise}", flush=True)
    git("checkout", "--quiet", "--force", "FETCH_HEAD")
    print(f"{len(chosen)} mutants, {bad} not caught")
    return bad == 0


def main():
    all_of_them = mutants()
    verb, names = (sys.argv[1:2] or ["list"])[0], sys.argv[2:]
    if verb == "list":
        print_list(all_of_them)
    elif verb == "check":
        sys.exit(0 if check(all_of_them) else 1)
    elif verb == "run":
        chosen = [mutant for mutant in all_of_them if not names or mutant[0] in names]
        sys.exit(0 if chosen and run(chosen) else 1)
    else:
        sys.exit(__doc__)


main()
