"""The peers of the probe bench: one nginx with TLS 1.3 and a 50 KB page, one unbound that knows its name.

Everything lives below one temporary directory and listens on loopback only.
"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

SITE = "site.test"
TLS_PORT = 8443
DNS_PORT = 5353
PAGE_BYTES = 50 * 1024


def make_certificates(folder: pathlib.Path) -> None:
    """A private CA and a P-256 leaf for SITE."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=bench CA", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *curve, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", f"/CN={SITE}")
    (folder / "leaf.ext").write_text(f"subjectAltName=DNS:{SITE}\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-extfile", "leaf.ext", "-out", "leaf.pem")


def write_nginx(folder: pathlib.Path) -> pathlib.Path:
    html = folder / "html"
    html.mkdir()
    head = "<!doctype html><title>bench</title>"
    (html / "index.html").write_text(head + "x" * (PAGE_BYTES - len(head)))
    conf = folder / "nginx.conf"
    conf.write_text(f"""
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 5;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{TLS_PORT} ssl backlog=4096; server_name {SITE}; root {html};
    ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.key;
    ssl_protocols TLSv1.3; ssl_session_tickets off; ssl_session_cache off;
  }}
}}
""")
    return conf


def write_unbound(folder: pathlib.Path) -> pathlib.Path:
    conf = folder / "unbound.conf"
    conf.write_text(f"""
server:
  interface: 127.0.0.1@{DNS_PORT}
  interface: 127.0.0.1@53
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: "{folder}/unbound.log"
  num-threads: 1
  module-config: "iterator"
  local-zone: "{SITE}." static
  local-data: "{SITE}. 300 IN A 127.0.0.1"
remote-control:
  control-enable: no
""")
    return conf


def wait_for_port(port: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port} after {seconds} s")


def start(folder: pathlib.Path, cpu: int) -> list[subprocess.Popen]:
    """Starts both servers on one CPU; the caller ends them."""
    make_certificates(folder)
    pin = ["taskset", "-c", str(cpu)]
    nginx = ["nginx", "-c", str(write_nginx(folder)), "-e", f"{folder}/nginx.log"]
    unbound = ["unbound", "-d", "-c", str(write_unbound(folder))]
    processes = [subprocess.Popen(pin + nginx), subprocess.Popen(pin + unbound)]
    wait_for_port(TLS_PORT)
    wait_for_port(DNS_PORT)
    return processes


def enter_namespace(mark: str) -> None:
    """Runs the script again in network and mount namespaces of its own, loopback up, resolv.conf ours.

    Returns inside, which the environment variable `mark` tells.
    """
    if os.environ.get(mark) == "1":
        return
    os.environ[mark] = "1"
    script = ("ip link set lo up && printf 'nameserver 127.0.0.1\\n' > \"$1/resolv.conf\" && "
              "mount --bind \"$1/resolv.conf\" /etc/resolv.conf && shift && exec \"$@\"")
    with tempfile.TemporaryDirectory() as folder:
        command = ["unshare", "-n", "-m"] + ([] if os.geteuid() == 0 else ["-U", "-r"])
        done = subprocess.run(command + ["sh", "-c", script, "sh", folder, sys.executable, *sys.argv])
    sys.exit(done.returncode)
