"""Data flows one way: which room may import which, held by the imports that stand in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "crossic_etl"
# Module to the modules that it imports, by dotted name; ours are named without the package.
Imports = Mapping[str, set[str]]

MOST_LINES, MOST_MODULES = 300, 8
NO_SPARK = ("training", "submit", "download", "kernels", "java")
# Who may start a command: the scripts of jobs/, which are no part of the package, and these.
STARTERS = {"__main__", "training.__main__"}


def read_imports(root: Path, lazy: bool = True) -> dict[str, set[str]]:
    """The imports of each module of the package; with ``lazy`` those inside functions too."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(root / PACKAGE).with_suffix("").parts)
        tree = ast.parse(path.read_text("utf-8"))
        nodes = ast.walk(tree) if lazy else tree.body
        found[name.removesuffix(".__init__")] = set(_imported(nodes))
    return found


def _imported(nodes: Iterable[ast.AST]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == PACKAGE or node.module.startswith(f"{PACKAGE}."):
                module = node.module.removeprefix(PACKAGE).removeprefix(".")
                yield from (f".{module}.{alias.name}".replace("..", ".") for alias in node.names)
            else:
                yield node.module


def room(module: str) -> str:
    """The first folder below the package, or the module itself."""
    return module.removeprefix(".").partition(".")[0]


def ours(imports: Imports) -> dict[str, set[str]]:
    """Module to the rooms of ours that it imports, its own left out."""
    return {
        module: {room(name) for name in names if name.startswith(".")} - {room(module)}
        for module, names in imports.items()
    }


def violations(imports: Imports) -> list[str]:
    """A line for each import that goes the wrong way, and one for a circle of rooms."""
    found = []
    for module, rooms in ours(imports).items():
        here = room(module)
        if here == "kernels":
            found += [f"{module} imports {name}" for name in sorted(rooms)]
        if here == "transforms":
            found += [f"{module} imports {name}" for name in sorted(rooms - {"kernels", "schemas"})]
        if "cli" in rooms and module not in STARTERS:
            found.append(f"{module} imports cli")
    found += [
        f"{module} imports pyspark"
        for module, names in imports.items()
        if room(module) in NO_SPARK and any(room(name) == "pyspark" for name in names)
    ]
    return found + _circles(imports)


def _circles(imports: Imports) -> list[str]:
    graph: dict[str, set[str]] = {}
    for module, rooms in ours(imports).items():
        graph.setdefault(room(module), set()).update(rooms)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"circle: {' -> '.join(error.args[1])}"]
    return []


def reaches_spark(imports: Imports, start: str) -> list[str] | None:
    """The way from a module to pyspark by what is imported when modules load; None without."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for name in sorted(imports.get(way[-1], ())):
            if room(name) == "pyspark":
                return [*way, name]
            for target in _modules(name, imports):
                if target not in seen:
                    seen.add(target)
                    ways.append([*way, target])
    return None


def _modules(name: str, imports: Imports) -> list[str]:
    """The modules that an import of ours loads: the packages above it and, if it is one, itself."""
    if not name.startswith("."):
        return []
    parts = name.removeprefix(".").split(".")
    return [module for i in range(len(parts)) if (module := ".".join(parts[: i + 1])) in imports]


IMPORTS = read_imports(ROOT)
LOADED = read_imports(ROOT, lazy=False)


def test_data_flows_one_way() -> None:
    assert violations(IMPORTS) == []


@pytest.mark.parametrize(
    ("module", "imported", "expected"),
    [
        ("kernels.text.ngrams", "pyspark.sql", ["kernels.text.ngrams imports pyspark"]),
        ("kernels.text.ngrams", ".schemas.PAGES", ["kernels.text.ngrams imports schemas"]),
        ("transforms.pairs", ".cli.run", ["transforms.pairs imports cli"] * 2),
        ("transforms.pairs", ".tables.Tables", ["transforms.pairs imports tables"]),
        ("training.run", "pyspark", ["training.run imports pyspark"]),
        ("report.make", ".cli.run.main", ["report.make imports cli"]),
    ],
)
def test_a_planted_import_is_found(module: str, imported: str, expected: list[str]) -> None:
    planted = {**IMPORTS, module: IMPORTS[module] | {imported}}
    assert [line for line in violations(planted) if "circle" not in line] == expected


def test_a_planted_circle_is_found() -> None:
    planted = {**IMPORTS, "tables.delta": IMPORTS["tables.delta"] | {".pipeline.flow"}}
    (circle,) = violations(planted)
    assert circle.startswith("circle: ") and {"tables", "pipeline"} <= set(circle.split())


@pytest.mark.parametrize("name", sorted(m for m in IMPORTS if room(m) in NO_SPARK))
def test_what_needs_no_spark_loads_none(name: str) -> None:
    assert reaches_spark(LOADED, name) is None


def test_a_way_to_spark_is_found() -> None:
    assert reaches_spark(LOADED, "pipeline.pages") is not None
    planted = {**LOADED, "submit.plan": LOADED["submit.plan"] | {".tables.Tables"}}
    way = reaches_spark(planted, "submit.plan")
    assert way and way[0] == "submit.plan" and way[-1].startswith("pyspark")


def test_the_package_has_few_modules_of_its_own() -> None:
    assert len(list((ROOT / PACKAGE).glob("*.py"))) <= MOST_MODULES


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_a_module_is_not_long(name: str) -> None:
    path = ROOT / PACKAGE / f"{name.replace('.', '/')}.py"
    path = path if path.is_file() else path.with_suffix("") / "__init__.py"
    if name == "__init__":
        path = ROOT / PACKAGE / "__init__.py"
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
