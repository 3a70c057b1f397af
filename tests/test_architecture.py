"""Enforce the floors: a module imports its own floor or lower ones, and says which rule broke."""

import ast
from pathlib import Path

import openai_realtime_api_utils

PACKAGE = "openai_realtime_api_utils"
ROOT = Path(openai_realtime_api_utils.__file__).parent

FLOORS = {
    0: {"errors", "clock", "events", "handlers", "ports"},
    1: {"audio", "recording"},
    2: {"state"},
    3: {
        "hooks",
        "hooked_session",
        "chain",
        "tasks",
        "thread_switching",
        "closing",
        "log_errors",
        "slow_handlers",
        "fast_connection",
        "host",
        "tools",
        "builders",
        "resume",
        "plain_connection",
    },
    4: {"middlewares"},
    5: {"simulator"},
    6: {"testing", "console", "gateway"},
    7: {"cli"},
}
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names}
SIMULATOR_SEES = FLOORS[0] | FLOORS[1] | {"simulator"}
NO_IO = {
    "asyncio",
    "threading",
    "socket",
    "selectors",
    "subprocess",
    "multiprocessing",
    "sounddevice",
    "rtmixer",
    "anyio",
}
MAY_TOUCH_THE_LOOP = {"clock"}  # it is what the others wait on
FORBIDDEN_NAMES = {"utils", "helpers", "shared", "common"}


def modules() -> list[tuple[Path, str, ast.Module]]:
    """Return (path, top-level name inside the package, syntax tree) of every module but the facade."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        if relative != Path("__init__.py"):
            found.append((relative, relative.parts[0].removesuffix(".py"), ast.parse(path.read_text())))
    return found


def imports(path: Path, tree: ast.Module) -> set[str]:
    """Return the absolute dotted names that a module imports anywhere in it, type checking included."""
    package = [PACKAGE, *path.parts[:-1]]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            names |= {".".join([*base, *([node.module] if node.module else []), alias.name]) for alias in node.names}
    return names


def inside(name: str) -> str | None:
    """Return the top-level name inside the package that a dotted name belongs to; None outside of it."""
    parts = name.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 else None


def test_every_module_has_a_floor():
    """A new top-level name must be given a floor here."""
    assert {str(path) for path, top, _ in modules() if top not in FLOOR_OF} == set()


def test_no_module_imports_upward():
    """A module imports its own floor or lower ones."""
    broken = [
        f"{path} (floor {FLOOR_OF[top]}) imports {name} (floor {FLOOR_OF[used]})"
        for path, top, tree in modules()
        for name in imports(path, tree)
        if (used := inside(name)) in FLOOR_OF and FLOOR_OF[used] > FLOOR_OF[top]
    ]
    assert broken == []


def test_simulator_shares_nothing_with_the_client():
    """The simulator sees floors 0 and 1 only, so that both ends cannot share a misreading."""
    broken = [
        f"{path} imports {name}"
        for path, top, tree in modules()
        if top == "simulator"
        for name in imports(path, tree)
        if (used := inside(name)) is not None and used not in SIMULATOR_SEES
    ]
    assert broken == []


def test_client_does_not_know_the_simulator():
    """Floors 0 to 4 work without the simulator."""
    broken = [
        f"{path} imports {name}"
        for path, top, tree in modules()
        if FLOOR_OF[top] < FLOOR_OF["simulator"]
        for name in imports(path, tree)
        if inside(name) == "simulator"
    ]
    assert broken == []


def test_lower_floors_do_no_io():
    """Floors 0 to 2 touch no event loop, thread, socket or device, and open no file."""
    broken = []
    for path, top, tree in modules():
        if FLOOR_OF[top] > 2 or top in MAY_TOUCH_THE_LOOP:
            continue
        broken += [f"{path} imports {name}" for name in imports(path, tree) if name.split(".")[0] in NO_IO]
        broken += [
            f"{path}:{node.lineno} opens a file"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
        ]
    assert broken == []


def test_only_clocks_ask_the_loop_for_the_time():
    """Every wait goes through an injected clock."""
    broken = [
        f"{path}:{node.lineno} reads the event loop's time"
        for path, top, tree in modules()
        if top not in {"clock", "host"}
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"call_later", "call_at"})
        or (isinstance(node, ast.Attribute) and node.attr == "time" and ast.unparse(node.value).endswith("loop"))
    ]
    assert broken == []


def test_assert_is_never_a_check():
    """``assert`` vanishes under -O: what must hold raises an error with a sentence."""
    broken = [f"{path}:{n.lineno}" for path, _, tree in modules() for n in ast.walk(tree) if isinstance(n, ast.Assert)]
    assert broken == []


def test_names_say_what_is_inside():
    """No module is a drawer for odds and ends."""
    stems = {part.removesuffix(".py") for path, _, _ in modules() for part in path.parts}
    assert stems & FORBIDDEN_NAMES == set()


def test_files_stay_small():
    """A file past 300 lines holds a second thing."""
    long = {str(path): n for path, _, _ in modules() if (n := len((ROOT / path).read_text().splitlines())) > 300}
    assert long == {}
