"""What `write` and `edit` share: new text for a file, told before it is written."""

from dataclasses import dataclass, replace

from qcode.protocol.display import DiffBlock
from qcode.protocol.text import well_formed
from qcode.workspace.diff import counts, unified
from qcode.workspace.encoding import Encoding, unencodable
from qcode.workspace.files import Loaded, Located
from qcode.workspace.save import save
from qcode.workspace.trouble import FileTrouble


@dataclass(frozen=True, slots=True)
class Change:
    """One file's text before and after, with its own line ends. Nothing is written by making it;
    `planned` does."""

    located: Located
    before: str
    after: str
    encoding: Encoding
    was: Loaded | None
    """None = the file is new."""
    block: DiffBlock
    said: str = ""
    """For the model, once it is written."""

    def put(self) -> str:
        """Write it; returns the digest. Raises FileTrouble; then the file is as it was."""
        return save(self.located, self.encoding.encode(self.after), self.was)

    def saying(self, text: str) -> "Change":
        """The same with words for the model."""
        return replace(self, said=text)


def planned(
    located: Located, before: str, after: str, encoding: Encoding, was: Loaded | None
) -> Change:
    """The change. Raises FileTrouble for text that the file's encoding cannot hold."""
    if lacking := unencodable(after, encoding):
        raise FileTrouble(
            f"{located.shown} is written in {encoding.shown}, which has no character "
            f"{well_formed(lacking)!r} (U+{ord(lacking):04X}). Leave it out, or convert the "
            "file to UTF-8 first. Nothing was changed."
        )
    return Change(located, before, after, encoding, was, _block(located, before, after))


def _block(located: Located, before: str, after: str) -> DiffBlock:
    """Its hunks are those of `review.hunks` of the same texts."""
    patch = well_formed(unified(before, after, located.shown).replace("\r\n", "\n"))
    return DiffBlock(located.shown, patch, *counts(patch))
