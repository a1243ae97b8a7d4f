"""Hosts of the tests' own on this machine: network namespaces, each with an address, joined by a bridge."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest


class Hosts:
    """Hosts by name; each reaches the others under its address, and nothing else."""

    def __init__(self, names):
        self._tag = f"hp{os.getpid() % 100_000}"
        self._numbers = {name: number for number, name in enumerate(names, start=1)}

    def address(self, name):
        return f"10.231.7.{self._numbers[name]}"

    def prefix(self, name):
        """What a command is begun with to run on a host."""
        return ("ip", "netns", "exec", self._namespace(name))

    def unplug(self, name):
        """Cut a host off: its processes live, its packets are lost without a word."""
        _ip("link", "set", self._cable(name), "down")

    def build(self):
        bridge = f"{self._tag}b"
        _ip("link", "add", bridge, "type", "bridge")
        _ip("link", "set", bridge, "up")
        for name in self._numbers:
            space, cable = self._namespace(name), self._cable(name)
            _ip("netns", "add", space)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", cable, "master", bridge, "up")
            for setting in (
                ("addr", "add", f"{self.address(name)}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", space, *setting)

    def remove(self):
        """All of it, also what was only begun."""
        for name in self._numbers:
            subprocess.run(["ip", "netns", "del", self._namespace(name)], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"{self._tag}b"], capture_output=True, check=False)

    def _namespace(self, name):
        return f"{self._tag}-{name}"

    def _cable(self, name):
        return f"{self._tag}v{self._numbers[name]}"


def _ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def hosts(*names):
    """Hosts of these names; the test is skipped where they may not be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    made = Hosts(names)
    try:
        try:
            made.build()
        except PermissionError as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        yield made
    finally:
        made.remove()
