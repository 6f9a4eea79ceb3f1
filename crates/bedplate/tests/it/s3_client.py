"""boto3, pyarrow and DuckDB, unchanged, against the S3 listener.

usage: s3_client.py URL KEY SECRET OTHER_KEY OTHER_SECRET; prints one JSON object. The first key is that of an editor of
`care` and of `rides`, the other that of a stranger.
"""

import hashlib
import io
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import duckdb
import duckdb_extension_httpfs
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
from botocore.config import Config
from botocore.exceptions import ClientError

URL, KEY, SECRET, OTHER_KEY, OTHER_SECRET = sys.argv[1:6]
CONFIG = Config(signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": "path"})
told = {}


def client(key, secret, config=CONFIG):
    return boto3.client(
        "s3",
        endpoint_url=URL,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=config,
    )


def code(ask):
    try:
        ask()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def buckets(s3):
    told["create"] = s3.create_bucket(Bucket="care")["ResponseMetadata"]["HTTPStatusCode"]
    told["create_again"] = code(lambda: s3.create_bucket(Bucket="care"))
    told["no_namespace"] = code(lambda: s3.create_bucket(Bucket="no-such-namespace"))
    s3.create_bucket(Bucket="rides")
    told["buckets"] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    told["location"] = s3.get_bucket_location(Bucket="care")["LocationConstraint"]
    told["region"] = s3.head_bucket(Bucket="care")["BucketRegion"]
    told["no_bucket"] = code(lambda: s3.head_bucket(Bucket="nowhere"))
    s3.delete_bucket(Bucket="rides")
    told["buckets_left"] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def objects(s3):
    body = bytes(range(256)) * 4096
    put = s3.put_object(
        Bucket="care",
        Key="a/b.bin",
        Body=body,
        ContentType="application/x-thing",
        CacheControl="no-cache",
        Metadata={"owner": "ana", "why": "a test"},
    )
    told["etag"] = put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket="care", Key="a/b.bin")
    told["whole"] = got["Body"].read() == body
    told["about"] = [got["ContentType"], got["CacheControl"], got["Metadata"], got["ContentLength"]]
    head = s3.head_object(Bucket="care", Key="a/b.bin")
    told["head"] = [head["ContentLength"], head["Metadata"], head["ETag"] == put["ETag"]]
    for name, asked, expected in [
        ("first", "bytes=0-9", body[:10]),
        ("middle", "bytes=300000-300004", body[300000:300005]),
        ("tail", "bytes=-7", body[-7:]),
        ("rest", "bytes=1048570-", body[1048570:]),
    ]:
        part = s3.get_object(Bucket="care", Key="a/b.bin", Range=asked)
        told[f"range_{name}"] = [part["Body"].read() == expected, part["ContentRange"], part["ResponseMetadata"]["HTTPStatusCode"]]
    told["range_beyond"] = code(lambda: s3.get_object(Bucket="care", Key="a/b.bin", Range="bytes=9999999-"))
    s3.put_object(Bucket="care", Key="empty", Body=b"")
    told["empty"] = s3.get_object(Bucket="care", Key="empty")["Body"].read().decode()
    # `a` and `a/b.bin` are both objects, and no key is a path.
    odd = ["a", "a/", "a//b", "../up", "/rooted", "spaced out+&?#%", "ä/ö/ü \u2603", "x" * 1024, "a/../../../../etc/passwd"]
    for key in odd:
        s3.put_object(Bucket="care", Key=f"odd/{key}"[:1024], Body=key.encode())
    told["odd"] = all(s3.get_object(Bucket="care", Key=f"odd/{key}"[:1024])["Body"].read() == key.encode() for key in odd)
    told["too_long"] = code(lambda: s3.put_object(Bucket="care", Key="x" * 1025, Body=b""))
    told["control"] = code(lambda: s3.put_object(Bucket="care", Key="a\x01b", Body=b""))
    told["no_key"] = code(lambda: s3.get_object(Bucket="care", Key="nil"))
    told["overridden"] = s3.get_object(Bucket="care", Key="empty", ResponseContentType="text/csv")["ContentType"]


def conditions(s3):
    told["absent"] = code(lambda: s3.put_object(Bucket="care", Key="once", Body=b"1", IfNoneMatch="*"))
    told["present"] = code(lambda: s3.put_object(Bucket="care", Key="once", Body=b"2", IfNoneMatch="*"))
    etag = s3.head_object(Bucket="care", Key="once")["ETag"]
    told["swapped"] = code(lambda: s3.put_object(Bucket="care", Key="once", Body=b"3", IfMatch=etag))
    told["stale"] = code(lambda: s3.put_object(Bucket="care", Key="once", Body=b"4", IfMatch=etag))
    told["kept"] = s3.get_object(Bucket="care", Key="once")["Body"].read().decode()
    told["not_modified"] = code(lambda: s3.get_object(Bucket="care", Key="once", IfNoneMatch=s3.head_object(Bucket="care", Key="once")["ETag"]))
    told["bad_md5"] = code(lambda: s3.put_object(Bucket="care", Key="md5", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA=="))
    told["bad_sum"] = code(lambda: s3.put_object(Bucket="care", Key="md5", Body=b"x", ChecksumCRC32="AAAAAA=="))
    told["nothing_of_it"] = code(lambda: s3.head_object(Bucket="care", Key="md5"))
    put = s3.put_object(Bucket="care", Key="summed", Body=b"hello", ChecksumAlgorithm="SHA256")
    got = s3.get_object(Bucket="care", Key="summed", ChecksumMode="ENABLED")
    told["summed"] = [put["ChecksumSHA256"] == got["ChecksumSHA256"], got["Body"].read().decode()]
    for name, more in [
        ("acl", {"ACL": "public-read"}),
        ("encryption", {"ServerSideEncryption": "AES256"}),
        ("tags", {"Tagging": "a=b"}),
        ("class", {"StorageClass": "GLACIER"}),
    ]:
        told[f"refused_{name}"] = code(lambda: s3.put_object(Bucket="care", Key="refused", Body=b"", **more))
    told["metadata_too_large"] = code(lambda: s3.put_object(Bucket="care", Key="m", Body=b"", Metadata={"a": "x" * 3000}))
    told["versioning"] = code(lambda: s3.get_bucket_versioning(Bucket="care"))


def listings(s3):
    for number in range(25):
        s3.put_object(Bucket="care", Key=f"list/{number % 5}/{number:02}", Body=b".")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="care", Prefix="list/", PaginationConfig={"PageSize": 4})
    keys = [[found["Key"] for found in page.get("Contents", [])] for page in pages]
    told["pages"] = [len(page) for page in keys]
    told["in_order"] = sum(keys, []) == sorted(f"list/{number % 5}/{number:02}" for number in range(25))
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="care", Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2})
    told["prefixes"] = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]
    pages = s3.get_paginator("list_objects").paginate(Bucket="care", Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2})
    told["prefixes_v1"] = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]
    pages = s3.get_paginator("list_objects").paginate(Bucket="care", Prefix="list/", PaginationConfig={"PageSize": 7})
    told["v1"] = sum(len(page.get("Contents", [])) for page in pages)
    after = s3.list_objects_v2(Bucket="care", Prefix="list/", StartAfter="list/4/19")
    told["after"] = [found["Key"] for found in after["Contents"]]
    odd = s3.list_objects_v2(Bucket="care", Prefix="odd/ä")
    told["odd_listed"] = [found["Key"] for found in odd["Contents"]]
    told["none"] = s3.list_objects_v2(Bucket="care", MaxKeys=0)["KeyCount"]
    told["bad_token"] = code(lambda: s3.list_objects_v2(Bucket="care", ContinuationToken="!!"))


def copies(s3):
    s3.copy_object(Bucket="care", Key="copied", CopySource={"Bucket": "care", "Key": "a/b.bin"})
    s3.delete_object(Bucket="care", Key="a/b.bin")
    got = s3.get_object(Bucket="care", Key="copied")
    told["copied"] = [len(got["Body"].read()), got["Metadata"]["owner"]]
    s3.copy_object(
        Bucket="care",
        Key="copied",
        CopySource={"Bucket": "care", "Key": "copied"},
        Metadata={"owner": "bob"},
        MetadataDirective="REPLACE",
    )
    told["retold"] = s3.head_object(Bucket="care", Key="copied")["Metadata"]
    told["copy_of_nothing"] = code(lambda: s3.copy_object(Bucket="care", Key="c", CopySource={"Bucket": "care", "Key": "nil"}))
    gone = s3.delete_objects(Bucket="care", Delete={"Objects": [{"Key": "copied"}, {"Key": "nil"}]})
    told["deleted"] = sorted(found["Key"] for found in gone["Deleted"])
    told["gone"] = code(lambda: s3.head_object(Bucket="care", Key="copied"))


def multipart(s3):
    mib = 1 << 20
    body = b"".join(bytes([number]) * mib for number in range(17))
    s3.upload_fileobj(
        io.BytesIO(body),
        "care",
        "big",
        ExtraArgs={"Metadata": {"owner": "ana"}},
        Config=boto3.s3.transfer.TransferConfig(multipart_threshold=5 * mib, multipart_chunksize=5 * mib),
    )
    head = s3.head_object(Bucket="care", Key="big")
    told["big"] = [head["ContentLength"], head["ETag"].endswith('-4"'), head["Metadata"]]
    back = io.BytesIO()
    s3.download_fileobj("care", "big", back)
    told["big_whole"] = back.getvalue() == body
    across = s3.get_object(Bucket="care", Key="big", Range=f"bytes={5 * mib - 2}-{5 * mib + 1}")["Body"].read()
    told["across"] = across == body[5 * mib - 2 : 5 * mib + 2]
    begun = s3.create_multipart_upload(Bucket="care", Key="parts")["UploadId"]
    one = s3.upload_part(Bucket="care", Key="parts", UploadId=begun, PartNumber=1, Body=b"too small")["ETag"]
    two = s3.upload_part(Bucket="care", Key="parts", UploadId=begun, PartNumber=2, Body=b"end")["ETag"]
    named = {"Parts": [{"PartNumber": 1, "ETag": one}, {"PartNumber": 2, "ETag": two}]}
    told["too_small"] = code(lambda: s3.complete_multipart_upload(Bucket="care", Key="parts", UploadId=begun, MultipartUpload=named))
    told["parts"] = [part["Size"] for part in s3.list_parts(Bucket="care", Key="parts", UploadId=begun)["Parts"]]
    told["uploads"] = [found["Key"] for found in s3.list_multipart_uploads(Bucket="care")["Uploads"]]
    copied = s3.upload_part_copy(
        Bucket="care", Key="parts", UploadId=begun, PartNumber=1, CopySource="care/big", CopySourceRange=f"bytes=0-{5 * mib - 1}"
    )["CopyPartResult"]["ETag"]
    named["Parts"][0]["ETag"] = copied
    s3.complete_multipart_upload(Bucket="care", Key="parts", UploadId=begun, MultipartUpload=named)
    told["completed"] = s3.head_object(Bucket="care", Key="parts")["ContentLength"]
    told["completed_again"] = code(lambda: s3.complete_multipart_upload(Bucket="care", Key="parts", UploadId=begun, MultipartUpload=named))
    begun = s3.create_multipart_upload(Bucket="care", Key="aborted")["UploadId"]
    s3.upload_part(Bucket="care", Key="aborted", UploadId=begun, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket="care", Key="aborted", UploadId=begun)
    told["aborted"] = [
        code(lambda: s3.upload_part(Bucket="care", Key="aborted", UploadId=begun, PartNumber=2, Body=b"x")),
        code(lambda: s3.head_object(Bucket="care", Key="aborted")),
    ]


def fetched(url, data=None, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method)) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode().split("<Code>")[-1].split("<")[0]]


def presigned(s3):
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "care", "Key": "by url"}, ExpiresIn=60)
    told["url_put"] = fetched(put, b"sent by url", "PUT")[0]
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "care", "Key": "by url"}, ExpiresIn=60)
    told["url_get"] = fetched(get)
    told["url_other_key"] = fetched(get.replace("by%20url", "once"))
    told["url_other_method"] = fetched(get, b"", "DELETE")
    soon = s3.generate_presigned_url("get_object", Params={"Bucket": "care", "Key": "by url"}, ExpiresIn=1)
    import time

    time.sleep(2.5)
    told["url_late"] = fetched(soon)
    told["unsigned"] = fetched(f"{URL}/care/once")
    old = client(KEY, SECRET, Config(signature_version="s3"))
    told["url_v2"] = fetched(old.generate_presigned_url("get_object", Params={"Bucket": "care", "Key": "once"}))


def strangers():
    s3 = client(OTHER_KEY, OTHER_SECRET)
    told["stranger_buckets"] = s3.list_buckets()["Buckets"]
    for name, ask in {
        "head": lambda: s3.head_bucket(Bucket="care"),
        "list": lambda: s3.list_objects_v2(Bucket="care"),
        "get": lambda: s3.get_object(Bucket="care", Key="once"),
        "put": lambda: s3.put_object(Bucket="care", Key="once", Body=b""),
        "delete": lambda: s3.delete_object(Bucket="care", Key="once"),
        "create": lambda: s3.create_bucket(Bucket="care"),
        "create_nowhere": lambda: s3.create_bucket(Bucket="nowhere"),
    }.items():
        told[f"stranger_{name}"] = code(ask)
    told["wrong_secret"] = code(lambda: client(KEY, "x" * 43).list_buckets())
    told["wrong_key"] = code(lambda: client("0123456789abcdef", SECRET).list_buckets())


def arrow():
    store = pyarrow.fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=URL.split("://")[1], scheme="http", region="us-east-1"
    )
    table = pyarrow.table({"id": list(range(200_000)), "name": [f"n{number % 7}" for number in range(200_000)]})
    pyarrow.parquet.write_table(table, "care/arrow/one.parquet", filesystem=store)
    back = pyarrow.parquet.read_table("care/arrow/one.parquet", filesystem=store)
    told["arrow"] = back.equals(table)
    few = pyarrow.parquet.read_table("care/arrow/one.parquet", filesystem=store, columns=["name"])
    told["arrow_columns"] = few.column_names
    pyarrow.dataset.write_dataset(table, "care/arrow/many", filesystem=store, format="parquet", partitioning=["name"])
    many = pyarrow.dataset.dataset("care/arrow/many", filesystem=store, format="parquet", partitioning=["name"])
    told["arrow_dataset"] = many.to_table().num_rows
    # More than one part.
    with store.open_output_stream("care/arrow/stream.bin") as out:
        for number in range(30):
            out.write(bytes([number]) * (1 << 20))
    told["arrow_stream"] = store.get_file_info("care/arrow/stream.bin").size
    told["arrow_listed"] = len(store.get_file_info(pyarrow.fs.FileSelector("care/arrow/many", recursive=True)))
    store.delete_dir("care/arrow/many")
    told["arrow_missing"] = store.get_file_info("care/arrow/nil").type.name


def duck():
    connection = duckdb.connect()
    folder = Path(duckdb_extension_httpfs.__file__).parent
    connection.execute(f"LOAD '{next(folder.rglob('httpfs.duckdb_extension'))}'")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION 'us-east-1', "
        f"ENDPOINT '{URL.split('://')[1]}', URL_STYLE 'path', USE_SSL false)"
    )
    one = lambda sql: connection.execute(sql).fetchall()
    told["duck_read"] = one("SELECT count(*), sum(id) FROM 's3://care/arrow/one.parquet' WHERE name = 'n3'")
    # Several parts, and reading them back by a glob.
    one("COPY (SELECT range AS id, hash(range)::VARCHAR AS text FROM range(1500000)) TO 's3://care/duck/big.parquet'")
    one("COPY (SELECT 7 AS id, 'x' AS text) TO 's3://care/duck/small.parquet'")
    told["duck_glob"] = one("SELECT count(*), count(DISTINCT filename) FROM read_parquet('s3://care/duck/*.parquet', filename = true)")
    one("COPY (SELECT range AS id, range % 3 AS part FROM range(90)) TO 's3://care/duck/by' (FORMAT parquet, PARTITION_BY part)")
    told["duck_partitions"] = one("SELECT part, count(*) FROM read_parquet('s3://care/duck/by/**/*.parquet', hive_partitioning = true) GROUP BY 1 ORDER BY 1")
    one("COPY (SELECT 'a,b' AS text, 1 AS n) TO 's3://care/duck/rows.csv'")
    told["duck_csv"] = one("SELECT * FROM 's3://care/duck/rows.csv'")
    try:
        one("SELECT * FROM 's3://nowhere/x.parquet'")
        told["duck_refused"] = "read"
    except duckdb.Error as error:
        told["duck_refused"] = "404" in str(error)


s3 = client(KEY, SECRET)
for step in [buckets, objects, conditions, listings, copies, multipart, presigned]:
    step(s3)
strangers()
arrow()
duck()
print(json.dumps(told))
