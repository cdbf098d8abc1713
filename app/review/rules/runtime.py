"""Rules about the container that runs."""

from collections.abc import Iterator

from app.review.dockerfile import Dockerfile, environment
from app.review.rules.rule import Problem, Severity, rule
from app.review.variables import expand

# Official images that set no USER, so that root runs what is built on them.
ROOT_IMAGES = frozenset({"alpine", "debian", "fedora", "node", "pypy", "python", "scratch", "ubuntu"})
# Programs that start a service as somebody else.
PRIVILEGE_DROPPERS = frozenset({"gosu", "runuser", "setpriv", "su-exec"})


@rule(
    "root-user",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
CMD ["uvicorn", "app.main:app"]
""",
    good="""
FROM python:3.12-slim
RUN useradd --no-create-home --uid 10001 appuser
USER 10001
CMD ["uvicorn", "app.main:app"]
""",
)
def root_user(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image runs as root.

    Whoever breaks into the service owns the container: every file in it can be rewritten, and a hole in the
    kernel or a mounted socket leads out of it. Create a user and name it with USER.
    """
    stage = dockerfile.published
    history = list(stage.history)
    last = {instruction.keyword: instruction for instruction in history}
    start = last.get("ENTRYPOINT") or last.get("CMD")
    if start and any(program in PRIVILEGE_DROPPERS for program, *_ in start.commands):
        return
    fix = "RUN useradd --no-create-home --uid 10001 appuser, then USER 10001"
    if user := last.get("USER"):
        name = expand(user.words[0], environment(history, dockerfile.arguments))
        if name is not None and name.partition(":")[0] in {"root", "0"}:
            yield Problem(user, "the published image runs as root", fix)
    elif stage.image and stage.image.official in ROOT_IMAGES:
        yield Problem(stage.start, "the published image runs as root: it names no USER", fix)
