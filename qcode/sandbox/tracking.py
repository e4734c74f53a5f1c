"""The one change of git's config that is let stand whoever made it: which branch follows which.

`git push -u` writes it twice within a millisecond, and is what people do most beside a running job.
"""

import re

_NAME = rb"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}"
_REMOTE = re.compile(rb'^\[remote "(' + _NAME + rb')"\]$', re.MULTILINE)


def only_tracks(before: bytes, after: bytes) -> bool:
    """Whether `after` is `before` and, at its end, branches that follow remotes of `before`."""
    if not after.startswith(before) or not before.endswith(b"\n"):
        return False
    remotes = b"|".join(re.escape(it) for it in _REMOTE.findall(before))
    if not remotes:
        return False
    follows = rb"\tremote = (?:%s)\n|\tmerge = refs/heads/%s\n" % (remotes, _NAME)
    section = rb'\[branch "%s"\]\n(?:%s)*' % (_NAME, follows)
    return re.fullmatch(rb"(?:%s)*" % section, after[len(before) :]) is not None
