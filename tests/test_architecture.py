"""The house, as rules that fail: one test for each line of the postcard in docs/architecture.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The chapters of scholarships, in order: each room may import itself and those before it.
CHAPTERS = [
    "engine", "texts", "privacy", "events", "partners", "people", "documents", "programmes", "schemes", "calls", "quotas",
    "applications", "correspondence", "references", "nominations", "reviews", "allocations", "offers",
]  # fmt: skip
VERBS = ["browse", "apply", "refer", "nominate", "review", "manage", "inbox"]
# Rooms of exchange that are no verb: what all of them stand on, and the demo above them.
SITE_ROOMS = ["ui", "accounts", "notifications", "demo", "management", "static", "locale"]
FURNITURE_FREE = {"engine", "texts", "privacy"}  # they hold no tables
FORBIDDEN_NAMES = {"utils", "common", "core", "helpers", "base", "misc"}


def sources(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def imports(path: Path) -> Iterator[tuple[str, int, ast.AST]]:
    """Each imported module of the house: its dotted name and the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno, node
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node.lineno, node
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno, node


def room_of(path: Path) -> str:
    inside = path.relative_to(ROOT).parts
    return inside[1] if len(inside) > 2 else ""


def test_scholarships_never_imports_exchange():
    arrows = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources("scholarships")
        for name, line, _node in imports(path)
        if name.split(".")[0] == "exchange"
    ]

    assert arrows == []


def test_a_chapter_imports_only_itself_and_earlier_ones():
    back = []
    for path in sources("scholarships"):
        room = room_of(path)
        for name, line, _node in imports(path):
            parts = name.split(".")
            if (
                parts[0] == "scholarships"
                and len(parts) > 1
                and parts[1] in CHAPTERS
                and room
                and CHAPTERS.index(parts[1]) > CHAPTERS.index(room)
            ):
                back.append(f"{path.relative_to(ROOT)}:{line} imports {name}")

    assert back == []


def test_verb_rooms_never_import_each_other():
    across = []
    for path in sources("exchange"):
        room = room_of(path)
        for name, line, _node in imports(path):
            parts = name.split(".")
            if room in VERBS and parts[0] == "exchange" and len(parts) > 1 and parts[1] in VERBS and parts[1] != room:
                across.append(f"{path.relative_to(ROOT)}:{line} imports {name}")

    assert across == []


def test_what_all_rooms_stand_on_imports_no_verb_room():
    up = []
    for path in sources("exchange"):
        if room_of(path) in {"ui", "accounts", "notifications"}:
            up += [
                f"{path.relative_to(ROOT)}:{line} imports {name}"
                for name, line, _node in imports(path)
                if name.startswith(tuple(f"exchange.{verb}" for verb in (*VERBS, "demo")))
            ]

    assert up == []


def test_each_noun_room_has_the_same_furniture():
    missing = [
        f"{room}/{file}"
        for room in CHAPTERS
        if room not in FURNITURE_FREE
        for file in ("__init__.py", "models.py", "admin.py")
        if not (ROOT / "scholarships" / room / file).exists()
    ]

    assert missing == []


def test_each_room_says_what_it_is_for():
    unsaid = [
        str(path.relative_to(ROOT))
        for folder in ("scholarships", "exchange")
        for path in (ROOT / folder).glob("*/__init__.py")
        if path.parent.name not in {"management"} and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert unsaid == []


def test_the_engine_imports_no_django_and_no_other_room():
    outside = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources("scholarships/engine")
        for name, line, _node in imports(path)
        if name.split(".")[0] == "django" or (name.startswith("scholarships.") and not name.startswith("scholarships.engine"))
    ]

    assert outside == []


def test_no_import_stands_inside_a_function_outside_appconfig_ready():
    deferred = []
    for folder in ("scholarships", "exchange"):
        for path in sources(folder):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not (node.name == "ready" and path.name == "apps.py"):
                    deferred += [
                        f"{path.relative_to(ROOT)}:{inner.lineno}"
                        for inner in ast.walk(node)
                        if isinstance(inner, ast.Import | ast.ImportFrom)
                    ]

    assert deferred == []


def test_no_module_is_part_of_an_import_circle():
    graph: dict[str, set[str]] = {}
    modules = {
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): path
        for folder in ("scholarships", "exchange")
        for path in sources(folder)
    }
    for module, path in modules.items():
        top = ast.parse(path.read_text(encoding="utf-8")).body
        wanted = {name for node in top if isinstance(node, ast.Import | ast.ImportFrom) for name, _line, _node in _names(node)}
        graph[module] = {name for name in wanted if name in modules and name != module and not module.startswith(f"{name}.")}

    assert circles(graph) == []


def _names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, int, ast.AST]]:
    if isinstance(node, ast.Import):
        yield from ((name.name, node.lineno, node) for name in node.names)
    elif node.module and node.level == 0:
        yield node.module, node.lineno, node
        yield from ((f"{node.module}.{name.name}", node.lineno, node) for name in node.names)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> None:
        if node in path:
            found.append([*path[path.index(node) :], node])
            return
        if node in done:
            return
        for following in sorted(graph.get(node, ())):
            visit(following, [*path, node])
        done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found


def test_each_room_is_placed():
    rooms = {path.name for path in (ROOT / "scholarships").iterdir() if path.is_dir() and path.name != "__pycache__"}
    site = {path.name for path in (ROOT / "exchange").iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert rooms - set(CHAPTERS) == set()
    assert site - {*VERBS, *SITE_ROOMS} == set()


def test_nothing_is_called_utils_or_the_like():
    named = [
        str(path.relative_to(ROOT))
        for folder in ("scholarships", "exchange")
        for path in (ROOT / folder).rglob("*")
        if path.stem in FORBIDDEN_NAMES and "static" not in path.parts
    ]

    assert named == []


def test_the_top_level_is_what_its_owner_fixed():
    allowed = {
        "manage.py", "exchange", "scholarships", "templates", "tests", "requirements.txt", "README.md",
        "Makefile", "pyproject.toml", "requirements.in", "requirements-dev.in", "requirements-dev.txt", "docs", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
    }  # fmt: skip
    hidden = {
        ".ci",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".git",
        ".venv",
        ".pytest_cache",
        ".ruff_cache",
        ".mypy_cache",
        ".hypothesis",
        ".coverage",
    }

    assert {path.name for path in ROOT.iterdir()} - allowed - hidden - {"var", "__pycache__", "node_modules"} == set()
