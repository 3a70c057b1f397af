"""The code in the README and the docs is Python, imports what is there, and runs where it is a whole program."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    for page in PAGES:
        for n, code in enumerate(BLOCK.findall(page.read_text())):
            yield pytest.param(code, id=f"{page.name}-{n}")


def whole_programs():
    for block in blocks():
        code = block.values[0]
        if re.search(r"^(print\()?(asyncio|fast_forward)\.run\(", code, re.MULTILINE) and "AsyncOpenAI()" not in code:
            yield block


@pytest.mark.parametrize("code", list(blocks()))
def test_code_in_the_docs_compiles_and_its_imports_are_there(code):
    """A block may await at its top, as a part of a program; what it imports exists."""
    tree = compile(code, "<docs>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), "<docs>", "exec"), {})


@pytest.mark.parametrize("code", list(whole_programs()))
def test_whole_programs_in_the_docs_run(code, tmp_path):
    """A block that runs an event loop does so to its end, without a key."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_there_are_whole_programs_in_the_docs():
    """The test above really runs some."""
    assert len(list(whole_programs())) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page):
    """A relative link names a file of the project."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
