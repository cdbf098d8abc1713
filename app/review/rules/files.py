"""Rules about the files in the image: where they go, who owns them, and which are secret."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate

from app.review.dockerfile import Dockerfile
from app.review.edit import Edit, delete, insert_above, insert_flag
from app.review.rules.rule import Problem, Severity, rule
from app.review.stage import Stage, Step
from app.review.state import State
from app.review.syntax import Instruction

# Parent folders of a file to consider. In practice, no path is deeper.
MOST_FOLDERS = 30
# A path relative to the working directory.
SCRIPT = re.compile(r"(?:\./)?[\w.-]+(?:/[\w.-]+)*\.(?:py|sh)")
# The end of the name of a variable that contains a secret, without a suffix.
SECRET = re.compile(
    r"(?:_(?:(?:ACCESS|API|ENCRYPTION|MASTER|PRIVATE|SECRET|SIGNING)_?KEY|CREDENTIALS?|SECRET|TOKEN"
    r"|(?:ALGOLIA|ANTHROPIC|AZURE|COHERE|DATADOG|DD|DEEPSEEK|FERNET|GEMINI|GOOGLE|GROQ|HF|HUGGINGFACE|JWT|LANGFUSE"
    r"|LANGSMITH|MAILGUN|MISTRAL|OPENAI|OPENROUTER|PERPLEXITY|PINECONE|POSTMARK|REPLICATE|SENDGRID|SERPAPI|STRIPE"
    r"|TAVILY|TOGETHER|TWILIO|XAI)_KEY"
    r"|(?:ADO|AZDO|AZURE|BITBUCKET|DATABRICKS|DEVOPS|DOCKER|GH|GITHUB|GITLAB|NPM)_PAT)|PASSWD|PASSWORD)$"
)
SUFFIX = re.compile(r"_(?:[0-9]+|BASE|DEFAULT|DEV|NEW|OLD|PROD|PRODUCTION|STAGING)$")
# After these words, `PASS` is a round and `PWD` a directory. After others, they are passwords.
NO_PASSWORD = ("BUILD", "FIRST", "INIT", "MULTI", "OLD", "RENDER", "SECOND", "SINGLE")
NO_SECRET = re.compile(r"PUBLIC|^_(?:ALLOW|DISABLE|ENABLE|HAS|MAX|MIN|NO|REQUIRE|USE)_")
BY_VARIABLE = "RUN --mount=type=secret during the build, and an environment variable at run time"
# The tokens of well-known services.
TOKEN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[opsu]_\w{36}|github_pat_\w{22}|glpat-[\w-]{20}|hf_[A-Za-z0-9]{30}|npm_[A-Za-z0-9]{36}"
    r"|sk-[\w-]{20}|xox[abprs]-[\w-]{10})"
)
# A password in a URL. Each word in a scheme could begin another scheme: without the limit, the time would grow with
# the square of the length.
ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,30}+://(?P<user>[^\s/:@'\"?#]*+):(?P<password>[^\s/@'\"]++)@(?P<host>[\w.-]++)",
    re.IGNORECASE,
)
# Values that are not secrets: placeholders, and the path of a file with the secret.
PLACEHOLDER = re.compile(
    r"^(?:|none|null|true|false|\d{1,4}|[-*.x]+|<.*>|/[\w.-]+(?:/[\w.-]+)*)$"
    r"|^(?:admin|guest|pass|passwd|password|postgres|pw|pwd|root|secret|token|user)$"
    r"|build|change|default|dummy|example|fake|fill|insecure|mock|not[-_ ]?(?:a|so)?[-_ ]?secret|override"
    r"|placeholder|replace|sample|temp|test|todo|unsafe|unset|xxx|your",
    re.IGNORECASE,
)
SECRET_FILE = re.compile(
    r"\.env(?:\.(?:local|prod|production|staging))?|\.git-credentials|\.netrc|\.pgpass|\.pypirc|\.vault[-_]?token"
    r"|id_(?:dsa|ecdsa|ed25519|rsa)|credentials(?:\.json)?|secrets?\.(?:env|ini|json|toml|txt|ya?ml)|service[-_]?account.*\.json"
    r"|(?!.*(?:apt|gpg|pub|repo|sign)).*(?:\.(?:key|p12|pfx|ppk)|key\.pem)",
    re.IGNORECASE,
)


@rule(
    "no-workdir",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
COPY . .
CMD ["python", "main.py"]
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
COPY . .
CMD ["python", "main.py"]
""",
)
def no_workdir(dockerfile: Dockerfile) -> Iterator[Problem]:
    """A relative path is used, but no working directory is set.

    Copied files land in `/`, among the folders of the system, and commands start there. A stage on a fresh base image
    does not inherit the WORKDIR of another stage, so set it again.
    """
    for stage in dockerfile.stages:
        if not (stage.image and stage.state.is_bare) or stage.image.official == "scratch":
            continue
        edits = None
        # If a step names /app, it may mean another folder.
        named = any("/app" in step.text for other in dockerfile.stages for step in other.steps)
        for step in stage.steps:
            instruction = step.instruction
            if step.state.workdir is not None:
                break
            if instruction.keyword in {"ADD", "COPY"} and re.match(r"[^/$]", instruction.words[-1]):
                # The WORKDIR above the first COPY also applies to the later ones.
                edits = insert_above(instruction, "WORKDIR /app") if edits is None and not named else ()
                yield Problem(
                    instruction,
                    f"{instruction.keyword} to {instruction.words[-1]} lands in /: this stage has no WORKDIR",
                    f"WORKDIR /app above this {instruction.keyword}",
                    edits=edits,
                )
    yield from _relative_start(dockerfile.published)


def _relative_start(stage: Stage) -> Iterator[Problem]:
    """Yield a problem if the container starts a file by a relative path that does not exist in `/`."""
    if not stage.state.is_bare or stage.state.workdir is not None:
        return
    folders = {step.destination: None for step in stage.history if step.instruction.keyword in {"ADD", "COPY"}}
    # With nested folders, it is unknown which one contains the file.
    if not folders or not all(folder and folder.count("/") == 1 and folder != "/" for folder in folders):
        return
    for step in stage.start_steps:
        for command in step.instruction.commands:
            script = next(filter(SCRIPT.fullmatch, command), None)
            if script and f"/{posixpath.normpath(script).partition('/')[0]}" not in folders:
                line = f"WORKDIR {next(reversed(folders))}"
                yield Problem(
                    step.instruction,
                    f"{script} is not in /, where the command starts: this stage has no WORKDIR",
                    f"{line} above this {step.instruction.keyword}",
                    edits=insert_above(step.instruction, line),
                )
                return


@rule(
    "late-chown",
    Severity.WARNING,
    bad="""
FROM python:3.12-slim
WORKDIR /app
COPY app app
RUN chown -R 10001 /app
USER 10001
""",
    good="""
FROM python:3.12-slim
WORKDIR /app
COPY --chown=10001 app app
USER 10001
""",
)
def late_chown(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The owner or mode of copied files is changed in another layer.

    A layer contains whole files, so each file whose owner or mode changes is in the image twice. `COPY --chown` and
    `COPY --chmod` set them while copying. Often neither is needed: the files that a service only reads can belong to
    root.
    """
    # By program and folder: a COPY to the folder or below it, without the flag of that name.
    copied: dict[str, dict[str, Instruction]] = {"chmod": {}, "chown": {}}
    for step in dockerfile.published.history:
        if step.destination:
            parts = step.destination.split("/")[1:MOST_FOLDERS]
            folders = [folder or "/" for folder in accumulate(parts, "{}/{}".format, initial="")]
            for program in copied.keys() - dict(step.instruction.flags):
                copied[program] |= dict.fromkeys(folders, step.instruction)
        for program, *words in step.commands:
            if program in copied and (copy := _meets(words, step.state, copied[program])):
                yield Problem(
                    step.instruction,
                    f"{program} -R stores the files from line {copy.line} a second time",
                    f"use {copy.keyword} --{program}=… in line {copy.line}",
                    edits=_while_copying(step, program, words, copy),
                )
                break


def _while_copying(step: Step, program: str, words: list[str], copy: Instruction) -> tuple[Edit, ...]:
    """Return the edits that move the only command of a RUN, with a numeric owner or mode, into the COPY."""
    plain = [word for word in words if not word.startswith("-")]
    if len(step.commands) > 1 or len(plain) != 2 or not re.fullmatch(r"\d+(?::\d*)?", plain[0]):
        return ()
    return (*insert_flag(copy, f"--{program}={plain[0]}"), *delete(step.instruction))


def _meets(words: list[str], state: State, copied: Mapping[str, Instruction]) -> Instruction | None:
    """Return the COPY whose files a `chown -R` or `chmod -R` changes, or None."""
    if not any(word == "--recursive" or re.fullmatch(r"-[^\WR]*+R\w*+", word) for word in words):
        return None
    owner_or_mode, *operands = [word for word in words if not word.startswith("-")] or [""]
    if re.fullmatch(r"[augo]*\+[rX]+", owner_or_mode):
        return None  # most files have this mode already, so nothing changes
    paths = (state.path(operand.removesuffix("*")) for operand in operands)
    return next((copied[path] for path in paths if path and path in copied), None)


@rule(
    "secret-in-image",
    Severity.ERROR,
    bad="""
FROM python:3.12-slim
ARG INDEX_TOKEN
COPY .env .
RUN pip install --index-url https://user:${INDEX_TOKEN}@packages.example/simple app
""",
    good="""
FROM python:3.12-slim
RUN --mount=type=secret,id=index,env=PIP_INDEX_URL \\
    pip install fastapi
""",
)
def secret_in_image(dockerfile: Dockerfile) -> Iterator[Problem]:
    """The published image contains a secret.

    Anyone who can pull the image can read it. The history contains ENV and ARG, and a copied file stays in its layer
    even if a later layer deletes it. Mount the secret in the RUN that needs it (`--mount=type=secret`), and pass
    secrets to the service when it starts.
    """
    ignore = dockerfile.dockerignore
    # If there is no .dockerignore at all, another rule reports it.
    takes_env = ignore is not None and bool(ignore.patterns) and not ignore.excluded([".env"])
    for step in dockerfile.published.history:
        instruction = step.instruction
        named = False
        if instruction.keyword in {"ARG", "ENV"}:
            for name, value in instruction.assignments:
                if _names_secret(name) and _is_secret(value, instruction.keyword):
                    named = True
                    yield Problem(
                        instruction,
                        f"{name} can be read in the image's history",
                        BY_VARIABLE,
                    )
        for host in _hosts_with_password(step.text):
            yield Problem(
                instruction,
                f"the password for {host} can be read in the image's history",
                BY_VARIABLE,
            )
        if not named and (found := TOKEN.search(step.text)):
            yield Problem(
                instruction,
                f"the token {found[0][:6]}… can be read in the image's history",
                BY_VARIABLE,
            )
        for source in step.context_sources:
            if SECRET_FILE.fullmatch(posixpath.basename(source)):
                yield Problem(
                    instruction,
                    f"{source} can be read in the image",
                    "RUN --mount=type=secret during the build, and a mounted file at run time; "
                    "also add it to .dockerignore",
                )
        if takes_env and step.copies_everything and not step.excluded([".env"]):
            yield Problem(
                instruction,
                ".env, if there is one, can be read in the image: .dockerignore does not exclude it",
                "add to .dockerignore: **/.env",
                Severity.WARNING,
            )


def _hosts_with_password(text: str) -> list[str]:
    """Return the hosts of the addresses that contain a password."""
    found = {
        match["host"]: None
        for match in ADDRESS.finditer(text)
        if _is_secret(match["password"], "ENV") and match["password"] != match["user"]
    }
    return list(found)


def _names_secret(name: str) -> bool:
    """Return whether a variable of this name contains a secret."""
    name = "_" + SUFFIX.sub("", name.upper())
    before, _, word = name.rpartition("_")
    is_password = word in {"PASS", "PWD"} and before.strip("_") != "" and not before.endswith(NO_PASSWORD)
    return (is_password or SECRET.search(name) is not None) and not NO_SECRET.search(name)


def _is_secret(value: str | None, keyword: str) -> bool:
    """Return whether a value may be a secret. The build sets an ARG without a value."""
    if value is None:
        return keyword == "ARG"
    return "$" not in value and not PLACEHOLDER.search(value)
