"""KMS §6.8: the grants of every operation, by boto3: what each gives, under which context, with and without its token, and
what may be handed on. The server's address and keys come from the environment; see boto3.test.ts.
"""
import os
import unittest

import boto3
import botocore.exceptions

ACCOUNT = os.environ["MERLON_ACCOUNT_ID"]
RIGHT, WRONG, MORE = {"app": "web"}, {"app": "db"}, {"app": "web", "stage": "test"}
MESSAGE = b"attack at dawn"


def kms_of(access_key, secret):
    return boto3.client(
        "kms",
        endpoint_url=os.environ["MERLON_URL"],
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
    )


ROOT = kms_of(os.environ["MERLON_ACCESS_KEY_ID"], os.environ["MERLON_SECRET_ACCESS_KEY"])
IAM = boto3.client(
    "iam",
    endpoint_url=os.environ["MERLON_URL"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["MERLON_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["MERLON_SECRET_ACCESS_KEY"],
)


def somebody(name):
    """A user without any permission: its ARN, and KMS as it sees it."""
    arn = IAM.create_user(UserName=name)["User"]["Arn"]
    key = IAM.create_access_key(UserName=name)["AccessKey"]
    return arn, kms_of(key["AccessKeyId"], key["SecretAccessKey"])


ANN, ann = somebody("ann")
BEN, ben = somebody("ben")


def key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT"):
    return ROOT.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]


class Desk:
    """One key of each kind, and what there is to use on it."""

    def __init__(self):
        self.symmetric, self.other = key(), key()
        self.signing = key("ECC_NIST_P256", "SIGN_VERIFY")
        self.mac = key("HMAC_256", "GENERATE_VERIFY_MAC")
        self.agreement = key("ECC_NIST_P256", "KEY_AGREEMENT")
        self.kem = key("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")
        self.signature = ROOT.sign(KeyId=self.signing, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
        self.code = ROOT.generate_mac(KeyId=self.mac, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256")["Mac"]
        self.public = ROOT.get_public_key(KeyId=self.agreement)["PublicKey"]

    def sealed(self, context, of=None):
        return ROOT.encrypt(KeyId=of or self.symmetric, Plaintext=MESSAGE, EncryptionContext=context)["CiphertextBlob"]


desk = Desk()


def re_encrypt(client, context, tokens, source, destination, side):
    """One side of it under the grant; for the other root has given everything."""
    own, free = ("Source", "Destination") if side == "from" else ("Destination", "Source")
    contexts = {own + "EncryptionContext": context, free + "EncryptionContext": {"free": "yes"}}
    blob = desk.sealed(contexts["SourceEncryptionContext"], source)
    return client.re_encrypt(CiphertextBlob=blob, SourceKeyId=source, DestinationKeyId=destination, **contexts, **tokens)


# Operation → the key it is granted on, and the call: a client, a context (of symmetric keys), the tokens given.
WITH_CONTEXT = {
    "Encrypt": lambda c, x, t: c.encrypt(KeyId=desk.symmetric, Plaintext=MESSAGE, EncryptionContext=x, **t),
    "Decrypt": lambda c, x, t: c.decrypt(CiphertextBlob=desk.sealed(x), EncryptionContext=x, KeyId=desk.symmetric, **t),
    "GenerateDataKey": lambda c, x, t: c.generate_data_key(
        KeyId=desk.symmetric, KeySpec="AES_256", EncryptionContext=x, **t
    ),
    "GenerateDataKeyWithoutPlaintext": lambda c, x, t: c.generate_data_key_without_plaintext(
        KeyId=desk.symmetric, KeySpec="AES_256", EncryptionContext=x, **t
    ),
    "GenerateDataKeyPair": lambda c, x, t: c.generate_data_key_pair(
        KeyId=desk.symmetric, KeyPairSpec="ECC_NIST_P256", EncryptionContext=x, **t
    ),
    "GenerateDataKeyPairWithoutPlaintext": lambda c, x, t: c.generate_data_key_pair_without_plaintext(
        KeyId=desk.symmetric, KeyPairSpec="ECC_NIST_P256", EncryptionContext=x, **t
    ),
    "ReEncryptFrom": lambda c, x, t: re_encrypt(c, x, t, desk.symmetric, desk.other, "from"),
    "ReEncryptTo": lambda c, x, t: re_encrypt(c, x, t, desk.other, desk.symmetric, "to"),
}
WITHOUT_CONTEXT = {
    "Sign": (
        lambda: desk.signing,
        lambda c, t: c.sign(KeyId=desk.signing, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256", **t),
    ),
    "Verify": (
        lambda: desk.signing,
        lambda c, t: c.verify(
            KeyId=desk.signing, Message=MESSAGE, Signature=desk.signature, SigningAlgorithm="ECDSA_SHA_256", **t
        ),
    ),
    "GetPublicKey": (lambda: desk.signing, lambda c, t: c.get_public_key(KeyId=desk.signing, **t)),
    "GenerateMac": (
        lambda: desk.mac,
        lambda c, t: c.generate_mac(KeyId=desk.mac, Message=MESSAGE, MacAlgorithm="HMAC_SHA_256", **t),
    ),
    "VerifyMac": (
        lambda: desk.mac,
        lambda c, t: c.verify_mac(KeyId=desk.mac, Message=MESSAGE, Mac=desk.code, MacAlgorithm="HMAC_SHA_256", **t),
    ),
    "DeriveSharedSecret": (
        lambda: desk.agreement,
        lambda c, t: c.derive_shared_secret(
            KeyId=desk.agreement, KeyAgreementAlgorithm="ECDH", PublicKey=desk.public, **t
        ),
    ),
    "DescribeKey": (lambda: desk.symmetric, lambda c, t: c.describe_key(KeyId=desk.symmetric, **t)),
}
# Two that hand on and end, each with a test of its own.
CREATE, RETIRE = "CreateGrant", "RetireGrant"


class Grants(unittest.TestCase):
    def denied(self, call):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call()
        self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDeniedException")

    def granted(self, key_id, operations, constraints=None, to=ANN):
        more = {"Constraints": constraints} if constraints else {}
        made = ROOT.create_grant(KeyId=key_id, GranteePrincipal=to, Operations=operations, **more)
        self.addCleanup(self.end, key_id, made["GrantId"])
        return made

    def end(self, key_id, grant_id):
        try:
            ROOT.revoke_grant(KeyId=key_id, GrantId=grant_id)
        except ROOT.exceptions.NotFoundException:
            pass  # Ended by the test itself.

    def tokens(self, made):
        return [{}, {"GrantTokens": [made["GrantToken"]]}]

    def test_every_operation_that_boto3_knows_is_in_the_matrix(self):
        shape = ROOT.meta.service_model.shape_for("GrantOperation")
        ours = set(WITH_CONTEXT) | set(WITHOUT_CONTEXT) | {CREATE, RETIRE}
        newer = {"Encapsulate", "Decapsulate"}  # Newer than this boto3; the JavaScript tests have them.
        self.assertEqual(set(shape.enum) - newer, ours - newer)
        self.assertGreaterEqual(len(ours), 17)

    def test_each_gives_its_own_operation_and_no_other_with_and_without_its_token(self):
        for name, call in WITH_CONTEXT.items():
            with self.subTest(name):
                self.denied(lambda: call(ann, RIGHT, {}))
                free = self.granted(desk.other, ["ReEncryptFrom", "ReEncryptTo"])
                made = self.granted(desk.symmetric, [name])
                for tokens in self.tokens(made):
                    call(ann, RIGHT, tokens)
                for other, foreign in WITH_CONTEXT.items():
                    if other != name:
                        self.denied(lambda: foreign(ann, RIGHT, {"GrantTokens": [made["GrantToken"]]}))
                self.denied(lambda: call(ben, RIGHT, {"GrantTokens": [made["GrantToken"]]}))
                ROOT.revoke_grant(KeyId=desk.symmetric, GrantId=made["GrantId"])
                self.denied(lambda: call(ann, RIGHT, {"GrantTokens": [made["GrantToken"]]}))
                ROOT.revoke_grant(KeyId=desk.other, GrantId=free["GrantId"])
        for name, (of, call) in WITHOUT_CONTEXT.items():
            with self.subTest(name):
                self.denied(lambda: call(ann, {}))
                made = self.granted(of(), [name])
                for tokens in self.tokens(made):
                    call(ann, tokens)
                self.denied(lambda: call(ben, {"GrantTokens": [made["GrantToken"]]}))
                ROOT.revoke_grant(KeyId=of(), GrantId=made["GrantId"])
                self.denied(lambda: call(ann, {}))

    def test_each_operation_with_a_context_is_held_to_its_constraint_with_and_without_its_token(self):
        self.granted(desk.other, ["ReEncryptFrom", "ReEncryptTo"])
        matrix = [
            ({"EncryptionContextEquals": RIGHT}, RIGHT, True),
            ({"EncryptionContextEquals": RIGHT}, WRONG, False),
            ({"EncryptionContextEquals": RIGHT}, MORE, False),
            ({"EncryptionContextEquals": RIGHT}, {}, False),
            ({"EncryptionContextSubset": RIGHT}, RIGHT, True),
            ({"EncryptionContextSubset": RIGHT}, MORE, True),
            ({"EncryptionContextSubset": RIGHT}, WRONG, False),
            ({"EncryptionContextSubset": RIGHT}, {}, False),
        ]
        for name, call in WITH_CONTEXT.items():
            for constraint, context, allowed in matrix:
                with self.subTest(name, constraint=constraint, context=context):
                    made = self.granted(desk.symmetric, [name], constraint)
                    for tokens in self.tokens(made):
                        if allowed:
                            call(ann, context, tokens)
                        else:
                            self.denied(lambda: call(ann, context, tokens))
                    ROOT.revoke_grant(KeyId=desk.symmetric, GrantId=made["GrantId"])

    def test_constraints_are_for_symmetric_keys_only(self):
        for name, (of, _call) in WITHOUT_CONTEXT.items():
            if of() == desk.symmetric:
                continue
            with self.subTest(name), self.assertRaises(botocore.exceptions.ClientError) as caught:
                self.granted(of(), [name], {"EncryptionContextEquals": RIGHT})
            self.assertEqual(caught.exception.response["Error"]["Code"], "ValidationException")

    def test_what_is_handed_on_is_never_wider(self):
        equals, subset = {"EncryptionContextEquals": RIGHT}, {"EncryptionContextSubset": RIGHT}
        matrix = [
            (None, ["Encrypt"], None, True),
            (None, ["Encrypt", CREATE], None, True),
            (None, ["Decrypt"], None, False),
            (None, ["Encrypt", "Decrypt"], None, False),
            (None, [RETIRE], None, False),
            (equals, ["Encrypt"], equals, True),
            (equals, ["Encrypt"], None, False),
            (equals, ["Encrypt"], subset, False),
            (equals, ["Encrypt"], {"EncryptionContextEquals": MORE}, False),
            (subset, ["Encrypt"], subset, True),
            (subset, ["Encrypt"], {"EncryptionContextEquals": MORE}, True),
            (subset, ["Encrypt"], {"EncryptionContextSubset": MORE}, True),
            (subset, ["Encrypt"], {"EncryptionContextSubset": {"stage": "test"}}, False),
            (subset, ["Encrypt"], None, False),
        ]
        for parent, operations, child, allowed in matrix:
            with self.subTest(parent=parent, operations=operations, child=child):
                made = self.granted(desk.symmetric, [CREATE, "Encrypt"], parent)
                more = {"Constraints": child} if child else {}

                def hand_on():
                    return ann.create_grant(
                        KeyId=desk.symmetric,
                        GranteePrincipal=BEN,
                        Operations=operations,
                        GrantTokens=[made["GrantToken"]],
                        **more,
                    )

                if allowed:
                    handed = hand_on()
                    ben.encrypt(
                        KeyId=desk.symmetric,
                        Plaintext=MESSAGE,
                        EncryptionContext=(child or {}).get("EncryptionContextSubset")
                        or (child or {}).get("EncryptionContextEquals")
                        or {},
                    )
                    ROOT.revoke_grant(KeyId=desk.symmetric, GrantId=handed["GrantId"])
                else:
                    self.denied(hand_on)
                self.denied(lambda: ben.encrypt(KeyId=desk.symmetric, Plaintext=MESSAGE))
                ROOT.revoke_grant(KeyId=desk.symmetric, GrantId=made["GrantId"])

    def test_a_grantee_ends_its_own_grant_and_no_other(self):
        own = self.granted(desk.symmetric, [RETIRE, "Encrypt"])
        other = self.granted(desk.symmetric, ["Encrypt"], to=BEN)
        self.denied(lambda: ann.retire_grant(GrantToken=other["GrantToken"]))
        self.denied(lambda: ann.retire_grant(KeyId=desk.symmetric, GrantId=other["GrantId"]))
        ann.retire_grant(GrantToken=own["GrantToken"])
        self.denied(lambda: ann.encrypt(KeyId=desk.symmetric, Plaintext=MESSAGE))
        ben.encrypt(KeyId=desk.symmetric, Plaintext=MESSAGE)

    def test_a_token_made_up_is_told(self):
        self.granted(desk.symmetric, ["Encrypt"])
        with self.assertRaises(ann.exceptions.InvalidGrantTokenException):
            ann.encrypt(KeyId=desk.symmetric, Plaintext=MESSAGE, GrantTokens=["AQpAM2Rh"])


if __name__ == "__main__":
    unittest.main()
