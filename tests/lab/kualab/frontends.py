"""Configurations of the real servers in front of the origin: nginx for HTTP and TLS, caddy for HTTP/3."""
from __future__ import annotations

import json
import pathlib
from collections.abc import Callable

from .hosting import Hosting, Listener, VirtualHost
from .names import is_ip4
from .origin import HOST_HEADER, SCHEME_HEADER

NGINX = """user root;
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.error.log warn;
events {{ worker_connections 512; }}
http {{
  access_log {directory}/nginx.access.log;
  client_body_temp_path {directory}/nginx.body;
  proxy_temp_path {directory}/nginx.proxy;
  fastcgi_temp_path {directory}/nginx.fastcgi;
  uwsgi_temp_path {directory}/nginx.uwsgi;
  scgi_temp_path {directory}/nginx.scgi;
  server_names_hash_bucket_size 256;
  proxy_buffering off;
  proxy_redirect off;
  proxy_pass_header Server;
  proxy_set_header Host $http_host;
  ssl_session_cache off;
  ssl_protocols TLSv1.2 TLSv1.3;
{servers}}}
"""

SERVER = """  server {{
    listen {address}:{port}{flags};
    server_name {names};
{tls}    location / {{
      proxy_set_header {host_header} {key};
      proxy_set_header {scheme_header} {scheme};
      proxy_set_header Host $http_host;
      proxy_pass http://unix:{socket}:;
    }}
  }}
"""

CertificateOf = Callable[[VirtualHost], tuple[pathlib.Path, pathlib.Path]]


def nginx_servers(listener: Listener, certificate_of: CertificateOf, socket: pathlib.Path) -> str:
    text = ""
    for number, host in enumerate(listener.hosts):
        flags = (" ssl" if listener.tls else "") + (" default_server" if number == 0 else "")
        tls = ""
        if listener.tls:
            certificate, key = certificate_of(host)
            tls = f"    ssl_certificate {certificate};\n    ssl_certificate_key {key};\n"
        address = listener.address if is_ip4(listener.address) else f"[{listener.address}]"
        text += SERVER.format(address=address, port=listener.port, flags=flags, names=" ".join(host.site.hosts),
                              tls=tls, host_header=HOST_HEADER, key=host.key, scheme_header=SCHEME_HEADER,
                              scheme="https" if listener.tls else "http", socket=socket)
    return text


def write_nginx(directory: pathlib.Path, hosting: Hosting, certificate_of: CertificateOf,
                socket: pathlib.Path) -> pathlib.Path:
    servers = "".join(nginx_servers(listener, certificate_of, socket)
                      for listener in hosting.listeners.values() if not listener.ours)
    path = directory / "nginx.conf"
    path.write_text(NGINX.format(directory=directory, servers=servers))
    return path


def write_caddy(directory: pathlib.Path, hosting: Hosting, certificate_of: CertificateOf,
                socket: pathlib.Path) -> pathlib.Path:
    """HTTP/3. Caddy also takes TCP 443 where it listens, so it has addresses of its own; the forwarder
    sends it what comes for UDP 443 of a site's."""
    files, servers = [], {}
    for number, (address, host) in enumerate(hosting.quic):
        certificate, key = certificate_of(host)
        if not any(entry["certificate"] == str(certificate) for entry in files):
            files.append({"certificate": str(certificate), "key": str(key)})
        listen = hosting.quic_aliases[address]
        servers[f"server{number}"] = {
            "listen": [f"{listen}:443" if is_ip4(listen) else f"[{listen}]:443"], "protocols": ["h1", "h2", "h3"],
            "automatic_https": {"disable": True}, "tls_connection_policies": [{"default_sni": host.site.hosts[0]}],
            "routes": [{"handle": [{
                "handler": "reverse_proxy", "upstreams": [{"dial": f"unix/{socket}"}],
                "headers": {"request": {"set": {HOST_HEADER: [host.key], SCHEME_HEADER: ["https"]}}}}]}]}
    path = directory / "caddy.json"
    path.write_text(json.dumps({
        "admin": {"disabled": True, "config": {"persist": False}},
        "apps": {"http": {"servers": servers}, "tls": {"certificates": {"load_files": files}}}}, indent=1))
    return path
