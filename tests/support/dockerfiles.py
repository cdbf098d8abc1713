"""Dockerfiles and .dockerignore files that Hypothesis makes up."""

from hypothesis import strategies as st

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
dockerfiles = st.lists(st.sampled_from(INSTRUCTIONS) | runs, max_size=12).map("\n".join)
heaps = st.lists(st.sampled_from([*INSTRUCTIONS, *SIGNS, *WRONG])).map("".join)
texts = st.text() | heaps | dockerfiles
patterns = st.lists(st.sampled_from([*"ab*?[]^-!./\\\n", "**", "**/", "[a-b]", "\n!"])).map("".join)
paths = st.lists(st.text("ab./", min_size=1, max_size=8), max_size=4)
