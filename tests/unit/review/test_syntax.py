"""The syntax: the special cases of the format, as BuildKit reads them."""

import pytest

from app.review.syntax import (
    LONGEST_LINE,
    LONGEST_NAME,
    MOST_INSTRUCTIONS,
    MOST_LINES,
    MOST_WORDS,
    Comment,
    DockerfileError,
    Heredoc,
    Instruction,
    parse,
)


def only(text: str) -> Instruction:
    """Return the only instruction in the text."""
    (instruction,) = parse(text)
    return instruction


def test_instruction_has_a_keyword_words_and_a_line() -> None:
    instruction = only("\n  copy a  b\n")
    assert (instruction.keyword, instruction.value, instruction.words) == ("COPY", "a  b", ("a", "b"))
    assert (instruction.line, instruction.end_line) == (2, 2)


@pytest.mark.parametrize("text", ["", "\n\n", "# comment\n", "  # indented\n\t\n", "\ufeff", "# escape=`\n"])
def test_text_without_instructions_is_empty(text: str) -> None:
    assert parse(text) == []


@pytest.mark.parametrize(
    ("text", "value", "end_line"),
    [
        ("RUN a \\\n  b", "a   b", 2),
        ("RUN a \\  \n  b", "a   b", 2),
        ("RUN a \\\n# comment\n  b", "a   b", 3),
        ("RUN a \\\n  # comment \\\n  b", "a   b", 3),
        ("RUN a \\\n\n\n  b", "a   b", 4),
        ("RUN a \\", "a", 1),
        ("RUN a \\\\\nRUN b", "a \\\\", 1),
        ("RUN \\\n a", "a", 2),
        ("RUN a # no comment", "a # no comment", 1),
        ("RUN a \\\r\n  b\r\n", "a   b", 2),
        ("RUN a \\\r\n# comment\r\n\r\n  b\r\n", "a   b", 4),
        ("\tRUN\ta\t\\\t\n\tb", "a\t\tb", 2),
        ("RUN a \\\n# comment\n", "a", 3),
        ("\\\nRUN a", "a", 2),
        ("\ufeffRUN a", "a", 1),
        ("# escape=`\nRUN a `\n b", "a  b", 3),
        ("#escape=`\r\nRUN a `\r\n b", "a  b", 3),
        ("# escape=\\\nRUN a \\\n b", "a  b", 3),
        ("# Escape = `\n# syntax=x\nRUN a \\\n", "a \\", 3),
        ("# comment\n# escape=`\nRUN a \\\n b", "a  b", 4),
        ("\n# escape=`\nRUN a \\\n b", "a  b", 4),
        ("# unknown=1\n# escape=`\nRUN a \\\n b", "a  b", 4),
    ],
)
def test_lines_are_joined_by_the_escape_character(text: str, value: str, end_line: int) -> None:
    first = parse(text)[0]
    assert (first.value, first.end_line) == (value, end_line)


@pytest.mark.parametrize(
    ("text", "flags", "value"),
    [
        ("RUN --mount=type=cache,target=/x pip", (("mount", "type=cache,target=/x"),), "pip"),
        ("RUN --network=none --security=sandbox a", (("network", "none"), ("security", "sandbox")), "a"),
        ("COPY --link --from=x a b", (("link", ""), ("from", "x")), "a b"),
        ('COPY --chown="a b" c d', (("chown", "a b"),), "c d"),
        ("RUN \\\n --mount=type=cache \\\n a", (("mount", "type=cache"),), "a"),
        ("RUN a --flag=of-the-command", (), "a --flag=of-the-command"),
        ("RUN -- --network=none", (), "--network=none"),
        ("RUN -x a", (), "-x a"),
        ("COPY --from=0 a b", (("from", "0"),), "a b"),
        ("COPY --parents --link=false --exclude=a --exclude=b c d", None, "c d"),
        ("ADD --unpack --keep-git-dir --checksum=sha256:a --chmod=1 --chown=a b c", None, "b c"),
        ("RUN --device=a --mount=type=tmpfs,target=/x --mount=type=ssh a", None, "a"),
        ("FROM --platform=$BUILDPLATFORM a AS b", (("platform", "$BUILDPLATFORM"),), "a AS b"),
        (
            "HEALTHCHECK --interval=1s --timeout=1s --start-period=1s --start-interval=1s --retries=1 CMD a",
            None,
            "CMD a",
        ),
        ("STOPSIGNAL --any=thing 9", (("any", "thing"),), "9"),
    ],
)
def test_flags_come_before_the_arguments(text: str, flags: tuple[tuple[str, str], ...] | None, value: str) -> None:
    instruction = only(text)
    assert instruction.value == value
    assert flags is None or instruction.flags == flags


def test_mount_options_have_preferred_names() -> None:
    instruction = only("RUN --mount=src=a,dst=b --mount=type=cache,destination=/c,id=x true")
    assert instruction.mounts == [
        {"type": "bind", "source": "a", "target": "b"},
        {"type": "cache", "target": "/c", "id": "x"},
    ]


@pytest.mark.parametrize(
    ("text", "words", "is_json"),
    [
        ('CMD ["a b", "c"]', ("a b", "c"), True),
        ("CMD []", (), True),
        ("RUN []", (), True),
        ('CMD ["\\u0061"]', ("a",), True),
        ('CMD [ "a" ,\t"b" ]', ("a", "b"), True),
        ('CMD \\\n["a", \\\n "b"]', ("a", "b"), True),
        ("HEALTHCHECK NONE", ("NONE",), False),
        ("HEALTHCHECK cmd a", ("cmd", "a"), False),
        ('SHELL ["a", "-c"]', ("a", "-c"), True),
        ("ONBUILD RUN a", ("RUN", "a"), False),
        ("RUN", (), False),
        ("WORKDIR a b", ("a", "b"), False),
        ('USER ["a"]', ("[a]",), False),
        ("RUN [NaN, -Infinity]", ("[NaN,", "-Infinity]"), False),
        ('CMD ["a"', ("[a",), False),
        ('CMD ["a"] # b', ("[a]", "#", "b"), False),
        ("CMD ['a']", ("[a]",), False),
        ('CMD ["a",]', ("[a,]",), False),
        ('COPY ["a b", "c"]', ("a b", "c"), True),
        ("RUN [ -f x ]", ("[", "-f", "x", "]"), False),
        ('ENV A="b c" D=e\\ f', ("A=b c", "D=e f"), False),
        ("USER 'a b'", ("a b",), False),
        ('RUN a "b', ("a", "b"), False),
    ],
)
def test_words_are_json_strings_or_shell_words(text: str, words: tuple[str, ...], is_json: bool) -> None:
    instruction = only(text)
    assert (instruction.words, instruction.is_json) == (words, is_json)


@pytest.mark.parametrize(
    ("text", "heredocs", "end_line"),
    [
        ("RUN <<EOF\na\nb\nEOF", [("EOF", "a\nb")], 4),
        ("RUN <<EOF\nEOF", [("EOF", "")], 2),
        ("RUN <<EOF\n\tEOF\nEOF", [("EOF", "\tEOF")], 3),
        ("RUN <<'EOF'\n$a\nEOF", [("EOF", "$a")], 3),
        ('RUN python3 <<"E F"\na\nE F', [("E F", "a")], 3),
        ("RUN <<-EOF\n\ta\n\tEOF", [("EOF", "\ta")], 3),
        ("RUN <<-'EOF'\n\t\tEOF", [("EOF", "")], 2),
        ('RUN <<E"O"F\na\nEOF', [("EOF", "a")], 3),
        ("RUN <<EOF\r\na\r\nEOF\r\n", [("EOF", "a")], 3),
        ("RUN <<EOF\nEOF \n EOF\nEOF", [("EOF", "EOF \n EOF")], 4),
        ("RUN a <<A && b <<-B\nB\nA\nA\n\tB", [("A", "B"), ("B", "A")], 5),
        ("COPY <<a <<b /x/\n1\na\n2\nb", [("a", "1"), ("b", "2")], 5),
        ("RUN cat 3<<EOF\n# no comment \\\nEOF", [("EOF", "# no comment \\")], 3),
        ("RUN cat \\\n <<EOF\na\nEOF\n", [("EOF", "a")], 4),
        ("RUN cat << EOF > x\na\nEOF", [("EOF", "a")], 3),
        ("RUN cat <<\t'E F'\na\nE F", [("E F", "a")], 3),
        ("ONBUILD RUN <<EOF\na\nEOF", [("EOF", "a")], 3),
        ("ONBUILD CMD <<EOF", [], 1),
        ("RUN cat <<- EOF", [], 1),
        ("RUN cat <<< a", [], 1),
        ("RUN echo $((1<<2))", [], 1),
        ("CMD cat <<EOF", [], 1),
        ('RUN ["cat", "<<EOF"]', [], 1),
    ],
)
def test_heredocs_belong_to_their_instruction(text: str, heredocs: list[tuple[str, str]], end_line: int) -> None:
    instruction = only(text)
    assert instruction.heredocs == tuple(Heredoc(*heredoc) for heredoc in heredocs)
    assert instruction.end_line == end_line


def test_instruction_after_a_heredoc_has_the_correct_line() -> None:
    assert [(item.keyword, item.line) for item in parse("RUN <<E\nFROM x\nE\n\nUSER a")] == [("RUN", 1), ("USER", 5)]


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("RUN a # b", [[]]),
        ("RUN <<E\n# a\nE", [[]]),
        ("RUN a\n# b", [[]]),
        ("#", []),
        ("# a\nRUN b", [[(1, "a")]]),
        ("\t#a # b \r\n\n#\n\nRUN c", [[(1, "a # b"), (3, "")]]),
        ("# escape=`\nRUN a", [[(1, "escape=`")]]),
        ("# a\nRUN b \\\n# c\n\n  # d \\\n e\n# f\nUSER g", [[(1, "a"), (3, "c"), (5, "d \\")], [(7, "f")]]),
        ("RUN <<E\nE\n# a\nUSER b", [[], [(3, "a")]]),
    ],
)
def test_comments_belong_to_the_next_or_surrounding_instruction(
    text: str, comments: list[list[tuple[int, str]]]
) -> None:
    found = [instruction.comments for instruction in parse(text)]
    assert found == [tuple(Comment(*comment) for comment in each) for each in comments]


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("ENV A=1 B='2 3'", [("A", "1"), ("B", "2 3")]),
        ("ENV A b c", [("A", "b c")]),
        ("ARG A", [("A", None)]),
        ("ARG A= B=1", [("A", ""), ("B", "1")]),
    ],
)
def test_env_and_arg_have_assignments(text: str, assignments: list[tuple[str, str | None]]) -> None:
    assert only(text).assignments == assignments


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("RUN a && b", [("a",), ("b",)]),
        ('RUN ["a", "b c"]', [("a", "b c")]),
        ('RUN ["sh", "-c", "a; b"]', [("a",), ("b",)]),
        ("RUN <<E\na\nb\nE", [("a",), ("b",)]),
        ("RUN bash -eu <<E\na\nE", [("bash", "-eu"), ("a",)]),
        ("RUN <<E\n#!/usr/bin/env bash\na\nE", [("a",)]),
        ("RUN <<E\n#!/usr/bin/env python3\na\nE", []),
        ("RUN <<E\n#!\na\nE", []),
        ("RUN python3 <<E\nimport pip\nE", [("python3",)]),
        ("RUN cat <<E > x\npip install a\nE", [("cat",)]),
    ],
)
def test_run_has_the_commands_that_a_shell_would_run(text: str, commands: list[tuple[str, ...]]) -> None:
    assert only(text).commands == commands


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM a\nFOO b", 2, "unknown instruction: 'FOO'"),
        ("FROM a\nCOPPY b c", 2, "(did you mean COPY?)"),
        ("\n" + "x" * 100, 2, "unknown instruction: '" + "x" * 39),
        ("\x1b[31m", 1, r"unknown instruction: '\x1b[31m'"),
        ("USER", 1, "USER needs an argument"),
        ("WORKDIR --", 1, "WORKDIR needs an argument"),
        ("COPY a", 1, "COPY needs two arguments"),
        ("ENV a", 1, "ENV needs a name and a value"),
        ("LABEL a", 1, "LABEL needs a name and a value"),
        ("ENV A=b # c", 1, "ENV needs name=value, not '#'"),
        ('CMD ["a", 1]', 1, "only strings"),
        ("COPY []", 1, "COPY needs two arguments"),
        ("VOLUME []", 1, "VOLUME needs an argument"),
        ("SHELL []", 1, "SHELL needs an argument"),
        ("SHELL bash -c", 1, "SHELL needs the JSON form"),
        ("SHELL [NaN]", 1, "SHELL needs the JSON form"),
        ("FROM a\nCOPY \\\n --form=a b c", 2, "unknown flag of COPY: '--form' (did you mean --from?)"),
        ("ADD --from=a b c", 1, "unknown flag of ADD: '--from'"),
        ("RUN --MOUNT=type=cache a", 1, "unknown flag of RUN: '--MOUNT'"),
        ("CMD --a", 1, "unknown flag of CMD: '--a'"),
        ("COPY --from a b c", 1, "--from needs a value"),
        ("ONBUILD ONBUILD RUN a", 1, "ONBUILD cannot trigger ONBUILD"),
        ("ONBUILD from a", 1, "ONBUILD cannot trigger FROM"),
        ("ONBUILD MAINTAINER a", 1, "ONBUILD cannot trigger MAINTAINER"),
        ("HEALTHCHECK --interval=1s", 1, "HEALTHCHECK needs an argument"),
        ("HEALTHCHECK a", 1, "HEALTHCHECK needs CMD or NONE, not 'A'"),
        ("HEALTHCHECK none a", 1, "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK CMD", 1, "HEALTHCHECK CMD needs a command"),
        ("HEALTHCHECK CMD [ ]", 1, "HEALTHCHECK CMD needs a command"),
        ("RUN a\nRUN cat <<EOF\na", 2, "unterminated heredoc: 'EOF'"),
        ("# escape=x\nRUN a", 1, "a backslash or a backtick"),
        ("# escape=`\n# escape=`\nRUN a", 2, "only one escape"),
        ("RUN a\n\nRUN \0", 3, "a NUL character"),
        ("\n\0", 2, "a NUL character"),
        ("\n\ud800", 2, "a lone surrogate"),
    ],
)
def test_invalid_dockerfile_is_rejected_with_the_line(text: str, line: int, message: str) -> None:
    with pytest.raises(DockerfileError) as error:
        parse(text)
    assert error.value.line == line
    assert message in str(error.value)


LONG = {
    "lines": "\n" * MOST_LINES,
    "instructions": "RUN\n" * MOST_INSTRUCTIONS,
    "words and symbols": "USER a\n#" + ("a;\n" + "#") * (MOST_WORDS // 3 - 1),
    "bytes": "#" + "é" * (LONGEST_LINE // 2),
}


LONG_NAMES = [f"{start}{'a' * LONGEST_NAME}" for start in ("FROM ", "FROM a AS ", "COPY a ", "WORKDIR a ", "USER ")]


@pytest.mark.parametrize("text", [*LONG.values(), *LONG_NAMES], ids=[*LONG, *(name[:12] for name in LONG_NAMES)])
def test_text_at_the_limits_is_accepted(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (LONG["lines"] + "\n", MOST_LINES + 1, "more than 10000 lines"),
        (LONG["instructions"] + "RUN", MOST_INSTRUCTIONS + 1, "more than 1000 instructions"),
        (LONG["words and symbols"] + "a;", MOST_WORDS // 3 + 1, "more than 10000 words and symbols"),
        (LONG["bytes"] + "a", 1, "a line of more than 65535 bytes"),
        ("RUN <<E\n" + LONG["bytes"] + "\r\nE", 2, "a line of more than 65535 bytes"),
        *((text + "a", 1, "may have at most 4096 characters") for text in LONG_NAMES),
    ],
)
def test_text_beyond_the_limits_is_rejected_with_the_line(text: str, line: int, message: str) -> None:
    with pytest.raises(DockerfileError, match=message) as error:
        parse(text)
    assert error.value.line == line
