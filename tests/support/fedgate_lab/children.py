"""Child processes that cannot outlive us: each is ended by its pid, at the latest when this process dies for whatever reason."""
import atexit
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_alive = []
_given_out = set()


def free_port():
    """A port of 127.0.0.1 that is free now and was not given out before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _given_out:
            _given_out.add(port)
            return port


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def descendants(pid):
    """Pids of all children, grandchildren … of pid with their command names: [(pid, name)]."""
    parents = {}
    names = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
            name = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace").rsplit("/", 1)[-1]
        except OSError:
            continue
        fields = stat.rsplit(")", 1)[1].split()
        if fields[0] == "Z":
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
        names[int(entry.name)] = name
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.append((child, names[child]))
            waiting.append(child)
    return found


def _end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One process. Started with start(), ended with stop() (politely) or kill() (SIGKILL), started again on the same data with start()."""

    def __init__(self, name, command, folder, environment=None, log=None, stdout=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.folder = pathlib.Path(folder)
        self.environment = environment or {}
        self.log = pathlib.Path(log) if log else self.folder / f"{name}.log"
        self.stdout = stdout  # None: into the log as well
        self.process = None

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        # A session of its own: Ctrl-C in the terminal reaches us, and we end the children in our order.
        with open(self.log, "ab") as log:
            out = open(self.stdout, "ab") if self.stdout else log
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True,
                preexec_fn=_end_with_parent, env={**os.environ, **self.environment})
            if self.stdout:
                out.close()
        _alive.append(self)

    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """SIGKILL: what a crash or the kernel's memory killer does."""
        if self.running():
            os.kill(self.process.pid, signal.SIGKILL)
        self._reaped()

    def stop(self, timeout_s=10):
        """SIGTERM, then SIGKILL when that did not help in time. Children of the process are ended too. Returns the exit status."""
        if self.process is None:
            return None
        family = descendants(self.process.pid) if self.running() else []
        if self.running():
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
        self._reaped()
        for pid, name in family:
            try:
                if (pid, name) in [(pid, _name_of(pid))]:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.process.returncode

    def _reaped(self):
        if self.process is not None:
            self.process.wait(10)
        if self in _alive:
            _alive.remove(self)

    def log_tail(self, lines=15):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def require_running(self):
        if not self.running():
            status = self.process.returncode if self.process else "never started"
            raise RuntimeError(f"{self.name} ended by itself (exit status {status}); the end of {self.log}:\n{self.log_tail()}")


def _name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode(errors="replace").rsplit("/", 1)[-1]
    except OSError:
        return None


def end_all():
    """Ends whatever is left, newest first. Called at exit; harmless twice."""
    deadline = time.monotonic() + 20
    for child in list(reversed(_alive)):
        try:
            child.stop(max(0.5, min(5, deadline - time.monotonic())))
        except Exception as error:  # the others still have to be ended
            print(f"while ending {child.name}: {error}")


atexit.register(end_all)
