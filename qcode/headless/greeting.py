"""`initialize`: what is answered, and what of it nothing here would heed."""

from collections.abc import Mapping
from typing import Any

GREETING: Mapping[str, Any] = {
    "commands": [],
    "output_style": "default",
    "available_output_styles": ["default"],
    "models": [],
    "account": {},
    "hooks_applied": False,
}

NOT_HERE = {
    "hooks": "calls no hooks of its host yet: start without `hooks`. Calls can be judged by "
    "can_use_tool (--permission-prompt-tool stdio) or by rules (--disallowed-tools).",
    "sdkMcpServers": "calls no MCP servers of its host yet: start without `sdkMcpServers`.",
}
"""What `initialize` may set and nothing here would heed. A hook may be a guard, so the host must
know."""

UNHEEDED = (
    "agents",
    "skills",
    "excludeDynamicSections",
    "systemPromptSnapshot",
    "forwardSubagentText",
)
"""The same, but nobody relies on them."""
