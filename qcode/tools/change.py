"""What `write` and `edit` share: new text into a file, and the diff for people."""

from dataclasses import dataclass

from qcode.protocol.display import DiffBlock
from qcode.protocol.text import well_formed
from qcode.workspace.diff import counts, unified
from qcode.workspace.encoding import Encoding, unencodable
from qcode.workspace.files import Loaded, Located
from qcode.workspace.save import save
from qcode.workspace.trouble import FileTrouble


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that was written."""

    digest: str
    block: DiffBlock


@dataclass(frozen=True, slots=True)
class Change:
    """One file's text before and after, with its own line ends."""

    before: str
    after: str
    encoding: Encoding
    was: Loaded | None
    """None = the file is new."""

    def put(self, located: Located) -> Changed:
        """Write it. Raises FileTrouble; then the file is as it was."""
        if lacking := unencodable(self.after, self.encoding):
            raise FileTrouble(
                f"{located.shown} is written in {self.encoding.shown}, which has no character "
                f"{well_formed(lacking)!r} (U+{ord(lacking):04X}). Leave it out, or convert the "
                "file to UTF-8 first. Nothing was changed."
            )
        digest = save(located, self.encoding.encode(self.after), self.was)
        return Changed(digest, self._block(located))

    def _block(self, located: Located) -> DiffBlock:
        before, after = self.before.replace("\r\n", "\n"), self.after.replace("\r\n", "\n")
        patch = well_formed(unified(before, after, located.shown))
        return DiffBlock(located.shown, patch, *counts(patch))
