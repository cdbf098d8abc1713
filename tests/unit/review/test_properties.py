"""Properties that hold for any text, tested with a few from a fixed seed. `make fuzz-reviewer` tests many more."""

import json
from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from app.review import formats, pipe
from app.review.dockerfile import Dockerfile
from app.review.dockerignore import Dockerignore
from app.review.edit import apply
from app.review.fix import fixed
from app.review.report import review
from app.review.shell import commands
from app.review.syntax import SWITCHES, DockerfileError, Instruction, parse
from app.review.variables import LONGEST, expand
from tests.support.dockerfiles import dockerfiles, fixable, heaps, hostile, paths, patterns, texts, tried


def instructions(text: str) -> list[Instruction]:
    """Return the instructions of the text. Skip a text that is rejected."""
    try:
        return parse(text)
    except DockerfileError:
        assume(False)
        raise


def written(instruction: Instruction) -> str:
    """Return the instruction in one of the forms that a Dockerfile allows."""
    quoted = [(name, "".join(f"\\{char}" for char in value)) for name, value in instruction.flags]
    flags = [f"--{name}" if name in SWITCHES and not value else f"--{name}={value}" for name, value in quoted]
    comments = [f"# {comment.text}" for comment in instruction.comments]
    heredocs = [line for heredoc in instruction.heredocs for line in (heredoc.content, heredoc.name)]
    return "\n".join([*comments, " ".join([instruction.keyword, *flags, "--", instruction.value]), *heredocs, ""])


def without_lines(instruction: Instruction) -> tuple[object, ...]:
    """Return the parts of the instruction, without its place."""
    return (
        instruction.keyword,
        instruction.flags,
        instruction.value,
        instruction.words,
        instruction.is_json,
        instruction.heredocs,
        [comment.text for comment in instruction.comments],
    )


@tried
@given(texts, st.none() | st.text() | patterns)
def test_any_text_is_reviewed_or_rejected_at_one_of_its_lines(text: str, dockerignore: str | None) -> None:
    text = "FROM a\n" + text
    try:
        review(text, dockerignore)
    except DockerfileError as error:
        line = error.line
    else:
        line = 1
    assert 1 <= line <= text.count("\n") + 1


@tried
@given(hostile | texts, st.none() | patterns)
def test_every_answer_can_be_encoded_and_printed(text: str, dockerignore: str | None) -> None:
    for media_type in pipe.MEDIA_TYPES:
        answer = pipe.answer(media_type, text, dockerignore)
        assert "failure" not in answer
        told = answer.get("review") or answer["problem"]["detail"]
        if "review" in answer and media_type.endswith("json"):
            json.dumps(json.loads(told), ensure_ascii=False).encode()
        else:
            assert all(line.isprintable() for line in told.split("\n"))


@tried
@given(hostile)
def test_every_format_of_the_command_line_can_be_encoded(text: str) -> None:
    try:
        reviews = {"a\udcff": review(text)}
    except DockerfileError:
        return
    for write in formats.FORMATS.values():
        written = write(reviews)
        if written[:1] in {"[", "{"}:
            written = json.dumps(json.loads(written), ensure_ascii=False)
        written.encode()


@tried
@given(dockerfiles | heaps)
def test_instructions_and_comments_have_correct_lines(text: str) -> None:
    lines = text.split("\n")
    end = 0
    for instruction in instructions(text):
        assert end < instruction.line <= instruction.end_line <= len(lines)
        above = [end, *(comment.line for comment in instruction.comments)]
        assert above == sorted(set(above))
        assert above[-1] <= instruction.end_line
        assert all(comment.text in lines[comment.line - 1] for comment in instruction.comments)
        end = instruction.end_line


@tried
@given(dockerfiles)
def test_parsed_instructions_can_be_written_and_parsed_again(text: str) -> None:
    read = instructions(text)
    again = parse("".join(map(written, read)))
    assert list(map(without_lines, again)) == list(map(without_lines, read))


@tried
@given(dockerfiles)
def test_each_from_begins_a_stage(text: str) -> None:
    text = "FROM a\n" + text
    starts = [instruction.line for instruction in instructions(text) if instruction.keyword == "FROM"]
    assert [stage.start.line for stage in Dockerfile.parse(text).stages] == starts


@tried
@given(texts)
def test_each_command_of_a_shell_script_has_a_program(text: str) -> None:
    assert all(commands(text))


@tried
@given(patterns, paths)
def test_each_path_is_matched_independently(text: str, paths: list[str]) -> None:
    ignore = Dockerignore.parse(text)
    assert ignore.excluded(paths) == {path for path in paths if ignore.excluded([path])}


@tried
@given(texts, st.dictionaries(st.sampled_from("AB"), st.none() | texts))
def test_expanded_text_stays_within_the_limit(text: str, variables: dict[str, str | None]) -> None:
    expanded = expand(text, variables)
    assert expanded is None or len(expanded) <= LONGEST


@tried
@given(dockerfiles | fixable)
def test_fix_in_any_text_removes_its_finding_and_adds_none(text: str) -> None:
    try:
        findings = review(text).findings
    except DockerfileError:
        return
    before = Counter(finding.rule for finding in findings)
    for finding in findings:
        if not finding.edits:
            continue
        after = Counter(found.rule for found in review(apply(text, finding.edits)).findings)
        assert after[finding.rule] < before[finding.rule], finding
        assert after.keys() <= before.keys(), finding


@tried
@given(dockerfiles | fixable, st.booleans())
def test_fixing_twice_changes_nothing(text: str, unsafe: bool) -> None:
    try:
        once, _ = fixed(text, unsafe=unsafe)
    except DockerfileError:
        return
    assert fixed(once, unsafe=unsafe) == (once, 0)


@tried
@given(fixable)
def test_fix_keeps_line_endings_and_byte_order_mark(text: str) -> None:
    plain, count = fixed(text, unsafe=True)
    windows, windows_count = fixed("\ufeff" + text.replace("\n", "\r\n"), unsafe=True)
    assert (windows, windows_count) == ("\ufeff" + plain.replace("\n", "\r\n"), count)
