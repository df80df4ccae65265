"""The documentation site: ``tox -e docs`` writes it to the folder ``site``, by mkdocs. It needs no network.

Its pages are made of what there is already: the README, the help of every command, the docstrings of the Python API,
the lessons as they run, the published results. Arguments are the lessons to show; all of them, unless some are named.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from compare.cli import make_app
from compare.lessons.run import lesson_titles, run_lessons
from compare.report.html import render_html
from tasks.registry import BUILT_IN, file_of
from tests.published import lines as published_lines
from tests.published import published
from tests.site_lessons import course, lesson

ROOT = Path(__file__).parent.parent
SITE = ROOT / "site"
PAGES = {
    "Quick start": "index.md",
    "What a run prints": "reading.md",
    "The certificate, and the check of each run": "certificate.md",
    "Commands": "commands.md",
    "Tasks": "tasks.md",
    "Several environments": "environments.md",
    "On a GPU": "gpu.md",
    "Several devices for one model": "devices.md",
    "Several machines": "machines.md",
    "Trackers": "trackers.md",
    "In Python and in notebooks": "python.md",
    "What a run leaves, and how it goes on": "runs.md",
    "Using what was trained": "models.md",
    "Two loops for each framework": "loops.md",
    "Why do they differ?": "explain.md",
    "Is my port right?": "pair.md",
    "Reading the code": "code.md",
}
"""The sections of the README by their titles, each of which is a page; the first page is what stands before them."""
FILES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "backends/TUNING.md": "tuning.md"}
COPIES = ("compare/example.ipynb", "compare/schema/results-2.json", "tasks/task.schema.json", "tasks/data/README.md")
LINKS = {**FILES, **{name: f"files/{Path(name).name}" for name in COPIES}}
LINKS |= {"compare/published": "published.md", "tasks": "task-files.md", "tasks/data/README.md": "data.md"}
API = (
    "compare.comparison.Comparison",
    "tasks.variation.sweep",
    "tasks.task.Task",
    "tasks.task.Recipe",
    "tasks.architecture",
    "tasks.layers",
    "tasks.training",
    "tasks.schedules",
    "backends.about.About",
    "backends.base.Backend",
    "backends.base.Model",
)
CONFIGURATION = {
    "site_name": "Side by Side",
    "use_directory_urls": False,
    "theme": {
        "name": "material",
        "font": False,  # the reader's own: no request leaves a page
        "features": ["navigation.sections", "content.code.copy", "content.tabs.link", "toc.follow"],
        "palette": [
            {"media": "(prefers-color-scheme: light)", "scheme": "default", "primary": "indigo"},
            {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "primary": "indigo"},
        ],
    },
    "plugins": [
        "search",
        {
            "mkdocstrings": {
                "handlers": {
                    "python": {
                        "paths": [str(ROOT)],
                        "options": {
                            "filters": ["!^_"],
                            "show_if_no_docstring": True,
                            "show_source": False,
                            "show_root_heading": True,
                            "show_root_full_path": True,
                            "heading_level": 2,
                            "docstring_section_style": "list",
                        },
                    }
                }
            }
        },
    ],
    "markdown_extensions": [
        "tables",
        "admonition",
        "attr_list",
        "pymdownx.details",
        "pymdownx.superfences",
        {"pymdownx.highlight": {"anchor_linenums": False}},
        {"pymdownx.tabbed": {"alternate_style": True}},
    ],
    "validation": {"links": {"anchors": "warn", "absolute_links": "warn", "unrecognized_links": "warn"}},
}


def main(names: Sequence[str] = (), site: Path = SITE) -> int:
    """Builds the site; broken links between its pages are errors."""
    with tempfile.TemporaryDirectory(prefix="sidebyside-site-") as scratch:
        pages = Path(scratch) / "docs"
        if failures := write_pages(pages, names):
            print("\n".join(failures), file=sys.stderr)
            return 1
        configuration = Path(scratch) / "mkdocs.yml"
        lessons = sorted((pages / "lessons").glob("*.md"), key=lambda path: list(lesson_titles()).index(path.stem))
        navigation = [
            {"Start": [{title: page} for title, page in PAGES.items()]},
            {"Lessons": ["lessons.md", *(f"lessons/{path.name}" for path in lessons)]},
            {"Published comparisons": "published.md"},
            {"Reference": ["command-line.md", "api.md", "task-files.md", "data.md", *FILES.values()]},
        ]
        whole = {**CONFIGURATION, "docs_dir": str(pages), "nav": navigation}
        configuration.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", str(configuration)]
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        status = subprocess.run([*command, "-d", str(site)], env=environment, check=False).returncode
    for page in site.rglob("*.html") if status == 0 else ():
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r":(func|class|meth|data|mod):(?=<code>)", "", text), encoding="utf-8")  # Sphinx's roles
    return status


def write_pages(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """Writes the sources of all pages; returns what went wrong in the lessons."""
    (folder / "lessons").mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "published").mkdir()
    for name, text in sections((ROOT / "README.md").read_text(encoding="utf-8")):
        (folder / PAGES[name]).write_text(linked(text), encoding="utf-8")
    for name, page in (*FILES.items(), ("tasks/data/README.md", "data.md")):
        (folder / page).write_text(linked((ROOT / name).read_text(encoding="utf-8")), encoding="utf-8")
    for name in COPIES:
        (folder / "files" / Path(name).name).write_bytes((ROOT / name).read_bytes())
    (folder / "command-line.md").write_text("\n".join(command_line()), encoding="utf-8")
    (folder / "api.md").write_text("\n".join(api()), encoding="utf-8")
    (folder / "task-files.md").write_text("\n".join(task_files()), encoding="utf-8")
    (folder / "published.md").write_text("\n".join(published_page(folder)), encoding="utf-8")
    results = run_lessons(names or None)
    for result in results:
        (folder / "lessons" / f"{result.name}.md").write_text("\n".join(lesson(result, folder)), encoding="utf-8")
    (folder / "lessons.md").write_text("\n".join(course(results)), encoding="utf-8")
    return [failure for result in results for failure in result.failures]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """The parts of the README, each with the title of its page."""
    first, *others = re.split(r"(?m)^## ", text)
    start, parts = first, {}
    for part in others:
        title, _, body = part.partition("\n")
        if title in PAGES:
            parts[title] = f"# {title}\n{body}"
        else:
            start += f"## {part}"
    yield "Quick start", start
    yield from parts.items()


def linked(text: str) -> str:
    """The text with links that lead within the site, or with none where there is nothing to lead to."""

    def replace(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if target.startswith(("http", "#")):
            return match[0]
        return f"[{words}]({LINKS[target]})" if target in LINKS else words

    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", replace, text)


def command_line() -> Iterator[str]:
    """The help of every command, as it is printed."""
    yield "# The command line\n"
    commands = [name for name in make_app() if not name.startswith("-")]
    for words in ([], *([name] for name in commands), ["envs", "create"]):
        command = [sys.executable, "-P", "-m", "compare", *words, "--help"]
        environment = {"COLUMNS": "96", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        shown_help = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        yield f"## sidebyside {' '.join(words)}\n\n```text\n{shown_help.rstrip()}\n```\n"


def api() -> Iterator[str]:
    """The Python API, from its docstrings."""
    yield "# The Python API\n"
    # Its arguments are those of a run, which are defined once, elsewhere: only the object itself has them.
    yield "::: compare.api.compare\n    options:\n      force_inspection: true\n"
    yield from (f"::: {name}\n" for name in API)


def task_files() -> Iterator[str]:
    """The built-in tasks, as their files have them."""
    yield "# The files of the built-in tasks\n"
    for name in BUILT_IN:
        yield f"## {name}\n\n```toml\n{file_of(name).read_text(encoding='utf-8').rstrip()}\n```\n"


def published_page(folder: Path) -> Iterator[str]:
    """The table of the published comparisons, and a report of each."""
    yield "# Published comparisons\n"
    yield "The full preset, three seeds, tuned loops; each accuracy is the mean.\n"
    yield from published_lines()
    for task, results in published().items():
        (folder / "published" / f"{task}.html").write_text(render_html(results, None), encoding="utf-8")
        yield f"\n- [The report of {task}](published/{task}.html)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
