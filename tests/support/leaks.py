"""Find secrets and dumps in the content of files."""

import re

KEY = re.compile(
    # In JSON, a line ends with the characters \n. An encrypted key may begin with Proc-Type.
    rb"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----(\s|\\[nr])+(Proc-Type|Version|Comment|[A-Za-z0-9+/=]{16})"
    rb"|PuTTY-User-Key-File-\d: |\bAGE-SECRET-KEY-1[A-Z0-9]{58}"
    rb"|\bgh[opsur]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}|\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    rb"|\bxox[abprs]-\d{10}|\b[rs]k_live_[A-Za-z0-9]{24}|\bAIza[\w-]{35}\b|\bpypi-AgEIcHlwaS5vcmc[\w-]{50}"
)
# A line of an environment file. Formatted Python has spaces around the sign.
SETTING = re.compile(
    rb"^(export )?[A-Z0-9_]*(SECRET|TOKEN|PASSW(OR)?D|CREDENTIALS?|(ACCESS|API|PRIVATE|SECRET)_?KEY)=[\"']?[^\s\"'$]",
    re.MULTILINE,
)
# The rows of pg_dump and mysqldump, and the archive of pg_dump. A schema without rows may be part of a service.
DUMP = re.compile(rb"\APGDMP|^COPY \S+ \(.*\) FROM stdin;$|^-- Dumping data for table ", re.MULTILINE)
# An ELF file of the type ET_CORE.
CORE = re.compile(rb"\A\x7fELF.{12}(\x04\x00|\x00\x04)", re.DOTALL)


def has_key(data: bytes) -> bool:
    """Return True if the data contains a private key or a token in a known format."""
    return KEY.search(data) is not None


def is_litter(data: bytes) -> bool:
    """Return True if the data contains secret settings or database rows, or is a core dump."""
    return any(pattern.search(data) for pattern in (SETTING, DUMP, CORE))
