"""Every operation, called again and again with odd values made from its own model: none may end in an internal failure.

What boto3 would refuse to send is sent all the same. The seed is fixed (MERLON_SEED), so a failure can be repeated.
"""

import json
import os
import random
import unittest
from collections import Counter

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SEED = int(os.environ.get("MERLON_SEED", "1"))
ROUNDS = int(os.environ.get("MERLON_ROUNDS", "6"))

# Names that collide, so that things exist; and names that hurt careless code.
NAMES = ["alpha", "beta", "gamma"] * 15 + ["__proto__", "constructor", "toString", "a b", "é\u0001", "x" * 300, "*", "../.."]
DOCUMENTS = [
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
    '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}',
    '{"Version":"2012-10-17","Statement":[]}',
    "{}",
    "[",
    "null",
    "[" * 2000,
]
PATHS = ["/", "/", "/a/", "nope"]
TOKENS = ["x", "AAAA" * 10]
URLS = ["https://a.example/x", "http://b", "https://"]
SERVICES = ["es.amazonaws.com", "autoscaling.amazonaws.com", "codecommit.amazonaws.com", "x"]


class Caller:
    def __init__(self, seed):
        self.random = random.Random(seed)
        account = os.environ["MERLON_ACCOUNT_ID"]
        kinds = ["policy/alpha", "user/alpha", "group/beta", "role/alpha", "mfa/alpha", "saml-provider/alpha"]
        self.arns = [f"arn:aws:iam::{account}:{kind}" for kind in kinds] + [
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::123456789012:policy/x",
            "x" * 20,
        ]

    def value(self, shape, name, depth=0):
        choice, limits = self.random.choice, shape.metadata
        match shape.type_name:
            case "structure":
                chosen = {k: s for k, s in shape.members.items() if k in shape.required_members or self.some(depth)}
                return {k: self.value(s, k, depth + 1) for k, s in chosen.items()}
            case "list":
                count = max(limits.get("min", 0), self.random.randint(0, 2))
                return [self.value(shape.member, name, depth + 1) for _ in range(count)]
            case "map":
                return {self.value(shape.key, "key"): self.value(shape.value, "value")}
            case "boolean":
                return choice([True, False])
            case "integer" | "long":
                return choice([limits.get("min", 0), limits.get("min", 0) + 1, limits.get("max", 100), 1000, -1])
            case "timestamp":
                return choice([0, 1_700_000_000, 4_102_444_800])
            case "blob":
                return choice([b"x", b"\x00\xff"])
        text = choice(self.texts(shape, name.lower()))
        return text.ljust(limits.get("min", 0), "a")

    def texts(self, shape, name):
        if getattr(shape, "enum", None):
            return shape.enum
        for words, texts in (
            (("document",), DOCUMENTS),
            (("arn",), self.arns),
            (("marker", "token"), TOKENS),
            (("url",), URLS),
            (("path",), PATHS),
            (("service",), SERVICES),
        ):
            if any(word in name for word in words):
                return texts
        return NAMES

    def some(self, depth):
        return depth < 4 and self.random.random() < 0.3


class Oddities(unittest.TestCase):
    def test_no_call_ends_in_an_internal_failure(self):
        caller = Caller(SEED)
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        codes, failures = Counter(), []
        for service in ("iam", "sts", "cloudtrail"):
            client = boto3.client(service, config=config)
            model = client.meta.service_model
            for operation in list(model.operation_names) * ROUNDS:
                shape = model.operation_model(operation).input_shape
                given = caller.value(shape, operation) if shape else {}
                try:
                    client._make_api_call(operation, given)
                    codes["ok"] += 1
                except ClientError as error:
                    codes[error.response["Error"]["Code"]] += 1
                    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                        failures.append(f"{service} {operation} {json.dumps(given, default=str)}: {error}")

        self.assertEqual(failures, [])
        # The sweep reached the handlers, not only the door.
        for code in ("ok", "NoSuchEntity", "EntityAlreadyExists", "MalformedPolicyDocument", "DeleteConflict"):
            self.assertGreater(codes[code], 0, codes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
