"""Every target, against what hypothesis thinks of."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

PIECES = st.sampled_from(
    [
        *(b"git ", b"ls ", b"rg x ", b";", b"&&", b"|", b"\n", b"$(", b"`", b"'", b'"', b"\\"),
        *(b"> ", b"<<E\n", b"# ", b"${x@P}", b"{a,b}", b"\x1b[31m", b"\x1b]8;;", b"\x9b", b"\x07"),
        *("\u202e".encode(), "\u200b".encode(), b"\xff", b"\x00", b"@@ -1,2 +1,3 @@\n", b"+a\n"),
        *(b"-b\n", b" c\n", b"--- a\n+++ b\n", b"data: ", b'{"choices": [{"delta": {"content": '),
        *(b'"x"}}]}\n\n', b"data: [DONE]\n\n", b'{"v":1,"n":1,"type":"Notice"}\n', b"[agent]\n"),
        *(b'thinking = "off"\n', b"[server]\nbase_url = 1\n", b"CONNECT ", b"example.com:443"),
        *(b" HTTP/1.1\r\n", b"http://", b"@", b"[::1]", b"0x7f.1", b"<p>", b"</p>", b"<table>"),
        *(b"<a href=x>", b"&#27;", b"*", b"**/", b"a", b"/", b"[", b"]"),
    ]
)
DATA = st.lists(PIECES | st.binary(max_size=6), max_size=14).map(b"".join)


@pytest.mark.parametrize("name", TARGETS)
@given(data=DATA)
@example(data=b"")
def test_whatever_it_reads_it_keeps_its_word(name: str, data: bytes) -> None:
    TARGETS[name](data)
