"""What a fence hides and what it keeps from being written, by name.

Paths are relative to the home folder or to a workspace. What only runs when the person runs the
project itself (a Makefile, `package.json`, tests) is the project's and not here.
"""

SECRETS = (
    # keys and tokens
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/gcloud", ".config/gh",
    ".config/hub", ".config/glab-cli", ".config/doctl", ".config/rclone", ".config/op",
    ".config/sops", ".config/1Password", ".1password", ".password-store", ".vault-token",
    ".terraform.d", ".oci", ".ibmcloud", ".netrc", ".git-credentials", ".config/git/credentials",
    ".npmrc", ".yarnrc.yml", ".pypirc", ".cargo/credentials", ".cargo/credentials.toml",
    ".gem/credentials", ".m2/settings.xml", ".m2/settings-security.xml",
    ".gradle/gradle.properties", ".composer/auth.json", ".config/composer/auth.json",
    ".s3cfg", ".boto", ".pgpass", ".my.cnf", ".mylogin.cnf", ".huggingface",
    ".config/containers/auth.json", ".config/pypoetry/auth.toml", ".config/Bitwarden",
    ".config/Code/User/globalStorage", ".config/Cursor/User/globalStorage", ".subversion/auth",
    ".cache/huggingface/token", ".cache/huggingface/stored_tokens", ".netlify", ".fly",
    # keyrings
    ".local/share/keyrings", ".local/share/kwalletd", ".config/kwalletrc", ".pki",
    ".local/share/python_keyring",
    # browsers and messengers
    ".mozilla", ".librewolf", ".thunderbird", ".config/google-chrome", ".config/chromium",
    ".config/BraveSoftware", ".config/microsoft-edge", ".config/vivaldi", ".config/opera",
    ".config/Signal", ".config/Slack", ".config/discord", ".config/Element",
    ".cache/mozilla", ".cache/google-chrome", ".cache/chromium", ".var/app",
    "snap/firefox", "snap/chromium",
    # what was typed
    ".bash_history", ".zsh_history", ".local/share/fish", ".python_history",
    ".node_repl_history", ".psql_history", ".mysql_history", ".sqlite_history", ".lesshst",
    # other agents: keys and conversations
    ".claude", ".claude.json", ".codex", ".gemini", ".qwen", ".cursor", ".continue", ".aider",
    ".config/opencode", ".local/share/opencode", ".config/github-copilot",
)  # fmt: skip
"""Below the home folder; one that does not exist is no secret."""

MAC_SECRETS = (
    "Library/Keychains", "Library/Cookies", "Library/Safari", "Library/Messages", "Library/Mail",
    "Library/Application Support/Google/Chrome", "Library/Application Support/Chromium",
    "Library/Application Support/Firefox", "Library/Application Support/BraveSoftware",
    "Library/Application Support/Microsoft Edge", "Library/Application Support/Slack",
    "Library/Application Support/Signal", "Library/Application Support/discord",
    "Library/Application Support/gcloud", "Library/Application Support/1Password",
)  # fmt: skip
"""The same where home folders are macOS's."""

SYSTEM_SECRETS = (
    *("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssl/private"),
    *("/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet", "/etc/kubernetes"),
    *("/run/secrets", "/var/run/secrets"),
)
"""Some of them matter where qcode runs as root, in a container."""

RUNTIME = (
    *("current-system", "booted-system", "opengl-driver", "wrappers"),  # NixOS lives there
    *("systemd/resolve/resolv.conf", "systemd/resolve/stub-resolv.conf"),
)
"""What of /run is shown; the rest of it is sockets."""

NAMES = (
    # agents and their servers
    ".qcode", ".claude", ".codex", ".gemini", ".qwen", ".cursor", ".continue", ".mcp.json",
    ".opencode", "opencode.json", ".windsurf", ".kiro", ".roo",
    # git: what it runs, and what makes it look for that elsewhere
    ".git/hooks", ".git/config", ".git/commondir", ".githooks", ".husky",
    ".pre-commit-config.yaml",
    # what continuous integration runs
    ".github/workflows", ".github/actions", ".gitlab-ci.yml", ".circleci", ".gitea/workflows",
    ".forgejo/workflows",
    # editors
    ".vscode", ".idea", ".devcontainer", ".zed", ".helix", ".nvim.lua", ".exrc", ".vimrc",
    ".dir-locals.el",
    # shells, on entering a folder
    ".envrc", ".direnv",
)  # fmt: skip
"""Below a workspace: nothing of these names is written or made by a command."""

EXISTING = (
    ".git/config.worktree", ".git/modules", ".git/worktrees", ".gitmodules", ".gitconfig",
    ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".netrc", ".ripgreprc",
    "lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml", ".aider.conf.yml",
    ".buildkite", ".woodpecker", ".woodpecker.yml", ".drone.yml", ".travis.yml",
    "azure-pipelines.yml", "bitbucket-pipelines.yml", "Jenkinsfile",
)  # fmt: skip
"""Below a workspace, but only where they are: to forbid them would break what people do."""

HOME_NAMES = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile",
    ".inputrc", ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".oh-my-zsh",
    ".config/fish", ".config/qcode", ".config/git", ".gitconfig", ".config/systemd",
    ".config/autostart", ".config/environment.d", ".config/nvim", ".vim", ".emacs", ".emacs.d",
    ".local/bin", "bin", ".pam_environment", ".xprofile", ".xsession", ".xinitrc", ".tmux.conf",
    ".screenrc", ".pdbrc", ".pythonrc", ".curlrc", ".wgetrc", ".local/share/applications",
    ".local/share/qcode", ".local/state/qcode", ".ssh", ".gnupg",
)  # fmt: skip
"""Where the workspace is the home folder, these as well."""

REDIRECTIONS = {".git/commondir": ".", "commondir": "."}
"""A missing name that an empty folder would break git at -> the text of a file that does nothing.

`commondir` names the folder whose hooks and config git takes; `.` is the one it is in.
"""
