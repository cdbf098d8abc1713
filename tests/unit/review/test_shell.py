"""Shell scripts as simple commands."""

import pytest

from app.review.shell import commands


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("  \n\n", []),
        ("# pip install a", []),
        ("A=1", []),
        (">x", []),
        ("a b", [("a", "b")]),
        ("a 'b c' \"d e\" f\\ g", [("a", "b c", "d e", "f g")]),
        ("a#b # c", [("a#b",)]),
        ("a && b || c; d | e & f\ng", [("a",), ("b",), ("c",), ("d",), ("e",), ("f",), ("g",)]),
        ("a \\\n b", [("a", "b")]),
        ("a \\", [("a",)]),
        ("a\\", [("a",)]),
        ("/usr/local/bin/pip install a", [("pip", "install", "a")]),
        ("A=1 B='x y' a", [("a",)]),
        ("exec a", [("a",)]),
        ("sudo -E a -b", [("a", "-b")]),
        ("env -i A=1 a", [("a",)]),
        ("if a; then b; else c; fi", [("a",), ("b",), ("c",), ("fi",)]),
        ("for x in 1 2; do a $x; done", [("for", "x", "in", "1", "2"), ("a", "$x"), ("done",)]),
        ("(a; b)", [("a",), ("b",)]),
        ("{ a; }", [("a",), ("}",)]),
        ("x=$(a b) c", [("a", "b"), ("c",)]),
        ("echo `a`", [("a",), ("echo", "$(…)")]),
        ("a -w $(b) -x", [("b",), ("a", "-w", "$(…)", "-x")]),
        ("a x$(b `c d` | e)y z", [("c", "d"), ("b", "$(…)"), ("e",), ("a", "x$(…)y", "z")]),
        ("a $( (b; c) ) d", [("b",), ("c",), ("a", "$(…)", "d")]),
        ("a $((1 + 2)) $x", [("a", "$((1 + 2))", "$x")]),
        ("case x in a) b;; esac", [("case", "x", "in", "a"), ("b",), ("esac",)]),
        ("a $(b", [("b",), ("a", "$(…)")]),
        ("a $(b # c)\n) d", [("b",), ("a", "$(…)", "d")]),
        ("a\u00a0b", [("a\u00a0b",)]),
        ("a > b 2>&1 <c c", [("a", "c")]),
        ("a >>b && c", [("a",), ("c",)]),
        ("a 1.5", [("a", "1.5")]),
        ("cat <<E\na b\nE\nc", [("cat",), ("c",)]),
        ("cat <<-'E F' > x; a\n\tb\n\tE F\nc", [("cat",), ("a",), ("c",)]),
        ("cat <<E <<F\na\nE\nb\nF\nc", [("cat",), ("c",)]),
        ("cat <<< E\na", [("cat",), ("a",)]),
        ("cat <<E\na", [("cat",)]),
        ("timeout -k 5 60 a", [("a",)]),
        ("env -u A B=1 a", [("a",)]),
        ("sh -c 'a; b'", [("a",), ("b",)]),
        ('bash -euo pipefail -c "a"', [("a",)]),
        ("bash -ec 'sh -c \"a b\"'", [("a", "b")]),
        ("python -c 'a; b'", [("python", "-c", "a; b")]),
        ("sh script.sh -c", [("sh", "script.sh", "-c")]),
        ("a 'b", [("a", "b")]),
        ('a "b && c', [("a", "b"), ("c",)]),
    ],
)
def test_script_is_parsed_into_simple_commands(script: str, expected: list[tuple[str, ...]]) -> None:
    assert commands(script) == expected
