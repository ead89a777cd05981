import pytest
from botocore.exceptions import ClientError

DESCRIBE_KEYS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}],
}


@pytest.fixture(scope="session")
def merlon_seed():
    return {
        "users": [{"name": "ann", "inline": {"describe-keys": DESCRIBE_KEYS}}],
        "kmsKeys": [{"alias": "orders"}],
    }


def test_ann_describes_the_key_of_orders_and_does_not_list_keys(merlon):
    kms = merlon.client("kms", user="ann")

    kms.describe_key(KeyId="alias/orders")
    with pytest.raises(ClientError, match="is not authorized to perform: kms:ListKeys"):
        kms.list_keys()
    assert merlon.denied(action="kms:ListKeys", principal="ann")
    assert not merlon.denied(action="kms:DescribeKey")
