"""IPv4 addresses as a network without IPv4 writes them (RFC 6052)."""
import ipaddress


def nat64_address(ip4: str) -> str:
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) + int(ipaddress.IPv4Address(ip4))))
