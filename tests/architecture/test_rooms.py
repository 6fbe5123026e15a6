"""Each kind of work has its room: only `cli/` prints, only `storage.py` writes, only `chance.py` makes generators."""

import ast
from collections.abc import Iterator

from .sources import CORE, EXAMPLES, PLUGINS, assert_none, files, parsed, place

# what is done -> files and folders of core that may do it; plugins may do none of it
ROOMS = {
    "prints or exits": ("cli/",),
    "runs backward": ("training/",),
    "steps an optimiser": ("training/",),
    "makes or seeds random generators": ("chance.py",),
    "writes files": ("storage.py",),
    "reads files": ("storage.py", "config.py", "data/", "features/", "output/", "audit/"),
    "imports by name": ("registry.py", "cli/app.py"),
    "catches every exception": ("cli/", "registry.py", "executors/"),
}
PRINTING = {"print", "exit", "quit"}
CHANCE = {"Generator", "manual_seed", "manual_seed_all", "default_rng", "RandomState", "set_rng_state", "fork_rng"}
TORCH_DRAWS = {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "multinomial"}
WRITING = {"write_text", "write_bytes", "mkdir", "makedirs", "touch", "symlink_to"}
WRITING |= {"rename", "unlink", "rmdir", "rmtree"}
READING = {"read_text", "read_bytes"}


# code -> what the walk must see in it
PLANTED = {
    "print('x')": "prints or exits",
    "sys.exit(1)": "prints or exits",
    "typer.echo('x')": "prints or exits",
    "loss.backward()": "runs backward",
    "self.optimizer.step()": "steps an optimiser",
    "torch.Generator()": "makes or seeds random generators",
    "torch.randn(3)": "makes or seeds random generators",
    "np.random.rand(3)": "makes or seeds random generators",
    "random.random()": "makes or seeds random generators",
    "path.write_text('x')": "writes files",
    "open('x', 'w')": "writes files",
    "path.open('rb')": "reads files",
    "importlib.import_module('x')": "imports by name",
    "try:\n    pass\nexcept Exception:\n    pass": "catches every exception",
    "try:\n    pass\nexcept:\n    pass": "catches every exception",
}


def test_everything_is_done_in_its_room():
    seen = {code: {action for action, _ in actions(ast.parse(code))} for code in PLANTED}
    assert_none(f"not seen in {code!r}: {action}" for code, action in PLANTED.items() if action not in seen[code])
    assert_none(misplaced())


def misplaced() -> Iterator[str]:
    """Lines of core, plugins and examples that do what only another room may do."""
    for path in files(CORE, *PLUGINS, *EXAMPLES):
        room = path.relative_to(CORE).as_posix() if path.is_relative_to(CORE) else None
        for action, line in actions(parsed(path)):
            if room is None or not room.startswith(ROOMS[action]):
                yield f"{place(path, line)} {action}"


def actions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What a module does that only one room may do, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node):
            yield "catches every exception", node.lineno
        elif isinstance(node, ast.Call):
            yield from ((action, node.lineno) for action in _actions_of_call(node))


def _catches_all(node: ast.ExceptHandler) -> bool:
    names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    swallows = not any(isinstance(child, ast.Raise) and child.exc is None for child in ast.walk(node))
    return any(name is None or getattr(name, "id", "") in ("Exception", "BaseException") for name in names) and swallows


def _actions_of_call(node: ast.Call) -> Iterator[str]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    if (name in PRINTING and not owner) or owner in ("sys.stdout", "sys.stderr") or (owner, name) == ("sys", "exit"):
        yield "prints or exits"
    if name == "echo" or (owner, name) == ("os", "_exit"):
        yield "prints or exits"
    if name == "backward":
        yield "runs backward"
    if name == "step" and "optim" in owner:
        yield "steps an optimiser"
    if name in CHANCE or owner in ("np.random", "numpy.random", "random"):
        yield "makes or seeds random generators"
    if owner == "torch" and name in TORCH_DRAWS and "generator" not in {word.arg for word in node.keywords}:
        yield "makes or seeds random generators"
    yield from _actions_with_files(node, owner, name)


def _actions_with_files(node: ast.Call, owner: str, name: str) -> Iterator[str]:
    if name == "import_module":
        yield "imports by name"
    if name == "open" and owner != "Image":
        yield "writes files" if _mode(node) & set("wax+") else "reads files"
    if (owner and name in WRITING) or (owner, name) in (("os", "replace"), ("os", "remove"), ("shutil", "copyfile")):
        yield "writes files"
    if owner and name in READING:
        yield "reads files"


def _mode(node: ast.Call) -> set[str]:
    literals = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    literals += [
        word.value.value for word in node.keywords if word.arg == "mode" and isinstance(word.value, ast.Constant)
    ]
    return {letter for literal in literals if isinstance(literal, str) and len(literal) <= 3 for letter in literal}
