"""A real S3 server, moto's, with a bucket that takes objects by lines of the standard input: the key, a tab, the text."""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
store = boto3.client(
    "s3",
    endpoint_url=f"http://{host}:{port}",
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
)
store.create_bucket(Bucket="landing")
print(f"http://{host}:{port}", flush=True)
for line in sys.stdin:
    key, text = line.rstrip("\n").split("\t", 1)
    store.put_object(Bucket="landing", Key=key, Body=text.replace("|", "\n").encode())
    print("put", flush=True)
