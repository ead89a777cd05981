"""A program of a person who signed in by `aws sso login`: a call for each line of its input, with one session of boto3."""
import json
import sys

import boto3

sts = boto3.Session(profile_name="work").client("sts")
for _ in sys.stdin:
    try:
        answer = {"arn": sts.get_caller_identity()["Arn"]}
    except Exception as error:  # Reported by its class, as a program would see it.
        answer = {"error": type(error).__name__}
    print(json.dumps(answer), flush=True)
