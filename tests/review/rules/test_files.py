"""Rules about the files in the image."""

import pytest

from tests.review.rules.table import fixes, lines

SLIM = "FROM python:3.12-slim\n"


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        (SLIM + "WORKDIR /app\nCOPY . .", []),
        (SLIM + "WORKDIR $FOLDER\nCOPY . .", []),
        (SLIM + "COPY . /app", []),
        (SLIM + "COPY . $FOLDER", []),
        ("FROM python:slim AS base\nWORKDIR /app\nFROM base\nCOPY . .", []),
        ("FROM company/base\nCOPY . .", []),  # not known
        ("FROM scratch\nCOPY --from=a /out .", []),  # a way out for files
        (SLIM + 'COPY main.py /\nCMD ["python", "main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["python", "/app/main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["python", "app/main.py"]', []),
        (SLIM + 'COPY app /app\nCMD ["uvicorn", "app.main:app"]', []),
        (SLIM + 'COPY app $FOLDER\nCMD ["python", "main.py"]', []),  # not known
        (SLIM + "COPY . .", [2]),
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
        ("COPY . /app\nRUN chown 1 /app", []),  # not what is in it
        ("COPY . /app\nRUN chmod +x /app/start.sh", []),
        ("COPY . /app\nRUN chown -R 1 /app/media", []),  # a folder that may be new
        ("COPY . /app\nRUN chown -R 1 $FOLDER", []),  # not known
        ("COPY . /application\nRUN chown -R 1 /app", []),
        ("COPY . /app\nRUN chown -R 1 /app\nFROM python:slim", []),  # what builds is not published
        ("FROM company/base\nCOPY . .\nRUN chown -R 1 /data", []),  # not known
        ("COPY . /app\nRUN chown -R 1 /app", [3]),
        ("COPY . /app\nRUN chown -R 1:1 /app/ && true", [3]),
        ("COPY . /app\nRUN chmod -R 755 /app", [3]),
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
        ("ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", []),  # as the image of Python has
        ("ENV SECRET_KEY=", []),
        ("ARG PUBLIC_API_KEY=x1", []),
        ("ENV DB_PASSWORD_FILE=/run/secrets/db", []),
        ("ENV TOKEN_URL=https://x", []),
        ("ENV ACCESS_TOKEN_EXPIRE_MINUTES=30", []),
        ("ENV SECRET_KEY=change-me", []),
        ("ENV SECRET_KEY=dummy-for-collectstatic", []),
        ("ENV PASSWORD=$PASSWORD", []),
        ("ENV MONKEY=x TOKENIZERS_PARALLELISM=false", []),
        ("RUN SECRET_KEY=x python manage.py collectstatic", []),
        ("RUN --mount=type=secret,id=token,env=TOKEN pip install a", []),
        ("ARG TOKEN\nFROM python:slim", []),  # what builds is not published
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
        ("COPY .pypirc /root/", [2]),
        ("FROM python:slim AS a\nENV TOKEN=abcdef\nFROM a", [3]),
    ],
)
def test_secret_in_image(dockerfile: str, expected: list[int]) -> None:
    assert lines("secret-in-image", SLIM + dockerfile) == expected


def test_the_folder_is_named_that_the_files_are_in() -> None:
    (fix,) = fixes("no-workdir", SLIM + "COPY app /srv\nCMD python main.py")
    assert fix.startswith("WORKDIR /srv ")
