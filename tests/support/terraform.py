"""Run Terraform with the real Cloudflare provider, which the tests do not install.

The tests use `terraform` of PATH and a build of the provider in `build/terraform`. A build of its
whole source takes hours. One whose `internal/provider.go` lists only the resources and data sources
that these tests use takes six minutes on two processors.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.waiting import PATIENCE

PROVIDER = Path(__file__).parents[2] / "build/terraform/terraform-provider-cloudflare"
IS_INSTALLED = shutil.which("terraform") is not None and PROVIDER.exists()
_NO_CHANGES = 0
_HEAD = """\
terraform {
  required_providers {
    cloudflare = { source = "cloudflare/cloudflare" }
  }
}
variable "account" {}
variable "zone" {}
"""
_SETTINGS = """\
provider_installation {
  dev_overrides {
    "cloudflare/cloudflare" = %s
  }
  direct {}
}
"""


class Terraform:
    """A folder with a configuration and its state.

    Args:
        folder: a new folder.
        base_url: the address of the API.
        token: the API's token.
        account: what `var.account` is.
        zone: what `var.zone` is.
    """

    def __init__(self, folder: Path, base_url: str, token: str, account: str, zone: str) -> None:
        self.folder = folder
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TF_CLI_CONFIG_FILE": str(folder / "terraformrc"),
            "CHECKPOINT_DISABLE": "1",
            "CLOUDFLARE_BASE_URL": base_url,
            "CLOUDFLARE_API_TOKEN": token,
            "TF_VAR_account": account,
            "TF_VAR_zone": zone,
        }
        text = _SETTINGS.replace("%s", json.dumps(str(PROVIDER.parent)))
        (folder / "terraformrc").write_text(text, encoding="utf-8")

    def apply(self, configuration: str) -> None:
        """Apply a configuration, and expect the plan after it to be empty."""
        (self.folder / "main.tf").write_text(_HEAD + configuration)
        code, output = self._run("apply", "-auto-approve")
        assert code == 0, _select(output, "Error:")
        code, output = self._run("plan", "-detailed-exitcode")
        assert code == _NO_CHANGES, _select(output, "Terraform will perform")

    def destroy(self) -> None:
        """Delete all resources."""
        code, output = self._run("destroy", "-auto-approve")
        assert code == 0, _select(output, "Error:")

    def _run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["terraform", *words, "-no-color", "-input=false"],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _select(output: str, start: str) -> str:
    """Skip unknown values, and everything before a text."""
    _, _, told = output.partition(start)
    lines = (told or output).splitlines()
    return "\n".join(line for line in lines if "known after apply" not in line)
