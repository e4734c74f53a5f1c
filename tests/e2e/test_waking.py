"""A model that comes into memory with the first prompt: what one run tells of it in the end."""

from tests.e2e.rig import Cli
from tests.support.script import Reply
from tests.support.waking import Waking


def test_the_result_tells_the_context_as_it_was_loaded(cli: Cli) -> None:
    with Waking("ollama", Reply("Done.")) as server:
        cli.url = server.base_url
        ran = cli.ask("--model", server.model, "--output-format", "json")
        server.check()
    assert ran.code == 0
    assert ran.json["qcode"]["context_tokens"] == 65_536
    assert "context" not in ran.err, "it is nobody's business"
