"""`.dockerignore`: patterns as Docker reads them."""

import pytest

from app.review.dockerignore import MOST_WORDS, Dockerignore, DockerignoreError


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ".git"),
        ("# .git", ".git"),
        ("#a", "#a"),
        ("git", ".git"),
        ("*.git", "a/.git"),
        ("?", "ab"),
        ("a?b", "a/b"),
        ("[a-c]", "d"),
        ("[^a-c]", "b"),
        ("[a", "a"),
        ("a[b-", "ab"),
        ("[]", "a"),
        (".git\n!.git", ".git"),
        (".git\x85.venv", ".git"),
        ("*\n!app", "app/main.py"),
        ("a/*/c", "a/b/b/c"),
        ("!.git", ".git"),
    ],
)
def test_a_path_that_no_pattern_decides_on_enters(text: str, path: str) -> None:
    assert Dockerignore.parse(text).excluded([path]) == set()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (".git", ".git"),
        ("/.git/", ".git"),
        ("  .git  \r\n", ".git"),
        ("\ufeff.git", ".git"),
        (".git", ".git/objects/ab"),
        ("./a/../.git", ".git"),
        ("*", ".git"),
        ("*.py[cod]", "a.pyc"),
        ("a?c", "abc"),
        ("**", "a/b"),
        ("**/.venv", ".venv"),
        ("**/.venv", "a/b/.venv"),
        ("a/**/c", "a/c"),
        ("a/**/c", "a/b/b/c"),
        ("**/*.pyc", "a/b.pyc"),
        ("a**", "a/b/c"),
        ("\\*", "*"),
        ("[^a]", "b"),
        ("[a-c]", "b"),
        ("[x-za-b0]", "0"),
        ("a[+--]", "a,"),
        ("[a", "[a"),
        ("a*/*d", "abc/bcd/e"),
        ("**/a/**/b", "a/a/c/b"),
        ("*\n!app\n**/__pycache__", "app/__pycache__/main.pyc"),
        ("!.git\n.git", ".git"),
        ("! .git\n.git", ".git"),
    ],
)
def test_the_last_pattern_that_matches_keeps_a_path_out(text: str, path: str) -> None:
    assert Dockerignore.parse(text).excluded([path]) == {path}


def test_paths_do_not_run_into_each_other() -> None:
    paths = ["a", "a/b", "ab", "b", "b/a"]
    for pattern, excluded in [
        ("a", {"a", "a/b"}),
        ("*b", {"ab", "b", "b/a"}),
        ("**b", {"a/b", "ab", "b", "b/a"}),
        ("**/a", {"a", "a/b", "b/a"}),
        ("a?", {"ab"}),
        ("a[^c]", {"ab"}),
        ("**\n!a", {"ab", "b", "b/a"}),
        ("a\0a", set()),
        ("[a", set()),
    ]:
        assert Dockerignore.parse(pattern).excluded(paths) == excluded


def test_more_patterns_than_anybody_writes_are_refused_with_the_line() -> None:
    Dockerignore.parse("*a\n" * (MOST_WORDS // 2))
    with pytest.raises(DockerignoreError, match="more than 10000 words and symbols") as error:
        Dockerignore.parse("*a\n" * (MOST_WORDS // 2 + 1))
    assert error.value.line == MOST_WORDS // 2 + 1


def test_no_pattern_takes_for_ever() -> None:
    # By backing off, either of these would outlast whoever waits for the test.
    assert not Dockerignore.parse("*?" * 2000 + "x").excluded(["__pycache__"])
    assert not Dockerignore.parse("**/" * 1000 + "x").excluded(["a/b/c/d/e/f"])
