"""Identity pools by boto3: guests by the enhanced flow, developer users by both flows. The server's address and keys come from
the environment; see boto3.test.ts.
"""
import json
import os
import unittest

import boto3
import botocore.exceptions
from botocore import UNSIGNED
from botocore.config import Config

URL = os.environ["MERLON_URL"]


def client(service, credentials=None, **more):
    keys = credentials or {
        "AccessKeyId": os.environ["MERLON_ACCESS_KEY_ID"],
        "SecretKey": os.environ["MERLON_SECRET_ACCESS_KEY"],
        "SessionToken": None,
    }
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys.get("SecretKey") or keys.get("SecretAccessKey"),
        aws_session_token=keys["SessionToken"],
        **more,
    )


IAM, ADMIN, S3 = client("iam"), client("cognito-identity"), client("s3")
ANYONE = boto3.client(
    "cognito-identity", endpoint_url=URL, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
)


def role(name, pool, amr, statement):
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": pool},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": amr},
            },
        },
    }
    arn = IAM.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}}
    IAM.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return arn


POOL = ADMIN.create_identity_pool(
    IdentityPoolName="app",
    AllowUnauthenticatedIdentities=True,
    AllowClassicFlow=True,
    DeveloperProviderName="login.my.app",
)["IdentityPoolId"]
GUEST = role("pool-guest", POOL, "unauthenticated", {"Action": "*", "Resource": "*"})
MEMBER = role(
    "pool-member",
    POOL,
    "login.my.app",
    {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::team-files/${aws:PrincipalTag/team}/*"},
)
ADMIN.set_identity_pool_roles(IdentityPoolId=POOL, Roles={"authenticated": MEMBER, "unauthenticated": GUEST})
S3.create_bucket(Bucket="team-files")
for team in ("blue", "red"):
    S3.put_object(Bucket="team-files", Key=f"{team}/a", Body=team.encode())


class Guests(unittest.TestCase):
    def test_are_held_to_the_scope_down_policies(self):
        identity = ANYONE.get_id(IdentityPoolId=POOL)["IdentityId"]
        keys = ANYONE.get_credentials_for_identity(IdentityId=identity)["Credentials"]

        self.assertIn("/pool-guest/", client("sts", keys).get_caller_identity()["Arn"])
        self.assertEqual(client("s3", keys).get_object(Bucket="team-files", Key="red/a")["Body"].read(), b"red")
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            client("iam", keys).list_users()
        self.assertIn("no session policy allows", str(refused.exception))

    def test_do_not_reach_an_identity_of_others(self):
        answer = ADMIN.get_open_id_token_for_developer_identity(IdentityPoolId=POOL, Logins={"login.my.app": "eve"})
        with self.assertRaises(ANYONE.exceptions.NotAuthorizedException):
            ANYONE.get_credentials_for_identity(IdentityId=answer["IdentityId"])


class DeveloperUsers(unittest.TestCase):
    def signed_in(self):
        return ADMIN.get_open_id_token_for_developer_identity(
            IdentityPoolId=POOL, Logins={"login.my.app": "ann"}, PrincipalTags={"team": "blue"}
        )

    def reads_blue_alone(self, keys):
        s3 = client("s3", keys)
        self.assertEqual(s3.get_object(Bucket="team-files", Key="blue/a")["Body"].read(), b"blue")
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            s3.get_object(Bucket="team-files", Key="red/a")
        self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")

    def test_get_what_their_tag_opens_by_the_enhanced_flow(self):
        answer = self.signed_in()
        logins = {"cognito-identity.amazonaws.com": answer["Token"]}
        keys = ANYONE.get_credentials_for_identity(IdentityId=answer["IdentityId"], Logins=logins)["Credentials"]
        self.reads_blue_alone(keys)

    def test_get_the_same_by_the_basic_flow(self):
        sts = boto3.client("sts", endpoint_url=URL, region_name="us-east-1", config=Config(signature_version=UNSIGNED))
        session = sts.assume_role_with_web_identity(
            RoleArn=MEMBER, RoleSessionName="ann", WebIdentityToken=self.signed_in()["Token"]
        )
        self.reads_blue_alone(session["Credentials"])

    def test_are_listed(self):
        identity = self.signed_in()["IdentityId"]
        listed = ADMIN.list_identities(IdentityPoolId=POOL, MaxResults=60)["Identities"]
        self.assertIn(identity, [each["IdentityId"] for each in listed])
        found = ADMIN.lookup_developer_identity(IdentityPoolId=POOL, DeveloperUserIdentifier="ann")
        self.assertEqual(found["IdentityId"], identity)


if __name__ == "__main__":
    unittest.main()
