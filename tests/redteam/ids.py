"""What has gone wrong in coding agents: an id for each, how it worked, and what answers it here.

From advisories and write-ups of 2025 and 2026; the first group are published attacks, the second
ways round a filter that one agent's changelog tells of, the third needs no bug at all, the last we
found while we tried to break qcode. `n/a` says what qcode does not have; its case then looks for
just that.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """One entry."""

    how: str
    guards: str
    """What of qcode answers it."""


def _table(text: str) -> dict[str, Known]:
    """A row an entry; what is indented goes on with the row above."""
    rows = (row.split("|") for row in text.strip().replace("\n ", " ").splitlines())
    return {name.strip(): Known(how.strip(), guards.strip()) for name, how, guards in rows}


ADVISORIES = _table("""
cve-2025-54794 | paths compared as text; an allowed echo carries a second command |
    components of real paths; both readers of the command line must agree
cve-2025-52882 | a web page talks to the agent's socket | n/a: no socket listens
cve-2025-59536 | hooks and servers of a project start before it is trusted |
    n/a: no hooks, no servers; trust before any setting of a project
cve-2026-21852 | a project sets the endpoint, and the key goes there |
    endpoint, keys and headers are no keys of a project
cve-2026-25725 | settings are protected only where they exist: a command makes them |
    names are protected, existing or not
cve-2026-39861 | a link made inside leads a later write out |
    writes follow no link, and are checked again after the approval
cve-2026-46406 | a fixed name in /tmp that others read or replace by a link |
    0700 folders with random names; a /tmp of its own inside the fence
socks5-nul | a host is judged by its end: evil.com\\0.allowed.com |
    grammar of hosts first, then label by label
deep-link | options are taken from the inside of a URL |
    n/a: no handler of URLs; a strict reader of arguments
fifty-parts | beyond fifty parts the deny rules are skipped |
    too long or too much asks, and deny rules still look
mcp-by-name | a server's command is changed after its name was approved |
    n/a: no servers; trust is bound to a hash of content
approve-once | a folder's trust outlives the commits that follow |
    trust is bound to a hash of all that configures qcode
cve-2025-61260 | a .env of the repository moves the agent's home | no .env is read
cve-2025-59532 | a working folder from the model widens what can be written |
    the fence's folders are fixed at the start
codex-git-helpers | harmless calls of git run monitors, hooks, drivers |
    git's own helpers are switched off by name; options that run code ask
cbse | a command writes what runs outside later: hooks, workflows, settings |
    protected names are read-only inside the fence
mcp-stdio | adding a server is running a program | n/a: no servers
ghsa-wpqr-6v78-jr5g | headless trusts the folder; yolo ignores the allow list |
    headless never trusts; deny beats every mode
tracebit-grep | a command behind many blanks behind an allowed grep |
    each command is judged; the whole line is shown
gemini-ci-hooks | CI runs the hooks of a pull request |
    n/a: no hooks; a project counts in CI only with --trust
gemini-11510 | chaining or a redirection behind an allowed word |
    the parse decides; a redirection is a write
cve-2026-29783 | expansions that run code inside an echo | any expansion beyond a plain $name asks
cve-2025-54135 | an injection writes the agent's own settings, which start at once |
    settings of agents are protected names
cve-2025-54136 | an approved entry is changed later | trust is bound to a hash of content
cve-2026-22708 | built-ins poison PATH and PAGER for the next allowed command |
    what sets variables asks; a fresh shell and a scrubbed environment each time
nomshub | repository content opens a tunnel |
    no network inside the fence but by a proxy, to hosts that a person allowed
guardfall | filters read the text before quotes are removed |
    read as bash does, else asked; deny rules look at words with quotes undone
takedown | tools of eight agents run and send what they are told | rules, fence, no network
cve-2026-22812 | a server without authentication, open to every page | n/a: no socket listens
clinejection | an issue's title makes the release bot publish |
    n/a: no bot; nothing runs at installation
cve-2025-53109 | prefix check and link in a guard of paths | real paths by components
ona | deny lists by path are walked round, then the sandbox is talked away |
    the fence is the boundary; no tool switches it off
guardbase | the agent edits its own permissions | its settings lie outside, hidden and protected
vuln-14070 | text of model or tool steers the terminal | one sanitiser before anything is drawn
qwen-4250 | links and races in a file server | files are opened without following links
cve-2026-42208 | a dependency's hole | n/a: no gateway; a short list of dependencies
""")

CHANGELOG = _table("""
prefix-after-and | a prefix rule matches behind && | each simple command needs its own rule
line-continuation | a backslash at the end of a line hides an operator | a continued line asks
wildcard-operators | a rule's star spans operators | a rule is about one command's words
statusline-before-trust | a status line's command runs before trust | n/a: no such command
symlinked-parent | a link in place of a folder above | real paths; opened without following links
skills-in-node-modules | skills are found in dependencies | n/a: no skills
one-dialogue-all-mcp | one yes for every server | n/a: no servers
hook-allow-over-deny | an allow beats a deny | the strictest rule wins
sandbox-silently-off | the fence is missing and nobody says so |
    a trial at the start; without a fence commands ask
rule-on-link | a rule is checked on the link, not on what it leads to |
    links are resolved before the judgement
escaped-flags | options behind backslashes and quotes | options are compared as bash hands them on
compound-commands | groups, conditions and loops | their commands are judged one by one
dev-tcp | a redirection that is a connection |
    redirections to files ask; no network inside the fence
which-injection | a substitution in the argument of which | substitutions ask
editor-file-name | a file's name becomes a command when it is opened |
    the editor gets its arguments as a list, a name of qcode's own
find-exec | find runs and deletes | its commands are judged, its deeds ask
wrappers | env, sudo, nice, timeout before the command | they are opened
comment-first-line | the first line is a comment, the rest is not seen |
    every line is judged and shown
bare-assignment | VAR=value changes the next command | assignments ask
powershell-cd | another shell's ways of changing folders | n/a: bash or sh only
zsh-subscripts | tests evaluate what is in brackets | tests that can evaluate ask
over-10000 | too long a line is not looked at | too long a line asks
descriptor-redirects | 2>, &> and {fd}> write | every form of redirection is one
help-man-pagers | pagers run commands | options and keys of pagers ask
file-m | file -m reads and -C writes | options that write or load ask
docker-host | another daemon is told what to do |
    its options ask; its socket is not reachable inside
padded-tabs | blanks and tabs push the rest out of the box | the box shows all of it, and wraps
invisible-unicode | signs that nobody sees | they make a line unclear and are named when drawn
input-redirection | < reads a file | it is a read like any other
worktree-symlink | a worktree lies behind a link | protected by name and by what it leads to
nested-repository-trust | a repository below brings its own settings |
    another folder: not trusted with its parent
diff-drivers | drivers and converters of the workspace |
    git is called without them; options for them ask
trailing-slash-deny-read | a deny rule with a slash at its end misses the folder |
    patterns are git's, and folders count
cygwin-links | links of another system | n/a: Windows only inside WSL
""")

WITHOUT_A_BUG = _table("""
feed-readme | a README tells the model what to do | assumed: rules, fence, no network
feed-issue-text | an issue does | the same
feed-test-output | a test's output does | the same; drawn through the sanitiser
feed-web-page | a page does | the result of fetch is marked; the same
feed-mcp-result | a server's result does | n/a: no servers
feed-file-names | a file's name is a command or a sequence |
    quoted as a word; drawn through the sanitiser
feed-branch-names | a branch's name is | the same
feed-commit-messages | a message is | the same
feed-image-text | words in a picture | assumed: rules, fence, no network
feed-agents-md | instructions of a dependency; written for later sessions |
    only those of the project; changing them asks
exfil-curl | curl with data | no network inside the fence; its rule is a person's
exfil-git-push | git push | the same; a rule for log is none for push
exfil-git-fetch | a crafted remote | the same
exfil-npm-view | a package's name that is data | no network inside the fence
exfil-pip-download | the same for Python | no network inside the fence
exfil-dns | a name that is data | no network inside the fence, no resolver
exfil-go-get | a module's path that is data | no network inside the fence
exfil-test-sockets | tests that open sockets | no network inside the fence but their own loopback
exfil-markdown-images | a picture's address that a terminal fetches |
    pictures are never fetched, their address is shown
exfil-osc8 | a link with another target than its words | the target is shown
exfil-web-fetch | data in an address | each host is asked once; what is asked is shown whole
exfil-git-trailers | a commit carries data | pushing is asked; no network inside the fence
exfil-ci-comments | comments of a pull request carry data |
    n/a: no tool writes them; no network inside the fence
exec-make | recipes and variables | the fence; variables ask
exec-pytest | what tests import | the fence
exec-npm-test | scripts | the fence; options for other shells ask
exec-cargo-build | build scripts | the fence; settings for one run ask
exec-git | aliases, hooks, filters, plumbing | the fence; what names a program asks
exec-tar | --checkpoint-action | asks; the fence
exec-rg-pre | --pre | asks; the fence
exec-sed-e | e and w | asks; the fence
exec-awk | system(), pipes | asks; the fence
exec-sort | --compress-program | asks; the fence
exec-ssh-proxycommand | ProxyCommand | asks
exec-git-ssh-command | GIT_SSH_COMMAND | not inherited; assignments ask; the fence
exec-lessopen | LESSOPEN | not inherited
exec-pythonstartup | PYTHONSTARTUP | not inherited; the fence
exec-pythonpath | PYTHONPATH | not inherited; the fence
exec-ld-preload | LD_PRELOAD | not inherited
exec-node-options | NODE_OPTIONS | not inherited; options that load code ask
exec-editor | EDITOR | not inherited; editors ask
exec-direnv | what a shell runs on entering a folder | a protected name; what it runs asks
server-unauthenticated | the model's server is driven by a tool |
    its port is not reachable inside the fence
server-slots | what others asked it is read | the same
stream-long-line | a line without end | bounded
stream-deep-json | JSON nested without end | bounded
stream-long-arguments | arguments and calls without end | bounded
ssrf-private | fetch is sent to a private address | addresses are judged after the look-up
ssrf-metadata | to the metadata service of a cloud | the same
ssrf-redirect | by a redirection | each hop is judged anew
ssrf-rebinding | by a name whose address changes | what was judged is what is connected to
endpoint-exemption | the endpoint is private and must work | exempt for qcode, never for tools
""")

OURS = _table("""
own-moved-keys | keys that are not where they usually lie | variables that move them are known
own-served-state | the key, the address or the conversations of a served model are read |
    hidden inside the fence
own-served-port | a person is talked into opening the model server's port | /port refuses it
own-served-program | a project names the program that serves models | not one of a project's keys
own-pull | a model is fetched although qcode is offline | refused before anything connects
own-pull-redirect | the hub sends a download on, to any machine |
    the host is told and noted first; private addresses are refused at the connection
own-bench-tests | tests of a strange repository, run by bench |
    the fence, or the person's own word
own-bench-links | a link in a folder's place, while bench writes |
    what is no folder is cleared
own-keys-by-rule | a wide rule lets tools read keys, tokens, keyrings |
    closed to tools unless a rule names the place
own-keys-by-link | a path that only leads to them | where it leads is what is judged
own-keys-by-wildcard | a rule that takes them in without naming them |
    only fixed folders of a rule name a place
own-keys-by-approval | one yes opens them for the session |
    no approval is offered for what is closed
own-keys-by-search | a search of a folder around them | searches pass over them
own-keys-by-command | a rule for cat, where no fence hides them |
    a rule for first words does not open them
own-state-by-tools | sessions, settings and environment of qcode | closed to tools as keys are
own-processes | a process outside is seen or ended | a process namespace of its own
own-git-moves | protected files are moved away instead of changed |
    they are mounts, which do not move
""")

IDS: Mapping[str, Known] = {**ADVISORIES, **CHANGELOG, **WITHOUT_A_BUG, **OURS}
"""Every id."""
