"""The lab's certificate authorities and what they issue, made with the openssl program. Keys and
certificates are kept between scenarios: they are the only thing that is."""
from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import tempfile

TRUSTED_ROOT = "Kua Lab Root"
UNTRUSTED_ROOT = "Nobody Trusts This Root"

CA_CONFIG = """
[ca]
default_ca = lab
[lab]
database = {directory}/index
new_certs_dir = {directory}
serial = {directory}/serial
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = none
[anything]
commonName = supplied
"""


class CertificateError(Exception):
    """The openssl program failed; the text is what it said."""


def run_openssl(arguments: list[str]) -> str:
    done = subprocess.run(["openssl"] + arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise CertificateError(f"openssl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class Certificates:
    """`directory` is shared by scenarios that run at the same time: a file appears whole or not at all."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def _make(self, name: str, make) -> pathlib.Path:
        path = self.directory / name
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
                made = pathlib.Path(scratch) / "made"
                make(made, pathlib.Path(scratch))
                try:
                    os.link(made, path)
                except FileExistsError:
                    pass  # somebody was faster; theirs is used by all
        return path

    def key(self, owner: str) -> pathlib.Path:
        return self._make(f"{tag(owner)}.key", lambda made, _: run_openssl(
            ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(made)]))

    def root(self, name: str) -> pathlib.Path:
        """A self-signed authority of that common name."""
        key = self.key(f"root {name}")
        return self._make(f"{tag('root ' + name)}.crt", lambda made, _: run_openssl(
            ["req", "-x509", "-new", "-key", str(key), "-subj", f"/CN={name}", "-days", "30", "-out", str(made),
             "-addext", "keyUsage=critical,keyCertSign,cRLSign"]))

    def leaf(self, hosts: tuple[str, ...], kind: str, root: str = TRUSTED_ROOT) -> tuple[pathlib.Path, pathlib.Path]:
        """(certificate with its chain, key) for a site's kind of certificate."""
        if kind == "untrusted_root":
            root = UNTRUSTED_ROOT
        names = ("other.example",) if kind == "wrong_host" else hosts
        owner = f"{kind} {root} {' '.join(names)}"
        key = self.key(f"leaf {owner}")
        extensions = ("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=" +
                      ",".join(f"DNS:{name}" for name in names) + "\n")

        def make(made: pathlib.Path, scratch: pathlib.Path) -> None:
            (scratch / "ext").write_text(extensions)
            subject = f"/CN={names[0][:64]}"
            if kind == "self_signed":
                run_openssl(["req", "-x509", "-new", "-key", str(key), "-subj", subject, "-days", "30", "-out",
                             str(made), "-addext", extensions.strip().splitlines()[-1]])
                return
            run_openssl(["req", "-new", "-key", str(key), "-subj", subject, "-out", str(scratch / "csr")])
            authority, authority_key = self.root(root), self.key(f"root {root}")
            if kind == "expired":
                self._sign_expired(scratch, made, authority, authority_key)
            else:
                run_openssl(["x509", "-req", "-in", str(scratch / "csr"), "-CA", str(authority), "-CAkey",
                             str(authority_key), "-days", "30", "-extfile", str(scratch / "ext"), "-out", str(made)])
            with made.open("a") as chain:
                chain.write(authority.read_text())

        return self._make(f"{tag('leaf ' + owner)}.crt", make), key

    @staticmethod
    def _sign_expired(scratch: pathlib.Path, made: pathlib.Path, authority: pathlib.Path,
                      authority_key: pathlib.Path) -> None:
        (scratch / "index").write_text("")
        (scratch / "serial").write_text("1000\n")
        (scratch / "ca.conf").write_text(CA_CONFIG.format(directory=scratch))
        run_openssl(["ca", "-batch", "-config", str(scratch / "ca.conf"), "-cert", str(authority), "-keyfile",
                     str(authority_key), "-in", str(scratch / "csr"), "-extfile", str(scratch / "ext"), "-notext",
                     "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-out", str(made)])

    def spki_sha256(self, certificate: pathlib.Path) -> str:
        public = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"],
                                capture_output=True, check=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, capture_output=True,
                             check=True).stdout
        return hashlib.sha256(der).hexdigest()


def tag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
