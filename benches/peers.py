"""Other tools that explain a pod, built by the go command into a scratch folder. None of their code is kept."""

import os
import re
import shutil
import subprocess
from pathlib import Path

# By name: the package, what to ask about a pod, and whether it is about pods without a node only.
PEERS = {
    "kubectl-status": ("github.com/bergerx/kubectl-status/cmd", lambda pod, space: ["pod", pod, "-n", space], False),
    "klue": ("github.com/gabor-boros/klue", lambda pod, space: ["why", "pod", pod, "-n", space], False),
    "kubectl-why-pending": ("github.com/SaiRohithGuntupally/kubectl-why-pending", lambda pod, space: [pod, "-n", space], True),
    "k8sgpt": ("github.com/k8sgpt-ai/k8sgpt", lambda pod, space: ["analyze", "--filter", "Pod", "-n", space], False),
}
PATIENCE = 1800


def build(package, folder):
    """The program, and if there is none why not, in a few words."""
    if not shutil.which("go"):
        return None, "there is no go command"
    folder.mkdir(parents=True)
    try:
        built = subprocess.run(["go", "install", f"{package}@latest"], cwd=folder, env=os.environ | {"GOBIN": str(folder), "GOWORK": "off"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None, f"not done in {PATIENCE // 60} minutes"
    programs = [path for path in folder.iterdir() if path.is_file()]
    if built.returncode == 0 and len(programs) == 1:
        return programs[0], None
    return None, reason(built.stderr)


def reason(error):
    """The first complaint of the go command, without addresses, on one line of a table."""
    lines = [line.strip() for line in error.splitlines() if line.strip() and not line.startswith("go: downloading")]
    first = re.sub(r".*https?://\S+\s*", "", lines[0]) if lines else ""
    response = [line.split(":", 1)[1].strip() for line in lines if line.startswith("server response:")]
    words = ": ".join(filter(None, [first.strip(" :"), *response[:1]]))
    return (words or "no reason given").replace("|", "/")[:120]


def built(scratch):
    """Each peer with its program, or with the reason why there is none."""
    for name, (package, ask, pending) in PEERS.items():
        print(f"building {name}", flush=True)
        program, why = build(package, Path(scratch) / name)
        yield name, program, why, ask, pending
