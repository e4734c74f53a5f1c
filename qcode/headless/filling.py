"""What fills the context, as `get_context_usage` tells it."""

from typing import Any

from qcode.engine.contents import weighed
from qcode.session.conversation import Conversation


def usage(talk: Conversation, context_tokens: int, model: str) -> dict[str, Any]:
    """By kind, in Claude's words. `context_tokens` 0 = the server does not tell."""
    found = weighed(talk, context_tokens)
    rows = [*found.shares.items(), ("free", max(0, context_tokens - found.total))]
    return {
        "categories": [
            {"name": kind.capitalize(), "tokens": tokens, "color": "blue"}
            for kind, tokens in rows
            if tokens
        ],
        "totalTokens": found.total,
        "maxTokens": context_tokens,
        "rawMaxTokens": context_tokens,
        "percentage": round(100 * found.total / context_tokens, 1) if context_tokens else 0,
        "model": model,
        "isAutoCompactEnabled": True,
        "memoryFiles": [],
        "mcpTools": [],
        "agents": [],
        "gridRows": [],
    }
