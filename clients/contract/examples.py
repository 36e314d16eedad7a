#!/usr/bin/env python3
"""Runs what a client shows, as it stands: the blocks of its README that are marked as examples, the programs in its
examples/, and its own tests.

    examples.py typescript|python|java BIN_DIRECTORY BUILD_DIRECTORY

BUILD_DIRECTORY is where clients/build.sh has built. The examples' server and receiver are started here.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from servers import Carillond, Listener

CLIENTS = Path(__file__).resolve().parent.parent
FENCES = {"typescript": "ts", "python": "python", "java": "java"}


class Sink(Listener):
    def answer(self, request):
        request.reply(204)


def blocks(readme, fence, addresses):
    text = readme.read_text(encoding="utf-8")
    for shown, real in addresses.items():
        text = text.replace(shown, real)
    found = re.findall(rf"^```{fence} example\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"no examples in {readme}"
    return found


def run(name, command, folder, environment):
    print(f"== {name}", flush=True)
    done = subprocess.run(command, cwd=folder, env=environment, timeout=120, check=False)
    if done.returncode != 0:
        sys.exit(f"{name} ended with {done.returncode}")


def typescript(folder, examples, build, environment):
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "carillon-client").symlink_to(build / "typescript")
    (folder / "package.json").write_text('{"type": "module"}')
    for at, text in enumerate(examples):
        (folder / f"readme-{at + 1}.ts").write_text(text, encoding="utf-8")
    sources = [*(CLIENTS / "typescript/examples").glob("*.ts"), *(CLIENTS / "typescript/test").glob("*.ts")]
    for path in [*sources, *(CLIENTS / "typescript/test").glob("*.test.mjs")]:
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    modules = CLIENTS / "typescript/node_modules"
    options = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"]
    options += ["--typeRoots", str(modules / "@types")]
    run("tsc", [str(modules / ".bin/tsc"), *options, *map(str, sorted(folder.glob("*.ts")))], folder, environment)
    for path in sorted([*folder.glob("*.js"), *folder.glob("*.test.mjs")]):
        run(path.name, ["node", path.name], folder, environment)


def python(folder, examples, _, environment):
    environment = {**environment, "PYTHONPATH": str(CLIENTS / "python/src"), "PYTHONDONTWRITEBYTECODE": "1"}
    for at, text in enumerate(examples):
        (folder / f"readme_{at + 1}.py").write_text(text, encoding="utf-8")
    ours = [*(CLIENTS / "python/examples").glob("*.py"), CLIENTS / "python/test/own_test.py"]
    for path in sorted([*folder.glob("*.py"), *ours]):
        run(path.name, [sys.executable, "-W", "error::DeprecationWarning", str(path)], folder, environment)


def java(folder, examples, build, environment):
    for text in examples:
        name = re.search(r"^public (?:final )?class (\w+)", text, re.MULTILINE)[1]
        (folder / f"{name}.java").write_text(text, encoding="utf-8")
    ours = [*(CLIENTS / "java/examples").glob("*.java"), CLIENTS / "java/test/OwnTest.java"]
    sources = sorted([*folder.glob("*.java"), *ours])
    jar = str(build / "java/carillon-client.jar")
    run("javac", ["javac", "-Xlint:all", "-cp", jar, "-d", str(folder), *map(str, sources)], folder, environment)
    for path in sources:
        command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{jar}:{folder}", path.stem]
        run(path.name, command, folder, environment)


def main():
    language, programs, build = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    binary = str(programs / "carillond")
    server, sink = Carillond(binary), Sink()
    try:
        addresses = {"http://127.0.0.1:8080": server.url, "http://127.0.0.1:9000": sink.url}
        examples = blocks(CLIENTS / language / "README.md", FENCES[language], addresses)
        with tempfile.TemporaryDirectory(prefix="carillon-examples-") as folder:
            globals()[language](Path(folder), examples, build, {**os.environ, "CARILLOND": binary})
    finally:
        sink.stop()
        server.stop()
    print(f"all of {language} ran")


if __name__ == "__main__":
    main()
