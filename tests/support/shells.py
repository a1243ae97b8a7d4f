"""Interactive shells of this machine at a terminal of their own, in which somebody types."""

import fcntl
import os
import pty
import select
import shutil
import subprocess
import termios
import time
from contextlib import suppress

_PROMPT = "ready: "
_START = {
    "bash": (["--rcfile", "{home}/.bashrc", "-i"], ".bashrc", f"PS1='{_PROMPT}'\n"),
    "zsh": (["-i"], ".zshrc", f"PROMPT='{_PROMPT}'\n"),
    "fish": (["-i"], ".config/fish/config.fish", f"function fish_prompt; echo -n '{_PROMPT}'; end\n"),
}
_BEGIN, _END = "\x01", "\x05"  # Ctrl-A and Ctrl-E: the ends of the line


class Shell:
    """One shell, whose start-up file holds `lines`; a context."""

    def __init__(self, name, lines, *, home, programs):
        arguments, file, prompt = _START[name]
        start_up = home / file
        start_up.parent.mkdir(parents=True, exist_ok=True)
        start_up.write_text(prompt + lines)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "HPSEARCH"))},
            "HOME": str(home),
            "ZDOTDIR": str(home),
            "TERM": "xterm",
            "EDITOR": "nano",
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        self._home, self._heard = home, ""
        self._terminal, end = pty.openpty()
        self._process = subprocess.Popen(
            [shutil.which(name), *(argument.format(home=home) for argument in arguments)],
            stdin=end,
            stdout=end,
            stderr=end,
            cwd=home,
            env=environment,
            start_new_session=True,
            # a shell wants a terminal of its own
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call of the system
        )
        os.close(end)
        self._until(lambda: _PROMPT in self._heard)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def line_after(self, typed):
        """The command line that stands there when `typed`, with its tabs, has been typed."""
        out = self._home / "line.txt"
        out.unlink(missing_ok=True)
        os.write(self._terminal, f"{typed}{_BEGIN}echo {_END} > line.txt\r".encode())
        self._until(lambda: out.exists() and out.read_text().endswith("\n"))
        return out.read_text().strip()

    def _until(self, holds, seconds=30):
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            if select.select([self._terminal], [], [], 0.05)[0]:
                with suppress(OSError):
                    self._heard += os.read(self._terminal, 65536).decode(errors="replace")
