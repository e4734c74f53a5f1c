"""What can go wrong with a file, as sentences."""

import errno

from qcode.protocol.errors import InputError


class FileTrouble(InputError):
    """A file cannot be read or written. `str(error)` says what happened, where, what to do."""


class Missing(FileTrouble):
    """There is no such file."""


class IsFolder(FileTrouble):
    """A folder stands where a file was meant."""


_SENTENCES = {
    errno.ENOENT: "{path} does not exist.",
    errno.EACCES: "{path}: no permission to {doing} it. Its owner can change that with chmod.",
    errno.EPERM: "{path}: the system does not permit to {doing} it (immutable, or not yours).",
    errno.EROFS: "{path}: the disk is mounted read-only. Nothing was changed.",
    errno.ENOSPC: "{path}: the disk is full. Nothing was changed; free some space first.",
    errno.EDQUOT: "{path}: the disk quota is used up. Nothing was changed; free some space first.",
    errno.EFBIG: "{path}: larger than the system lets a file grow. Nothing was changed.",
    errno.EISDIR: "{path} is a folder. Name a file in it.",
    errno.ENOTDIR: "{path}: a part of this path is a file, not a folder.",
    errno.ENAMETOOLONG: "{path}: the name is longer than this disk allows.",
    errno.ELOOP: "{path}: a symbolic link stands where a file was found before. Try again.",
    errno.ETXTBSY: "{path} is a program that runs now. Stop it first.",
    errno.EMFILE: "{path}: too many files are open. Stop background commands, then try again.",
}
_KINDS = {errno.ENOENT: Missing, errno.EISDIR: IsFolder}


def trouble(error: OSError | ValueError, path: str, doing: str) -> FileTrouble:
    """The sentence for `error`; `path` as people know it, `doing` = `read`, `write` or `list`."""
    if not isinstance(error, OSError):
        return FileTrouble(f"{path!r} holds a character that no file name can have.")
    number = error.errno or 0
    sentence = _SENTENCES.get(number)
    if sentence is None:
        return FileTrouble(f"{path}: could not {doing} it ({error.strerror or error}).")
    return _KINDS.get(number, FileTrouble)(sentence.format(path=path, doing=doing))
