"""Rules about the files in the image."""

import pytest

from app.review.report import review
from tests.unit.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "WORKDIR /app\nCOPY . .", []),
        (SLIM + "WORKDIR $FOLDER\nCOPY . .", []),
        (SLIM + "COPY . /app", []),
        (SLIM + "COPY . $FOLDER", []),
        ("FROM python:slim AS base\nWORKDIR /app\nFROM base\nCOPY . .", []),
        ("FROM company/base\nCOPY . .", []),  # unknown
        ("FROM scratch\nCOPY --from=a /out .", []),  # it only exports files
        ("FROM python:3.12-windowsservercore\nCOPY . app", []),
        ("FROM ghcr.io/astral-sh/uv:0.9\nCOPY . .", []),  # it sets one
        ("FROM company/base AS a\nWORKDIR app\nFROM a\nCOPY . .", []),  # unknown
        (SLIM + "ADD https://example.com/a.tar.gz /tmp/", []),
        (SLIM + 'WORKDIR /srv\nCOPY app app\nCMD ["python", "main.py"]', []),
        (SLIM + 'COPY app /srv/app\nCMD ["python", "main.py"]', []),  # unknown
        (SLIM + 'CMD ["python", "main.py"]', []),  # unknown
        (SLIM + 'COPY main.py /\nCMD ["python", "main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["python", "/app/main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["python", "app/main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["uvicorn", "app.main:app"]', []),
        (SLIM + 'COPY app $FOLDER\nCMD ["python", "main.py"]', []),  # unknown
        ('FROM company/base\nCOPY app /app\nCMD ["python", "main.py"]', []),  # unknown
        ('ARG I\nFROM $I\nCOPY app /app\nCMD ["python", "main.py"]', []),  # unknown
        (SLIM + "COPY . .", [2]),
        (SLIM + 'COPY ["a", "b", "./"]', [2]),
        ("FROM gcr.io/distroless/python3\nCOPY app app", [2]),
        ("FROM python:slim AS base\nFROM base\nCOPY app app\nFROM scratch", [3]),
        (SLIM + "COPY app app\nADD x ./x\nWORKDIR /app\nCOPY y y", [2, 3]),
        ("FROM python:slim AS base\nWORKDIR /app\nFROM python:slim\nCOPY . .", [4]),
        (SLIM + 'COPY app /app\nCMD ["python", "main.py"]', [3]),
        (SLIM + "COPY . /srv\nENTRYPOINT ./run.sh", [3]),
    ],
)
def test_no_workdir(dockerfile: str, expected: list[int]) -> None:
    assert lines("no-workdir", dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("COPY --chown=1 . /app", []),
        ("RUN chown -R 1 /app\nCOPY . /app", []),
        ("COPY . /app\nRUN mkdir /data && chown -R 1 /data", []),
        ("COPY . /app\nRUN chown 1 /app", []),  # not recursive
        ("COPY . /app\nRUN chmod +x /app/start.sh", []),
        ("COPY . /app\nRUN chown -R 1 /app/media", []),  # the folder may be new
        ("COPY . /app\nRUN chown -R 1 $FOLDER", []),  # unknown
        ("COPY . /application\nRUN chown -R 1 /app", []),
        ("COPY . /app\nRUN chown -R 1 /app\nFROM python:slim", []),  # the builder is not published
        ("FROM company/base\nCOPY . .\nRUN chown -R 1 /data", []),  # unknown
        ("COPY --chown=1 . /app\nRUN chown -R 1 /app", []),  # this changes nothing
        ("COPY --chmod=755 . /app\nRUN chmod -R 755 /app", []),
        ("COPY . /app\nRUN chmod -R a+rX /app", []),  # this usually changes nothing
        ("COPY . /app\nRUN chmod -R /app", []),
        ("COPY . /app\nRUN chgrp -R 1 /data && chown -R", []),
        ("COPY . /app\nWORKDIR /srv\nRUN chown -R 1 .", []),
        ("RUN chown -R 1 /app && cp -r /src /app", []),
        ("COPY . /app\nRUN cp -R /x /app && grep -R x /app", []),
        ("COPY . /app\nRUN chown -R 1 /app", [3]),
        ("COPY . /app\nRUN chown -R 1:1 /app/ && true", [3]),
        ("COPY . /app\nRUN chmod -R 755 /app", [3]),
        ("COPY . /app\nRUN chmod -R g=u /app", [3]),
        ("COPY . /app\nRUN chmod -R u+x /app", [3]),
        ("COPY --chown=1 . /app\nRUN chmod -R 700 /app", [3]),
        ("COPY --chmod=700 . /app\nRUN chown -R 1 /app", [3]),
        ("COPY --from=a /x /app/x\nRUN mkdir /data && chown -R 1 /data /app", [3]),
        ("COPY . /app\nRUN chown 1:1 -hR /app", [3]),
        ("COPY . /app\nRUN chown -R 1 /", [3]),
        ("COPY . /app\nRUN chown -R 1 /app && chmod -R 700 /app", [3]),
        ("COPY . /app\nCOPY --chown=1 x /app/x\nRUN chown -R 1 /app", [4]),
        ("COPY . /app\nRUN chown --recursive 1 /app", [3]),
        ("WORKDIR /app\nCOPY . .\nRUN chown -R 1 .", [4]),
        ("WORKDIR /app\nCOPY . .\nRUN chown -R 1 /app/*", [4]),
        ("ENV HOME=/home/app\nCOPY app $HOME/app\nRUN chown -R 1 $HOME", [4]),
        ("FROM python:slim AS a\nCOPY . /app\nFROM a\nRUN chown -R 1 /app", [5]),
    ],
)
def test_late_chown(dockerfile: str, expected: list[int]) -> None:
    assert lines("late-chown", SLIM + dockerfile) == expected


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", []),  # the Python image sets it too
        ("ENV SECRET_KEY=", []),
        ("ARG PUBLIC_API_KEY=x1", []),
        ("ENV DB_PASSWORD_FILE=/run/secrets/db", []),
        ("ENV TOKEN_URL=https://x", []),
        ("ENV ACCESS_TOKEN_EXPIRE_MINUTES=30", []),
        ("ENV SECRET_KEY=change-me", []),
        ("ENV SECRET_KEY=dummy-for-collectstatic", []),
        ("ENV PASSWORD=$PASSWORD", []),
        ("LABEL token=abcdef", []),
        ("ENV GOOGLE_APPLICATION_CREDENTIALS=/run/secrets/key.json", []),
        ("ENV OPENAI_API_KEY=your-api-key-here", []),
        ("ENV API_KEY=xxxx-xxxx", []),
        ("ENV SECRET_KEY=replace_me", []),
        ("ENV MAX_TOKEN=32768", []),
        ("ENV TOKEN_LIMIT=100000", []),
        ("ENV PASSWORD_RESET_TIMEOUT=259200", []),
        ("ENV AWS_ACCESS_KEY_ID=AKIA", []),
        ("ARG USE_AUTH_TOKEN", []),
        ("ARG SECRET_KEY=dummy", []),
        ("COPY nginx_signing.key /etc/apt/keyrings/", []),
        ("COPY jwt_public_key.pem /etc/", []),
        ("COPY docker.gpg.key /tmp/", []),
        ("ENV MONKEY=x TOKENIZERS_PARALLELISM=false", []),
        ("RUN SECRET_KEY=x python manage.py collectstatic", []),
        ("RUN --mount=type=secret,id=token,env=TOKEN pip install a", []),
        ("ARG TOKEN\nFROM python:slim", []),  # the builder is not published
        ("COPY .env.example .env", []),
        ("COPY ca.pem /etc/ssl/", []),
        ("COPY app/secrets.py app/", []),
        ("COPY --from=a /x/.env .", []),
        ("ENV SECRET_KEY=kd82jsk2", [2]),
        ("ENV A=1 DB_PASSWORD=hunter2", [2]),
        ("ENV aws_secret_access_key=AKIA", [2]),
        ("ARG PIP_TOKEN", [2]),
        ("ARG GITHUB_TOKEN=ghp_x", [2]),
        ("COPY .env .", [2]),
        ("COPY a config/.env.production b /x/", [2]),
        ("ADD id_rsa /root/.ssh/", [2]),
        ("COPY server.key /etc/", [2]),
        ("COPY certs/private-key.pem /etc/", [2]),
        ("ENV API_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a", [2]),
        ("ENV DATABASE_PASSWORD hunter2", [2]),
        ("COPY .pypirc /root/", [2]),
        ("FROM python:slim AS a\nENV TOKEN=abcdef\nFROM a", [3]),
    ],
)
def test_secret_in_image(dockerfile: str, expected: list[int]) -> None:
    assert lines("secret-in-image", SLIM + dockerfile) == expected


def test_fix_names_the_folder_of_the_files() -> None:
    (fix,) = fixes("no-workdir", SLIM + "COPY app /srv\nCMD python main.py")
    assert fix.startswith("WORKDIR /srv ")


@pytest.mark.parametrize(
    ("assignment", "found"),
    [
        ("TOKEN_BUDGET=12000", False),
        ("PASSWORD_HASHER=argon2", False),
        ("SECRET_MANAGER=gcp", False),
        ("API_KEY_AUTH=enabled", False),
        ("MAX_TOKEN=x1y2z3", False),
        ("CACHE_KEY=abcdef", False),
        ("GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", False),
        ("SINGLE_PASS=sure", False),
        ("OLDPWD=/srv/x y", False),
        ("DB_PASS=hunter2", True),
        ("SMTP_PWD=hunter2", True),
        ("OPENAI_KEY=sk-abcdef", True),
        ("GH_PAT=ghp_abcdef", True),
        ("PGPASSWORD=hunter2", True),
        ("DB_PASSWORD_PROD=hunter2", True),
        ("SECRET_KEY_BASE=abcdef", True),
        ("REDIS_PASS=hunter2", True),
        ("DEEPSEEK_KEY=abcdef", True),
    ],
)
def test_last_word_of_a_name_decides_if_it_is_a_secret(assignment: str, found: bool) -> None:
    name, _, value = assignment.partition("=")
    assert bool(lines("secret-in-image", f'FROM python:slim\nENV {name}="{value}"')) is found


@pytest.mark.parametrize(
    ("instruction", "found"),
    [
        ("RUN pip install --index-url https://pypi.example/simple a", False),
        ("RUN pip install --index-url https://bot:$TOKEN@pypi.example/simple a", False),
        ("RUN git clone https://bot@git.example/a", False),
        ("ENV DATABASE_URL=postgres://app:app@db/app", False),
        ("ENV DATABASE_URL=postgres://user:password@db/app", False),
        ("ENV DATABASE_URL=redis://:changeme@db/0", False),
        ("RUN pip install --index-url https://bot:hunter2hunter2@pypi.example/simple a", True),
        ("ENV DATABASE_URL=postgres://app:hunter2hunter2@db/app", True),
        ("ENV REDIS_URL=redis://:hunter2hunter2@db/0", True),
        (f"RUN git clone https://a.example/b && echo ghp_{36 * 'a'} > /token", True),
        (f"LABEL key=AKIA{16 * 'A'}", True),
    ],
)
def test_password_in_a_url_is_a_secret(instruction: str, found: bool) -> None:
    findings = review(f"FROM python:slim\n{instruction}").findings
    messages = [finding.message for finding in findings if finding.rule == "secret-in-image"]
    assert bool(messages) is found
    assert "hunter2" not in "".join(messages)


@pytest.mark.parametrize(
    ("copy", "dockerignore", "found"),
    [
        ("COPY . .", None, False),
        ("COPY . .", "", False),  # another rule reports it
        ("COPY . .", ".git\n.env", False),
        ("COPY . .", "*\n!app", False),
        ("COPY --exclude=.env . .", ".git", False),
        ("COPY app app", ".git", False),
        ("COPY . .", ".git", True),
        ("ADD . /srv", ".git", True),
    ],
)
def test_copy_of_everything_includes_secret_files(copy: str, dockerignore: str | None, found: bool) -> None:
    assert bool(lines("secret-in-image", f"FROM python:slim\nWORKDIR /srv\n{copy}", dockerignore)) is found
