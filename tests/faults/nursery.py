"""A process whose children do a task and are killed at a chosen moment of it.

Run as a script with the name of a task. A line of JSON on its standard input asks for
one child: `{"home": …, "at": n}` kills it (SIGKILL) before its n-th change of a file in
`home`, counted from 0; `{"home": …, "after": s}` kills it after s seconds; neither lets
it finish. What the task needs is imported once, before the first child: so a child
starts in no time, and is a process of its own all the same. The answer is a line of
JSON: `killed`, `changes` (how many the child made), `seconds`, and the task's `result`.
"""

import json
import os
import select
import signal
import sys
import time
import traceback

import killed_tasks

# Audit events (https://docs.python.org/3/library/audit_events.html) that change a file.
CHANGES = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod"),
    *("os.truncate", "os.utime", "shutil.rmtree", "shutil.copyfile"),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Watch:
    """Counts the changes of files in a folder; ends the process before one of them."""

    def __init__(self, home: str, at: int | None):
        self.home, self.at, self.count = home, at, 0
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple) -> None:
        opened = event == "open" and arguments[2] & WRITING
        if not (opened or event in CHANGES):
            return
        path = arguments[1] if event == "shutil.copyfile" else arguments[0]
        if isinstance(path, int) or not os.fsdecode(path).startswith(self.home):
            return
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def child(task, home: str, at: int | None, answer: int) -> None:
    """Do the task and write what came of it to the file descriptor `answer`."""
    os.setpgid(0, 0)
    os.environ["CIFAR100_HOME"] = home
    watch = Watch(home, at)
    began = time.monotonic()
    try:
        result = task(home)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    seconds = time.monotonic() - began
    told = {"changes": watch.count, "seconds": seconds, "result": result}
    os.write(answer, json.dumps(told).encode())
    os._exit(0)


def run(task, home: str, at: int | None = None, after: float | None = None) -> dict:
    """One child, killed or not."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(reading)
        child(task, home, at, writing)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], 300 if after is None else after)
    if not ready:
        os.kill(pid, signal.SIGKILL)
    with open(reading, "rb") as pipe:
        told = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise SystemExit(f"the task failed with {status}")
    killed = status == -signal.SIGKILL
    return {"killed": killed, **(json.loads(told) if told else {})}


def main() -> None:
    task = killed_tasks.prepared(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(run(task, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
