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
def test_path_without_a_matching_pattern_is_included(text: str, path: str) -> None:
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
def test_last_matching_pattern_excludes_the_path(text: str, path: str) -> None:
    assert Dockerignore.parse(text).excluded([path]) == {path}


def test_paths_are_matched_separately() -> None:
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


def test_too_many_patterns_are_rejected_with_the_line() -> None:
    Dockerignore.parse("*a\n" * (MOST_WORDS // 2))
    with pytest.raises(DockerignoreError, match="more than 10000 words and symbols") as error:
        Dockerignore.parse("*a\n" * (MOST_WORDS // 2 + 1))
    assert error.value.line == MOST_WORDS // 2 + 1


def test_no_pattern_takes_exponential_time() -> None:
    # With backtracking, either of these would take longer than anyone would wait.
    assert not Dockerignore.parse("*?" * 2000 + "x").excluded(["__pycache__"])
    assert not Dockerignore.parse("**/" * 1000 + "x").excluded(["a/b/c/d/e/f"])
