#!/usr/bin/env python3
"""Writes the models and calls of the three clients, from the OpenAPI document that the server serves.

    clients/generate.py            writes them
    clients/generate.py --check    fails where what is checked in is not what would be written

A schema becomes an interface in TypeScript, a dataclass in Python and a class in Java; an operation becomes a method.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from generator.document import Reader  # noqa: E402
from generator.java import java_calls, java_enum, java_model, java_operations  # noqa: E402
from generator.python import py_calls, py_models, py_operations  # noqa: E402
from generator.typescript import ts_calls, ts_models  # noqa: E402

CLIENTS = Path(__file__).resolve().parent
DOCUMENT = CLIENTS.parent / "api" / "openapi.json"


def generated(api):
    """Path below clients/ -> text."""
    java = "java/src/generated/java/io/carillon/client"
    files = {
        "typescript/src/models.ts": ts_models(api),
        "typescript/src/calls.ts": ts_calls(api),
        "python/src/carillon/models.py": py_models(api),
        "python/src/carillon/_operations.py": py_operations(api),
        "python/src/carillon/_calls.py": py_calls(api),
        f"{java}/Calls.java": java_calls(api),
        f"{java}/Operation.java": java_operations(api),
    }
    for model in api.models.values():
        files[f"{java}/model/{model.name}.java"] = java_model(model)
    for name, values in api.enums.items():
        files[f"{java}/model/{name}.java"] = java_enum(name, values)
    return files


def main():
    files = generated(Reader(json.loads(DOCUMENT.read_text(encoding="utf-8"))))
    old = {str(path.relative_to(CLIENTS)) for path in (CLIENTS / "java/src/generated").rglob("*.java")}
    stale = sorted(old - set(files))
    if "--check" in sys.argv[1:]:
        differ = [name for name, text in files.items()
                  if not (CLIENTS / name).exists() or (CLIENTS / name).read_text(encoding="utf-8") != text]
        for name in [*differ, *stale]:
            print(f"clients/{name} is not what clients/generate.py writes; run it")
        print(f"{len(files)} generated files, {len(differ) + len(stale)} differ")
        return 1 if differ or stale else 0
    for name in stale:
        (CLIENTS / name).unlink()
    for name, text in files.items():
        path = CLIENTS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
