"""A control plane on loopback: etcd and kube-apiserver, nothing that acts on the objects. And a slow line to it."""

import asyncio
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class ControlPlane:
    def __init__(self, scratch):
        self.dir = Path(scratch)
        programs = subprocess.run([ROOT / "tests/cluster/control-plane/build.sh"], stdout=subprocess.PIPE, text=True)
        if programs.returncode == 3:
            sys.exit("benches: building the control plane needs go")
        programs.check_returncode()
        self.programs = Path(programs.stdout.strip())
        self.kubectl = self.programs / "kubectl"
        self.etcd, self.port = free_port(), free_port()
        self.running = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.kill()
            process.wait()

    def spawn(self, name, *args):
        log = open(self.dir / f"{name}.log", "wb")
        self.running.append(subprocess.Popen(args, stdout=log, stderr=log, cwd=self.dir))

    def start(self):
        subprocess.run(["openssl", "genrsa", "-out", self.dir / "sa.key", "2048"], check=True, stderr=subprocess.DEVNULL)
        with open(self.dir / "sa.pub", "wb") as out:
            subprocess.run(["openssl", "rsa", "-in", self.dir / "sa.key", "-pubout"], check=True, stdout=out, stderr=subprocess.DEVNULL)
        (self.dir / "tokens.csv").write_text('admin-token,admin,1,"system:masters"\n')
        url = f"http://127.0.0.1:{self.etcd}"
        self.spawn("etcd", self.programs / "etcd", "--name=bench", f"--data-dir={self.dir}/etcd", "--unsafe-no-fsync", "--log-level=warn",
                   f"--listen-client-urls={url}", f"--advertise-client-urls={url}", "--quota-backend-bytes=4294967296",
                   "--listen-peer-urls=http://127.0.0.1:0", "--initial-advertise-peer-urls=http://127.0.0.1:0",
                   "--initial-cluster=bench=http://127.0.0.1:0")
        self.spawn("apiserver", self.programs / "kube-apiserver", f"--etcd-servers={url}", "--bind-address=127.0.0.1",
                   f"--secure-port={self.port}", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                   f"--cert-dir={self.dir}/certs", "--token-auth-file=tokens.csv", "--authorization-mode=Node,RBAC",
                   "--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=sa.pub",
                   "--service-account-signing-key-file=sa.key", "--service-cluster-ip-range=10.0.0.0/24")
        self.until_ready()

    def until_ready(self):
        for _ in range(240):
            try:
                context = ssl.create_default_context(cafile=self.dir / "certs/apiserver.crt")
                line = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=5)
                line.request("GET", "/readyz", headers={"Authorization": "Bearer admin-token"})
                if line.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.25)
        sys.exit(f"benches: the API server does not become ready; see {self.dir}/apiserver.log")

    def slow_line(self, seconds, handshake):
        """The port of a proxy that adds so much each way; also to the handshake of TCP, or only to what is sent."""
        port = free_port()
        self.spawn(f"proxy-{port}", sys.executable, __file__, str(port), str(self.port), str(seconds), str(2 * seconds * handshake))
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                time.sleep(0.05)
        sys.exit("benches: the proxy does not start")

    def environment(self, port=None):
        """What points kubectl and the plugin to the cluster, with a home of its own."""
        port = port or self.port
        config = self.dir / f"kubeconfig-{port}"
        config.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: bench\n"
            f"clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: {self.dir}/certs/apiserver.crt}}}}]\n"
            "users: [{name: u, user: {token: admin-token}}]\ncontexts: [{name: bench, context: {cluster: c, user: u}}]\n")
        return {"PATH": os.environ["PATH"], "HOME": str(self.dir), "KUBECONFIG": str(config), "KUBECACHEDIR": str(self.dir / "cache")}

    def curl(self, path):
        """The command that fetches a list as protobuf, packed."""
        return [shutil.which("curl") or sys.exit("benches: curl is needed"), "-sSf", "--compressed", "-o", "/dev/null",
                "--cacert", self.dir / "certs/apiserver.crt", "-H", "Authorization: Bearer admin-token",
                "-H", "Accept: application/vnd.kubernetes.protobuf", f"https://127.0.0.1:{self.port}{path}"]


async def forward(reader, writer, delay, first):
    """Each piece leaves so much later than it came, and the first one later still, for the handshake of TCP."""
    queue = asyncio.Queue()

    async def send():
        while True:
            due, piece = await queue.get()
            await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    sender = asyncio.ensure_future(send())
    earliest = asyncio.get_running_loop().time() + first
    try:
        while piece := await reader.read(65536):
            now = asyncio.get_running_loop().time()
            queue.put_nowait((max(now, earliest) + delay, piece))
    except ConnectionError:
        pass
    queue.put_nowait((asyncio.get_running_loop().time() + delay, b""))
    await asyncio.gather(sender, return_exceptions=True)


async def proxy(port, target, delay, handshake):
    async def serve(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(forward(reader, far_writer, delay, handshake), forward(far_reader, writer, delay, 0))

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(proxy(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
