"""tests/support/leaks.py: what it finds and what it ignores."""

import pytest

from tests.support.leaks import has_key, is_litter

# The parts are joined here, so that searches for secrets do not find this file.
BEGIN, KEY = "-----BEGIN ", "PRIVATE KEY"
BASE64 = "b3BlbnNzaC1rZXktdjEAAAAA"


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}{KEY}-----\n{BASE64}",
        f"{BEGIN}{KEY}-----\r\n{BASE64}",
        f"{BEGIN}RSA {KEY}-----\nProc-Type: 4,ENCRYPTED\n\n{BASE64}",
        f"{BEGIN}ENCRYPTED {KEY}-----\n{BASE64}",
        f"{BEGIN}OPENSSH {KEY}-----\n{BASE64}",
        f"{BEGIN}PGP {KEY} BLOCK-----\n\n{BASE64}",
        rf'{{"private_key": "{BEGIN}{KEY}-----\n{BASE64}\n"}}',
        f'TEXT = """\n{BEGIN}EC {KEY}-----\n{BASE64}',
        "PuTTY-User-Key-File-" + "3: ssh-ed25519",
        "AGE-SECRET-KEY-" + "1" + "Q" * 58,
        "token: ghp" + "_" + "a" * 36,
        "glpat" + "-" + "a" * 20,
        "ASIA" + "A" * 16,
        "xoxb" + "-" + "1" * 10,
        "sk_live" + "_" + "a" * 24,
        "AIza" + "a" * 35,
    ],
)
def test_a_key_or_token_is_recognized_in_any_text(text: str) -> None:
    assert has_key(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}PUBLIC KEY-----\n{BASE64}",
        f"{BEGIN}CERTIFICATE-----\n{BASE64}",
        f'if text.startswith("{BEGIN}{KEY}-----"):',
        f"{BEGIN}{KEY}-----\n…",
    ],
)
def test_a_public_key_or_the_name_of_a_key_passes(text: str) -> None:
    assert not has_key(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "DEBUG=1\nDB_PASSWORD=hunter2\n",
        "export API_KEY='a'",
        'SECRET_KEY="a"',
        "PGDMP\x01\x0f",
        "--\nCOPY public.users (id, email) FROM stdin;\n1\ta@example.com\n",
        "-- Dumping data for table `users`\n",
        "\x7fELF\x02\x01\x01" + "\0" * 9 + "\x04\0",
    ],
)
def test_secret_settings_and_dumps_are_recognized(text: str) -> None:
    assert is_litter(text.encode("latin-1"))


@pytest.mark.parametrize(
    "text",
    [
        "DEBUG=1\nPASSWORD=\nTOKEN_FILE=/run/secrets/token\nAPI_TOKEN=$TOKEN\n",
        'PASSWORD = "a"\nlogin(PASSWORD="a")\n',
        "    token=settings.token,\n",
        "CREATE TABLE users (id int);\nCOPY users FROM '/tmp/users.csv';\n",
        "\x7fELF\x02\x01\x01" + "\0" * 9 + "\x03\0",
    ],
)
def test_code_migrations_and_libraries_pass(text: str) -> None:
    assert not is_litter(text.encode("latin-1"))
