"""Does an answer only say what will be done? In English, German and Chinese. Pure."""

import re

MOST_CHARACTERS = 200
"""What is longer is no announcement."""


def announces(text: str) -> bool:
    """Whether `text`, the whole of an answer without a call, only says what will be done.

    A short one whose last sentence speaks of what comes next, or breaks off before it. In doubt
    not: a nudge after work that is done has it done again.
    """
    said = text.strip()
    if not said or len(said) > MOST_CHARACTERS or _ASKS.search(said):
        return False
    last = [one for one in _SENTENCE.split(said) if one.strip(" \t*_`")][-1:]
    if not last or _RESTS.search(_MATTER.split(last[0])[0]):
        return False
    return bool(_OPEN.search(said) or _INTENDS.search(last[0]))


_SENTENCE = re.compile(r"(?<=[.!;])\s+|(?<=[。\uff01\uff1b])|\n+")
_ASKS = re.compile(r"[?\uff1f]")
_OPEN = re.compile(r"(?:[:\uff1a]|\.\.\.|…)[\s*_`]*$")
"""It breaks off before what it announces."""

_DOING = (
    r"run|read|check|look|open|fix|write|add|create|update|edit|change|search|find|test|apply|"
    r"implement|start|try|inspect|examine|verify|refactor|remov|replac|renam|install|explor"
)
_INTENDS = re.compile(
    rf"""
    \b(?: let\ me | let['\u2019]?s | let\ us | i['\u2019]ll | i\ will | i\ shall
        | i(?:['\u2019]m|\ am)\ (?:now\ )?going\ to | i(?:['\u2019]m|\ am)\ about\ to
        | (?:now|next|then)(?:,|\ up,)?\ (?:i|we)\ (?:need|have|want|can|should|must|{_DOING})
        | (?:now|next)[,:]?\ (?:to\ )?(?:{_DOING})\w*
        | time\ to\ (?:{_DOING})
        | ich\ werde | lass(?:t|en\ sie)?\ (?:mich|uns) | als\ nächstes | nun\ \w+e\ ich
        | jetzt\ \w+e\ ich | ich\ \w+e\ (?:jetzt|nun|mir|zuerst|als\ nächstes)
    )\b
    | ^\W*(?:{_DOING})\w*ing\b(?!.*\b(?:is|are|w\w+|takes|took|needs|means|gave|gives|shows|can)\b)
    | 让我 | 我将 | 我会 | 我来 | 我先 | 我现在 | 我需要 | 接下来 | 現在 | 现在(?:我|开始|来) | 讓我
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MATTER = re.compile(
    r"\b(?:why|whether|what|how|which|where|so that|make sure|warum|ob|wieso|welche|was|damit)\b"
    r"|(?<=\bcheck )if\b|(?<=\bsee )if\b|(?<=\bverify )if\b|(?<=\btest )if\b|为什么|是否|哪",
    re.IGNORECASE,
)
"""From here on it says what is looked into, not what the speaker does."""
_RESTS = re.compile(
    r"""
    \b(?: know | wait | await | leave | stop | keep | remember | happy | glad | if | unless | until
        | not | never | cannot | no | nothing | unable | only\ when
        | done | finished | complete[ds]? | fixed | solved | resolved | passe[sd] | ready
        | already | works | succeeds | succeeded | summar(?:y|ised|ized) | from\ now\ on | future
        | once\ you | when\ you | whenever | later | tomorrow | please | tell\ me | up\ to\ you
        | you\ (?:can|may|could|should|need|want|have|must|might)
        | your\ (?:\w+\ )?(?:answer|reply|decision|confirmation|approval|input|choice|word|call)
        | fertig | erledigt | behoben | abgeschlossen | bestanden | läuft | laufen | wissen | falls
        | wenn | sobald | nicht | nichts | kein\w* | warte\w* | bitte | gerne? | künftig | später
    )\b
    | n['\u2019]t\b
    | 完成 | 已 | 好了 | 如果 | 请 | 告诉 | 等待 | 等你 | 无法 | 没有 | 不 | 通过了 | 以后 | 今后
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The last sentence rests, waits for somebody, or says why not."""
