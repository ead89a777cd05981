"""Merlon for pytest: a server for the tests, as it was at the start before each test.

    merlon pytest-plugin > conftest_merlon.py      # and in conftest.py:
    pytest_plugins = ["conftest_merlon"]

The fixture `merlon` has `endpoint`, `region`, `account_id`, `credentials`, and:

    merlon.client("kms")                     a boto3 client of the administrator
    merlon.client("kms", user="ann")         the same of a user of the seed
    merlon.session(user="ann")               a boto3 session; give endpoint_url=merlon.endpoint to its clients
    merlon.seed({...}), merlon.reset()
    merlon.clock.advance(hours=1), merlon.clock.set("2030-01-31T12:00:00Z"), merlon.clock.now()
    merlon.events(), merlon.denied(action="kms:*", principal="ann", resource="*")

A fixture `merlon_seed` of one's own, with scope "session", returns what the server begins with.
It needs boto3, and the command `merlon` in PATH or in the environment variable MERLON_COMMAND.
"""

import datetime
import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCOUNT = "123456789012"


class Merlon:
    """A server in a process of its own, in memory, on a free port."""

    def __init__(self, seed=None, region="us-east-1", arguments=()):
        self.region = region
        command = shlex.split(os.environ.get("MERLON_COMMAND", "merlon"))
        command += ["start", "--dev", "--json", "--port", "0", "--log", "error", "--exit-with-parent", *arguments]
        self._folder = tempfile.mkdtemp(prefix="merlon-seed-")
        if seed is not None:
            whole = _whole_seed(seed, ACCOUNT)
            path = os.path.join(self._folder, "seed.json")
            with open(path, "w") as file:
                json.dump(whole, file)
            command += ["--seed", path, "--account", whole["accounts"][0]["id"]]
        hidden = ("MERLON_ROOT_ACCESS_KEY_ID", "MERLON_ROOT_SECRET_ACCESS_KEY")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        line = self._process.stdout.readline()
        if not line:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise RuntimeError(f"Merlon did not start; it ended with status {self._process.wait()}.")
        ready = json.loads(line)
        account = next(each for each in ready["accounts"] if seed is None or each["accountId"] == whole["accounts"][0]["id"])
        self.endpoint = ready["url"]
        self.account_id = account["accountId"]
        self.root_credentials = _key(account)
        self.credentials = _key(account.get("administrator", account))
        self.clock = Clock(self)
        self._keys = {}

    def session(self, user=None):
        """A boto3 session of the administrator, or of an IAM user."""
        key = self.credentials if user is None else self.credentials_for(user)
        return boto3.Session(
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            region_name=self.region,
        )

    def client(self, service, user=None, **options):
        """A boto3 client of the administrator, or of an IAM user."""
        return self.session(user).client(service, endpoint_url=self.endpoint, **options)

    def credentials_for(self, user):
        """An access key of an IAM user, made when it is first needed."""
        if user not in self._keys:
            key = self.client("iam").create_access_key(UserName=user)["AccessKey"]
            self._keys[user] = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        return self._keys[user]

    def seed(self, seed):
        """Adds what a seed has, until the next reset."""
        self._call("POST", "seed", _whole_seed(seed, self.account_id))

    def reset(self, account=None):
        """Makes everything as it was after the start; with an account ID, only what that account has."""
        self._call("POST", "reset", None if account is None else {"account": account})
        self._keys = {}

    def events(self):
        """What was recorded since the last reset, in order: one event for each call."""
        found, after = [], 0
        while True:
            page = self._call("GET", f"events?after={after}")
            found += page["events"]
            if not page["more"]:
                return [event for event in found if event["eventSource"] != "merlon"]
            after = page["next"]

    def decisions(self, effect=None, action="*", principal="*", resource="*"):
        """The decisions of the recorded calls; patterns with `*`. A principal is an ARN, or a user's or role's name."""
        found = []
        for event in self.events():
            arn = event["userIdentity"].get("arn", "anonymous")
            for told in (event.get("additionalEventData") or {}).get("merlonDecisions", []):
                is_like = (
                    effect in (None, told["effect"])
                    and fnmatch.fnmatchcase(told["action"].lower(), action.lower())
                    and (fnmatch.fnmatchcase(arn, principal) or fnmatch.fnmatchcase(_name_in(arn), principal))
                    and fnmatch.fnmatchcase(told["resource"], resource)
                )
                if is_like:
                    found.append({**told, "principal": arn, "message": event.get("errorMessage"), "event": event})
        return found

    def denied(self, **pattern):
        return self.decisions("Deny", **pattern)

    def allowed(self, **pattern):
        return self.decisions("Allow", **pattern)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        url = f"{self.endpoint}/_merlon/{path}"
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"})
        key = self.root_credentials
        signer = SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "merlon", self.region)
        signer.add_auth(request)
        sent = urllib.request.Request(url, data=data if method == "POST" else None, method=method)
        for name, value in request.headers.items():
            sent.add_header(name, value)
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from None


class Clock:
    """The server's clock: sessions expire and jobs fall due by it."""

    def __init__(self, merlon):
        self._merlon = merlon

    def now(self):
        return _time(self._merlon._call("GET", "clock"))

    def advance(self, **by):
        """Takes what `datetime.timedelta` takes."""
        seconds = datetime.timedelta(**by).total_seconds()
        return _time(self._merlon._call("POST", "clock", {"advanceSeconds": seconds}))

    def set(self, to):
        text = to if isinstance(to, str) else to.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return _time(self._merlon._call("POST", "clock", {"now": text}))


def _whole_seed(seed, account):
    return seed if "accounts" in seed else {"accounts": [{"id": account, **seed}]}


def _key(account):
    return {"access_key_id": account["accessKeyId"], "secret_access_key": account["secretAccessKey"]}


def _name_in(arn):
    path = arn.split(":")[-1].split("/")
    return path[1] if path[0] == "assumed-role" and len(path) > 1 else path[-1]


def _time(answer):
    return datetime.datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))


@pytest.fixture(scope="session")
def merlon_seed():
    return None


@pytest.fixture(scope="session")
def merlon_server(merlon_seed):
    server = Merlon(merlon_seed)
    yield server
    server.stop()


@pytest.fixture
def merlon(merlon_server):
    merlon_server.reset()
    return merlon_server
