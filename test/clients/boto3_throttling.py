"""boto3 against a Merlon that lets little through: MERLON_URL and the root keys come by environment (see boto3.test.ts)."""

import os
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["MERLON_URL"]
CALLS = 5

# One call for each way of telling a throttled caller so.
ASKED = {
    "iam": lambda client: client.list_users(),
    "kms": lambda client: client.list_keys(),
    "lambda": lambda client: client.list_functions(),
    "s3": lambda client: client.list_buckets(),
}


def client(service, **retries):
    session = boto3.Session(
        aws_access_key_id=os.environ["MERLON_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["MERLON_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    return session.client(service, endpoint_url=URL, config=Config(retries=retries))


class Throttling(unittest.TestCase):
    def succeeds_after_retries(self, mode):
        for service, ask in ASKED.items():
            with self.subTest(service):
                asked = client(service, mode=mode, total_max_attempts=12)
                answers = [ask(asked)["ResponseMetadata"] for _ in range(CALLS)]
                self.assertEqual([each["HTTPStatusCode"] for each in answers], [200] * CALLS)
                self.assertGreater(sum(each["RetryAttempts"] for each in answers), 0)

    def test_legacy_retries_hide_it(self):
        self.succeeds_after_retries("legacy")

    def test_standard_retries_hide_it(self):
        self.succeeds_after_retries("standard")

    def test_adaptive_retries_hide_it(self):
        self.succeeds_after_retries("adaptive")

    def test_without_retries_it_shows(self):
        codes = {"iam": "Throttling", "kms": "ThrottlingException", "lambda": "TooManyRequestsException", "s3": "SlowDown"}
        for service, ask in ASKED.items():
            with self.subTest(service):
                once = client(service, total_max_attempts=1)
                with self.assertRaises(ClientError) as refused:
                    for _ in range(50):
                        ask(once)
                self.assertEqual(refused.exception.response["Error"], refused.exception.response["Error"] | {
                    "Code": codes[service],
                    "Message": "Rate exceeded",
                })
                headers = refused.exception.response["ResponseMetadata"]["HTTPHeaders"]
                self.assertTrue(0 < int(headers["x-amz-retry-after"]) <= 1000)


if __name__ == "__main__":
    unittest.main()
