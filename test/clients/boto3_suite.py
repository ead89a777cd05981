"""boto3 against a running Merlon: MERLON_URL, MERLON_DEV_URL and the root keys come by environment (see boto3.test.ts)."""

import datetime
import json
import os
import unittest
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from unittest.mock import patch

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, WaiterError

URL = os.environ["MERLON_URL"]
DEV_URL = os.environ["MERLON_DEV_URL"]
ROOT = (os.environ["MERLON_ACCESS_KEY_ID"], os.environ["MERLON_SECRET_ACCESS_KEY"], None)
DEV_ROOT = (os.environ["MERLON_DEV_ACCESS_KEY_ID"], os.environ["MERLON_DEV_SECRET_ACCESS_KEY"], None)
ACCOUNT = os.environ["MERLON_ACCOUNT_ID"]

# One attempt: a refusal that a client would hide behind retries must show.
ONCE = Config(retries={"total_max_attempts": 1})


def session(keys=ROOT):
    key, secret, token = keys
    return boto3.Session(
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name="us-east-1"
    )


def client(service, keys=ROOT, url=URL):
    return session(keys).client(service, endpoint_url=url, config=ONCE)


def keys_of(made):
    return (made["AccessKeyId"], made["SecretAccessKey"], made.get("SessionToken"))


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def fresh(word):
    return f"{word}-{uuid.uuid4().hex[:8]}"


def user_with_key(iam=None):
    iam = iam or client("iam")
    name = fresh("user")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    return name, arn, keys_of(iam.create_access_key(UserName=name)["AccessKey"])


def role_for(arn, actions=("sts:AssumeRole",), **more):
    trust = policy({"Action": list(actions), "Principal": {"AWS": arn}})
    made = client("iam").create_role(RoleName=fresh("role"), AssumeRolePolicyDocument=trust, **more)
    return made["Role"]["RoleName"], made["Role"]["Arn"]


@contextmanager
def clock_off_by(seconds):
    """Signs as a machine does whose clock is wrong."""
    real = botocore.auth.get_current_datetime

    def wrong(*args, **kwargs):
        return real(*args, **kwargs) + datetime.timedelta(seconds=seconds)

    with patch("botocore.auth.get_current_datetime", wrong):
        yield


def advance_clock(seconds, offset=0):
    """Moves the development server's clock; `offset` is how far it has been moved already."""
    body = json.dumps({"advanceSeconds": seconds})
    request = AWSRequest(method="POST", url=f"{DEV_URL}/_merlon/clock", data=body)
    with clock_off_by(offset):
        botocore.auth.SigV4Auth(Credentials(*DEV_ROOT), "merlon", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, data=body.encode(), headers=dict(request.headers), method="POST")
    with urllib.request.urlopen(sent) as answer:
        return json.load(answer)


class Refusals(unittest.TestCase):
    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response


class Exceptions(Refusals):
    def test_what_is_missing_raises_the_modelled_class(self):
        iam = client("iam")
        with self.assertRaises(iam.exceptions.NoSuchEntityException) as caught:
            iam.get_user(UserName="nobody")
        response = caught.exception.response
        self.assertEqual(response["Error"]["Type"], "Sender")
        self.assertEqual(response["Error"]["Message"], "The user with name nobody cannot be found.")
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], 404)
        self.assertRegex(response["ResponseMetadata"]["RequestId"], r"^[0-9a-f-]{36}$")

    def test_what_exists_raises_the_modelled_class(self):
        iam = client("iam")
        name = fresh("twice")
        iam.create_user(UserName=name)
        with self.assertRaises(iam.exceptions.EntityAlreadyExistsException):
            iam.create_user(UserName=name.upper())

    def test_what_still_hangs_on_a_user_forbids_deleting_it(self):
        iam = client("iam")
        name, _, _ = user_with_key(iam)
        with self.assertRaises(iam.exceptions.DeleteConflictException):
            iam.delete_user(UserName=name)

    def test_a_policy_that_is_none_raises_the_modelled_class(self):
        iam = client("iam")
        with self.assertRaises(iam.exceptions.MalformedPolicyDocumentException):
            iam.create_policy(PolicyName=fresh("bad"), PolicyDocument='{"Statement": [{"Effect": "Perhaps"}]}')

    def test_a_value_beyond_its_constraint_is_a_validation_error(self):
        response = self.refused("ValidationError", client("iam").create_user, UserName="a b")
        self.assertIn("The specified value for userName is invalid.", response["Error"]["Message"])

    def test_a_json_service_raises_its_modelled_class(self):
        trail = client("cloudtrail")
        with self.assertRaises(trail.exceptions.InvalidNextTokenException):
            trail.lookup_events(NextToken="forged")


class Signatures(Refusals):
    def test_a_wrong_secret(self):
        wrong = (ROOT[0], "wrong" * 8, None)
        self.refused("SignatureDoesNotMatch", client("iam", wrong).list_users)
        self.refused("InvalidSignatureException", client("cloudtrail", wrong).lookup_events)

    def test_an_unknown_key(self):
        unknown = ("AKIAAAAAAAAAAAAAAAAA", ROOT[1], None)
        self.refused("InvalidClientTokenId", client("sts", unknown).get_caller_identity)
        self.refused("UnrecognizedClientException", client("cloudtrail", unknown).lookup_events)

    def test_a_clock_behind_and_a_clock_ahead(self):
        for seconds in (-16 * 60, 16 * 60):
            with clock_off_by(seconds):
                self.refused("SignatureDoesNotMatch", client("iam").list_users)
        with clock_off_by(-14 * 60):
            client("iam").list_users()

    def test_a_key_made_inactive_stops_at_once(self):
        iam = client("iam")
        name, _, keys = user_with_key(iam)
        client("sts", keys).get_caller_identity()
        iam.update_access_key(UserName=name, AccessKeyId=keys[0], Status="Inactive")
        self.refused("InvalidClientTokenId", client("sts", keys).get_caller_identity)

    def test_temporary_keys_without_their_token_or_with_anothers(self):
        _, _, keys = user_with_key()
        sts = client("sts", keys)
        one, other = (keys_of(sts.get_session_token()["Credentials"]) for _ in range(2))
        self.assertIn(":user/", client("sts", one).get_caller_identity()["Arn"])
        self.refused("InvalidClientTokenId", client("sts", (*one[:2], None)).get_caller_identity)
        self.refused("InvalidClientTokenId", client("sts", (*one[:2], other[2])).get_caller_identity)

    def test_a_session_ends_when_it_was_said_to(self):
        _, _, keys = user_with_key(client("iam", DEV_ROOT, DEV_URL))
        sts = client("sts", keys, DEV_URL)
        temporary = client("sts", keys_of(sts.get_session_token(DurationSeconds=900)["Credentials"]), DEV_URL)
        temporary.get_caller_identity()
        advance_clock(890)
        with clock_off_by(890):
            temporary.get_caller_identity()
        advance_clock(20, offset=890)
        with clock_off_by(910):
            self.refused("ExpiredToken", temporary.get_caller_identity)


class Presigned(unittest.TestCase):
    def fetch(self, url, method="GET"):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def presign(self, keys=ROOT, seconds=60, method="GET"):
        sts = client("sts", keys)
        return sts.generate_presigned_url("get_caller_identity", ExpiresIn=seconds, HttpMethod=method)

    def test_a_url_speaks_for_who_made_it(self):
        _, arn, keys = user_with_key()
        status, body = self.fetch(self.presign(keys))
        self.assertEqual(status, 200)
        self.assertIn(f"<Arn>{arn}</Arn>", body)

    def test_a_url_of_temporary_keys_carries_its_token(self):
        _, arn, keys = user_with_key()
        temporary = keys_of(client("sts", keys).get_session_token()["Credentials"])
        url = self.presign(temporary)
        self.assertIn("X-Amz-Security-Token", url)
        self.assertEqual(self.fetch(url)[0], 200)

    def test_a_url_serves_only_the_method_it_was_made_for(self):
        for method, other in (("GET", "POST"), ("POST", "GET")):
            url = self.presign(method=method)
            self.assertEqual(self.fetch(url, method)[0], 200)
            self.assertEqual(self.fetch(url, other)[0], 403)

    def test_a_changed_url_is_refused(self):
        url = self.presign()
        changes = {
            "the operation": url.replace("GetCallerIdentity", "GetSessionToken"),
            "its life": url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
            "more of it": url + "&More=1",
        }
        for what, changed in changes.items():
            with self.subTest(what):
                self.assertNotEqual(changed, url)
                status, body = self.fetch(changed)
                self.assertEqual(status, 403)
                self.assertIn("<Code>SignatureDoesNotMatch</Code>", body)

    def test_a_url_of_iam_lives_as_long_as_it_says(self):
        def made(seconds_ago):
            with clock_off_by(-seconds_ago):
                return client("iam").generate_presigned_url("list_groups", ExpiresIn=60, HttpMethod="GET")

        self.assertEqual(self.fetch(made(30))[0], 200)
        status, body = self.fetch(made(90))
        self.assertEqual(status, 403)
        self.assertIn("<Code>SignatureDoesNotMatch</Code>", body)

    def test_a_url_of_sts_lives_a_quarter_of_an_hour_whatever_it_says(self):
        def made(seconds_ago):
            with clock_off_by(-seconds_ago):
                return self.presign(seconds=60)

        self.assertEqual(self.fetch(made(14 * 60))[0], 200)
        self.assertEqual(self.fetch(made(16 * 60))[0], 403)


class Waiters(unittest.TestCase):
    CONFIG = {"Delay": 1, "MaxAttempts": 2}

    def test_user_exists(self):
        iam = client("iam")
        name = fresh("user")
        iam.create_user(UserName=name)
        iam.get_waiter("user_exists").wait(UserName=name, WaiterConfig=self.CONFIG)

    def test_role_exists(self):
        name, _ = role_for(ACCOUNT)
        client("iam").get_waiter("role_exists").wait(RoleName=name, WaiterConfig=self.CONFIG)

    def test_policy_exists(self):
        iam = client("iam")
        document = policy({"Action": "s3:*", "Resource": "*"})
        arn = iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document)["Policy"]["Arn"]
        iam.get_waiter("policy_exists").wait(PolicyArn=arn, WaiterConfig=self.CONFIG)

    def test_instance_profile_exists(self):
        iam = client("iam")
        name = fresh("profile")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=name, WaiterConfig=self.CONFIG)

    def test_a_waiter_gives_up_on_what_never_comes(self):
        with self.assertRaises(WaiterError):
            client("iam").get_waiter("user_exists").wait(UserName="nobody", WaiterConfig=self.CONFIG)


class Paginators(unittest.TestCase):
    def test_users_in_small_pages_come_once_each(self):
        iam = client("iam")
        path = f"/{fresh('paged')}/"
        names = [f"{fresh('paged')}" for _ in range(7)]
        for name in names:
            iam.create_user(UserName=name, Path=path)
        pages = list(iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 3}))
        self.assertEqual([len(page["Users"]) for page in pages], [3, 3, 1])
        self.assertEqual(sorted(user["UserName"] for page in pages for user in page["Users"]), sorted(names))

    def test_versions_groups_and_attachments_have_paginators_that_end(self):
        iam = client("iam")
        name, _, _ = user_with_key(iam)
        for n in range(3):
            group = fresh(f"group{n}")
            iam.create_group(GroupName=group)
            iam.add_user_to_group(GroupName=group, UserName=name)
        found = iam.get_paginator("list_groups_for_user").paginate(UserName=name, PaginationConfig={"PageSize": 2})
        self.assertEqual(len(found.build_full_result()["Groups"]), 3)

    def test_a_marker_serves_only_the_list_it_came_from(self):
        iam = client("iam")
        for _ in range(2):
            iam.create_user(UserName=fresh("marker"))
            iam.create_group(GroupName=fresh("marker"))
        marker = iam.list_users(MaxItems=1)["Marker"]
        with self.assertRaises(ClientError) as caught:
            iam.list_groups(Marker=marker)
        self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationError")

    def test_events_page_by_page_tell_what_one_user_did(self):
        iam = client("iam")
        name, arn, keys = user_with_key(iam)
        sts = client("sts", keys)
        for _ in range(5):
            sts.get_caller_identity()
        pages = client("cloudtrail").get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": name}], PaginationConfig={"PageSize": 2}
        )
        pages = list(pages)
        self.assertEqual([len(page["Events"]) for page in pages], [2, 2, 1])
        events = [event for page in pages for event in page["Events"]]
        self.assertEqual({event["EventName"] for event in events}, {"GetCallerIdentity"})
        self.assertEqual(len({event["EventId"] for event in events}), 5)
        record = json.loads(events[0]["CloudTrailEvent"])
        self.assertEqual(record["userIdentity"]["arn"], arn)
        self.assertIn("Boto3", record["userAgent"])


class Resources(unittest.TestCase):
    """The object-oriented side of boto3."""

    def setUp(self):
        self.iam = session().resource("iam", endpoint_url=URL, config=ONCE)

    def test_a_user_from_cradle_to_grave(self):
        user = self.iam.create_user(UserName=fresh("object"), Tags=[{"Key": "team", "Value": "blue"}])
        self.assertEqual(user.tags, [{"Key": "team", "Value": "blue"}])
        user.create_policy(PolicyName="p", PolicyDocument=policy({"Action": "s3:*", "Resource": "*"}))
        user.attach_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        pair = user.create_access_key_pair()
        self.assertEqual([key.id for key in user.access_keys.all()], [pair.id])
        self.assertEqual([each.name for each in user.policies.all()], ["p"])
        self.assertEqual([each.policy_name for each in user.attached_policies.all()], ["ReadOnlyAccess"])
        pair.delete()
        user.Policy("p").delete()
        user.detach_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        user.delete()
        with self.assertRaises(self.iam.meta.client.exceptions.NoSuchEntityException):
            user.load()

    def test_an_inline_policy_comes_back_as_a_document(self):
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        group = self.iam.create_group(GroupName=fresh("group"))
        group.create_policy(PolicyName="p", PolicyDocument=json.dumps(document))
        self.assertEqual(group.Policy("p").policy_document, document)

    def test_a_policy_and_its_versions(self):
        made = self.iam.create_policy(
            PolicyName=fresh("versions"), PolicyDocument=policy({"Action": "s3:*", "Resource": "*"})
        )
        second = made.create_version(PolicyDocument=policy({"Action": "sqs:*", "Resource": "*"}), SetAsDefault=True)
        self.assertEqual(second.version_id, "v2")
        made.reload()
        self.assertEqual(made.default_version_id, "v2")
        self.assertEqual([each.version_id for each in made.versions.all()], ["v2", "v1"])
        self.assertEqual(made.default_version.document["Statement"][0]["Action"], "sqs:*")

    def test_the_summary_counts(self):
        before = self.iam.AccountSummary().summary_map["Groups"]
        self.iam.create_group(GroupName=fresh("counted"))
        self.assertEqual(self.iam.AccountSummary().summary_map["Groups"], before + 1)


class Sessions(Refusals):
    def test_a_session_policy_narrows_the_role(self):
        _, arn, keys = user_with_key()
        name, role = role_for(arn)
        everything = policy({"Action": "iam:*", "Resource": "*"})
        client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything)
        sts = client("sts", keys)

        wide = sts.assume_role(RoleArn=role, RoleSessionName="visit")
        narrow = sts.assume_role(
            RoleArn=role, RoleSessionName="visit", Policy=policy({"Action": "iam:ListUsers", "Resource": "*"})
        )

        client("iam", keys_of(wide["Credentials"])).list_groups()
        iam = client("iam", keys_of(narrow["Credentials"]))
        iam.list_users()
        response = self.refused("AccessDenied", iam.list_groups)
        self.assertIn("because no session policy allows the iam:ListGroups action", response["Error"]["Message"])
        self.assertEqual(wide["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/visit")

    def test_a_session_tag_decides(self):
        _, arn, keys = user_with_key()
        name, role = role_for(arn, ("sts:AssumeRole", "sts:TagSession"))
        only_blue = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
        client("iam").put_role_policy(
            RoleName=name,
            PolicyName="blue",
            PolicyDocument=policy({"Action": "iam:ListUsers", "Resource": "*", "Condition": only_blue}),
        )

        def listing(team):
            tags = [{"Key": "team", "Value": team}]
            made = client("sts", keys).assume_role(RoleArn=role, RoleSessionName="visit", Tags=tags)
            return client("iam", keys_of(made["Credentials"])).list_users

        listing("blue")()
        self.refused("AccessDenied", listing("red"))

    def test_a_federated_session_is_no_more_than_its_policy(self):
        iam = client("iam")
        name, _, keys = user_with_key(iam)
        allowed = policy({"Action": ["sts:GetFederationToken", "iam:List*"], "Resource": "*"})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=allowed)
        made = client("sts", keys).get_federation_token(
            Name="guest", Policy=policy({"Action": "iam:ListRoles", "Resource": "*"})
        )
        guest = keys_of(made["Credentials"])
        self.assertEqual(
            client("sts", guest).get_caller_identity()["Arn"], f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
        )

    def test_a_role_deleted_takes_its_sessions_along(self):
        _, arn, keys = user_with_key()
        name, role = role_for(arn)
        made = keys_of(client("sts", keys).assume_role(RoleArn=role, RoleSessionName="visit")["Credentials"])
        client("sts", made).get_caller_identity()
        client("iam").delete_role(RoleName=name)
        with self.assertRaises(ClientError):
            client("sts", made).get_caller_identity()

    def test_the_session_is_on_record_with_who_began_it(self):
        _, arn, keys = user_with_key()
        name, role = role_for(arn)
        made = client("sts", keys).assume_role(RoleArn=role, RoleSessionName=fresh("visit"))
        client("sts", keys_of(made["Credentials"])).get_caller_identity()
        events = client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": made["Credentials"]["AccessKeyId"]}]
        )["Events"]
        record = json.loads(events[0]["CloudTrailEvent"])
        self.assertEqual(record["userIdentity"]["type"], "AssumedRole")
        self.assertEqual(record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], role)


if __name__ == "__main__":
    unittest.main(verbosity=2)
