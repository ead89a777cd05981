"""Secrets §6.1: the transitions of the golden file by the AWS CLI itself, run within one process so that it starts once."""
import contextlib
import io
import json
import re
import sys

from awscli.clidriver import create_clidriver

ID = {letter: letter * 32 for letter in "abc"}
driver = create_clidriver()


def aws(*words):
    """The JSON it prints, or the code of the error that it tells."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(["secretsmanager", *words, "--output", "json"])
    if status == 0:
        return json.loads(out.getvalue() or "{}"), None
    found = re.search(r"An error occurred \((\w+)\)", err.getvalue())
    if not found:
        raise RuntimeError(err.getvalue())
    return None, found.group(1)


def done(secret, kind, first, *rest):
    if kind == "put":
        stages = ["--version-stages", *rest] if rest else []
        words = ["put-secret-value", "--client-request-token", ID[first], "--secret-string", first, *stages]
    elif kind == "update":
        words = ["update-secret", "--client-request-token", ID[first], "--secret-string", first]
    else:
        remove, to = rest
        words = ["update-secret-version-stage", "--version-stage", first]
        words += ["--remove-from-version-id", ID[remove]] if remove else []
        words += ["--move-to-version-id", ID[to]] if to else []
    return aws(*words, "--secret-id", secret)[1]


def labels(secret):
    described, error = aws("describe-secret", "--secret-id", secret)
    assert error is None, error
    stages = described.get("VersionIdsToStages", {})
    return " ".join(sorted(f"{version[0]}:{'+'.join(sorted(held))}" for version, held in stages.items()))


with open(sys.argv[1], encoding="utf-8") as golden:
    transitions = json.load(golden)
wrong = []
for number, transition in enumerate(transitions):
    secret = f"s{number}"
    _, error = aws("create-secret", "--name", secret, "--secret-string", "a", "--client-request-token", ID["a"])
    assert error is None, error
    for act in transition["before"]:
        error = done(secret, *act)
        assert error is None, error
    standing = labels(secret)
    error = done(secret, *transition["act"])
    after = labels(secret)
    if (error or after) != transition["then"] or (error and after != standing):
        wrong.append(f"{transition}: {error or after}")
    value, missing = aws("get-secret-value", "--secret-id", secret)
    current = next((each[0] for each in after.split() if "AWSCURRENT" in each), None)
    if (value["SecretString"] if value else None) != current:
        wrong.append(f"{transition}: current is {value or missing}")
print(json.dumps({"done": len(transitions), "wrong": wrong}))
