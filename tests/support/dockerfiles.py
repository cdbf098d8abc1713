"""Hypothesis strategies for Dockerfiles and .dockerignore files."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

# Do not keep a database between runs, because the folder may be read-only.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))
tried = settings(max_examples=50, deadline=None, derandomize=True, database=None)

INSTRUCTIONS = [
    *("FROM python:3 AS x", "from x", "FROM --platform=a $A as y", "WORKDIR /a b", "USER a:b", "EXPOSE 80 81/udp"),
    *("ARG A", "ARG A=1 B", "ENV A=$A", "ENV A b c", 'ENV A="b c" D=e\\ f', "LABEL a=b \\\n# c\n\n d=e"),
    *("COPY . .", "COPY --from=0 a b", "COPY --link --exclude='a b' c d", "COPY <<E <<-F /x\n# a\nE\n\tb\n\tF"),
    *('ADD ["a b", "c"]', 'VOLUME ["a"]', "ONBUILD RUN <<E\na\nE", "STOPSIGNAL --a 9", 'SHELL ["sh", "-c"]'),
    *("RUN pip install a", "RUN --mount=type=cache,target=/a,x pip install a", "RUN apt-get update", "RUN -- --a"),
    *("RUN \\\n  a \\\n  # b\n  && c", "RUN <<E\r\npip install a\r\nE", "RUN sh -c 'a; b'", "RUN a <<-'E F'\n\tE F"),
    *(
        "CMD",
        "CMD []",
        'CMD ["a", "b"]',
        "HEALTHCHECK NONE",
        "HEALTHCHECK --interval=1s CMD a",
        "# a",
        "\t#b # c",
        "#",
        "",
    ),
]
# Numbers that Python cannot parse, or that Python parses but Docker does not.
NUMBERS = ["9" * 5000, "0" * 5000, "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT THREE}", "1_0", "1e999", "-1", "3.12"]
NUMBERED = [
    "FROM python:{}-slim\nRUN adduser a",
    "RUN --mount=type=cache,target=/root/.cache/pip,uid={} pip install a",
    "COPY --from={} a b",
    "USER {}:{}",
    "CMD [{}]",
    "RUN useradd -u {} a\nUSER a",
]
# Instructions that the JSON parser or a rule reads, and the text to repeat in them.
OPENED = [
    "HEALTHCHECK CMD ",
    "CMD ",
    "RUN ",
    "COPY --from=a ",
    "RUN --mount=",
    "ENV A=",
    "WORKDIR ",
    "USER ",
    "SHELL [",
]
REPEATED = [
    *"[{(\"'$\\<`",
    '["',
    "$(",
    "${A:-",
    "sh -c '",
    "a=(",
    "<<E ",
    "/a",
    "a ",
    "sudo ",
    "-m",
    "\x0b",
    "\x85",
    "\u2028",
]
ESCAPED = ["\\ud800", "\\udfff.key", "\\u0000", "\\u2028", "\\u001b[31m", "\\ud83d\\ude00", ".env", "a"]
SIGNS = [*" \t\r'\"[]${};&|>#=", "\\\\", '\\"', "\\$", "${A:-", "--", "a", "é", "sh -c "]
WRONG = [
    "\n",
    "\\",
    "\\\n",
    "# escape=`\n",
    "`\n",
    "<<E",
    "<<-",
    "COPY",
    "CMD [1]",
    "FROM a b",
    "\0",
    "\ufeff",
    "\ud800",
]

arguments = st.lists(st.sampled_from(SIGNS)).map("".join)
runs = st.builds("{} {}".format, st.sampled_from(["RUN", "CMD", "USER a", "ARG a"]), arguments)
numbered = st.builds(
    lambda text, number: text.format(number, number), st.sampled_from(NUMBERED), st.sampled_from(NUMBERS)
)
repeated = st.builds(
    lambda start, unit, count, end: start + unit * count + end,
    st.sampled_from(OPENED),
    st.sampled_from(REPEATED),
    st.sampled_from([2, 5000]),
    st.sampled_from(["", "]" * 5000, " a", "\n"]),
)
escaped = st.builds(
    '{} ["{}", "{}"]'.format,
    st.sampled_from(["COPY", "ADD", "CMD", "RUN", "HEALTHCHECK CMD"]),
    st.sampled_from(ESCAPED),
    st.sampled_from(ESCAPED),
)
dockerfiles = st.lists(st.sampled_from(INSTRUCTIONS) | runs, max_size=12).map("\n".join)
# Texts that may break the reviewer, with instructions that make rules read them.
hostile = st.lists(numbered | repeated | escaped | st.sampled_from(INSTRUCTIONS), min_size=1, max_size=3).map(
    lambda lines: "\n".join(["FROM python:3.12-slim", *lines])
)
heaps = st.lists(st.sampled_from([*INSTRUCTIONS, *SIGNS, *WRONG])).map("".join)
texts = st.text() | heaps | dockerfiles
patterns = st.lists(st.sampled_from([*"ab*?[]^-!./\\\n\0", "**", "**/", "[a-b]", "\n!"])).map("".join)
paths = st.lists(st.text("ab./", min_size=1, max_size=8), max_size=4)

# Steps for which rules have fixes, in any order.
FIXABLE = [
    "WORKDIR /app",
    "COPY . .",
    "COPY app /app",
    "COPY requirements.txt .",
    "RUN apt-get update && apt-get install -y libpq5",
    "RUN apt-get update",
    "RUN apt-get install -y libpq5",
    "RUN pip install --no-cache-dir -r requirements.txt",
    "RUN pip install \\\n    --no-cache-dir \\\n    fastapi",
    "RUN pip install a && uv sync --no-cache",
    "RUN <<E\npip install a\nE",
    "RUN --mount=type=cache,target=/root/.cache/pip \\\n    # why\n    pip install a --no-cache-dir",
    "RUN chown -R 10001 /app",
    "RUN adduser --disabled-password --gecos '' app",
    "RUN useradd --uid 10001 app",
    "RUN . /opt/venv/bin/activate",
    "RUN source /etc/os-release && true",
    "USER app",
    "USER 10001",
    "USER root",
    "ARG NAME",
    "COPY x /$NAME",
    "ENV PYTHONUNBUFFERED=",
    "HEALTHCHECK CMD curl -f http://localhost:8000/",
    "EXPOSE 8000",
    "CMD uvicorn app:app --reload",
    "CMD ['python', '-m', 'app']",
    'CMD ["gunicorn", "--bind", "127.0.0.1:$PORT", "app"]',
    'CMD ["uvicorn", "app:app"]',
    "CMD sh -c 'a && uvicorn app:app'",
    'ENTRYPOINT ["tini", "--"]',
    "# review-ignore: root-user it is a test",
    "",
]
FIRST = [
    "FROM python:3.12-slim",
    "FROM python:3.12",
    "FROM python:3.11-alpine AS a",
    "FROM company/base",
    "FROM a AS b",
]
fixable = st.builds(
    lambda head, parts: "\n".join([head, *parts, ""]),
    st.sampled_from(["FROM python:3.12-slim AS a", "ARG NAME=x\nFROM python:3.12 AS a", "# c\nFROM debian AS a"]),
    st.lists(st.sampled_from(FIXABLE + FIRST), max_size=12),
)
