"""List the errors about DNS records.

Codes and texts come from public issues that show Cloudflare's answer, or an error says that it is
our interpretation: 81044 from zanjie1999/cloudflare-api-v4-ddns #5, 81053 from HermanMartinus/
bearblog #105, 81054 from favonia/cloudflare-ddns #990, 81058 from jeessy2/ddns-go #1378, 9004 from
hashicorp/terraform #11991, 1004 from pulumi/pulumi-cloudflare #292.
"""

from flowflare.emulator.envelope import Code

record_not_found = Code(
    404,
    81044,
    "Record does not exist.",
    "an unknown DNS record ID. The status is our interpretation.",
)
record_exists = Code(
    400,
    81058,
    "An identical record already exists.",
    "a DNS record with the name, type and content of another one.",
)
host_exists = Code(
    400,
    81053,
    "An A, AAAA, or CNAME record with that host already exists.",
    "a CNAME record with the name of another A, AAAA or CNAME record.",
)
alias_exists = Code(
    400,
    81054,
    "A CNAME record with that host already exists. For more details, refer to "
    "<https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/"
    "records-with-same-name/>.",
    "an A or AAAA record with the name of a CNAME record.",
)
not_ipv4 = Code(
    400,
    9005,
    "Content for A record must be a valid IPv4 address.",
    "an A record without an IPv4 address. Code and text are our interpretation.",
)
not_ipv6 = Code(
    400,
    9006,
    "Content for AAAA record must be a valid IPv6 address.",
    "an AAAA record without an IPv6 address. Code and text are our interpretation.",
)
not_proxiable = Code(
    400,
    9004,
    "This kind of record cannot be proxied",
    "`proxied` for another type than A, AAAA and CNAME.",
)
invalid_record = Code(
    400,
    1004,
    "DNS Validation Error: {problem}",
    "an invalid name, type, content, `ttl` or priority. What follows the colon is our "
    "interpretation.",
)
record_of_worker = Code(
    400,
    1043,
    "DNS record is managed by a Worker's custom domain and cannot be changed here.",
    "a change of a custom domain's record. Code and text are our interpretation.",
)
