"""Web ACLs by boto3: rules of every kind come back as they went in, and lock tokens, pages and error classes are AWS's. The
server's address and keys come from the environment; see boto3.test.ts.
"""
import os
import unittest

import boto3

WAF = boto3.client(
    "wafv2",
    endpoint_url=os.environ["MERLON_URL"],
    region_name="us-east-1",
    aws_access_key_id=os.environ["MERLON_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["MERLON_SECRET_ACCESS_KEY"],
)
REGIONAL = {"Scope": "REGIONAL"}
NONE = [{"Priority": 0, "Type": "NONE"}]


def visibility(name):
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": False, "MetricName": name}


def rule(name, priority, statement, **more):
    action = more or {"Action": {"Block": {}}}
    return {
        "Name": name,
        "Priority": priority,
        "Statement": statement,
        "VisibilityConfig": visibility(name),
        **action,
    }


def byte(text, field):
    return {
        "ByteMatchStatement": {
            "SearchString": text,
            "FieldToMatch": field,
            "TextTransformations": NONE,
            "PositionalConstraint": "CONTAINS",
        }
    }


def inspecting(field, *types):
    transformations = [{"Priority": n, "Type": each} for n, each in enumerate(types)] or NONE
    return {"FieldToMatch": field, "TextTransformations": transformations}


JSON_BODY = {"JsonBody": {"MatchPattern": {"IncludedPaths": ["/a", "/b/0"]}, "MatchScope": "VALUE", "OversizeHandling": "MATCH"}}
HEADERS = {
    "Headers": {"MatchPattern": {"ExcludedHeaders": ["cookie"]}, "MatchScope": "ALL", "OversizeHandling": "CONTINUE"}
}


class WebAcls(unittest.TestCase):
    maxDiff = None

    def test_rules_come_back_as_they_went_in(self):
        ips = WAF.create_ip_set(
            Name="round", IPAddressVersion="IPV6", Addresses=["2001:db8::/32"], Description="the set", **REGIONAL
        )["Summary"]
        patterns = WAF.create_regex_pattern_set(
            Name="round", RegularExpressionList=[{"RegexString": "(?i)sqlmap"}], **REGIONAL
        )["Summary"]
        forwarded = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}
        rate = {
            "Limit": 2000,
            "EvaluationWindowSec": 120,
            "AggregateKeyType": "CUSTOM_KEYS",
            "CustomKeys": [{"IP": {}}, {"Header": {"Name": "x-key", "TextTransformations": NONE}}],
            "ScopeDownStatement": byte(b"/login", {"UriPath": {}}),
        }
        rules = [
            rule("bytes", 9, byte(b"\x00\xff binary", {"Body": {"OversizeHandling": "CONTINUE"}})),
            rule("sqli", 1, {"SqliMatchStatement": {**inspecting({"AllQueryArguments": {}}, "URL_DECODE", "LOWERCASE"), "SensitivityLevel": "HIGH"}}),
            rule("xss", 2, {"XssMatchStatement": inspecting(JSON_BODY, "HTML_ENTITY_DECODE")}),
            rule("size", 3, {"SizeConstraintStatement": {**inspecting(HEADERS), "ComparisonOperator": "GT", "Size": 8000}}),
            rule("regex", 4, {"RegexMatchStatement": {**inspecting({"SingleHeader": {"Name": "user-agent"}}), "RegexString": "bad.*bot"}}),
            rule("patterns", 5, {"RegexPatternSetReferenceStatement": {**inspecting({"Method": {}}), "ARN": patterns["ARN"]}}),
            rule("geo", 6, {"GeoMatchStatement": {"CountryCodes": ["KP"], "ForwardedIPConfig": forwarded}}),
            rule("ips", 7, {"IPSetReferenceStatement": {"ARN": ips["ARN"], "IPSetForwardedIPConfig": {**forwarded, "Position": "ANY"}}}),
            rule("rate", 8, {"RateBasedStatement": rate}, Action={"Challenge": {}}),
            rule(
                "logic",
                10,
                {"AndStatement": {"Statements": [{"NotStatement": {"Statement": {"LabelMatchStatement": {"Scope": "LABEL", "Key": "a:b"}}}}, {"AsnMatchStatement": {"AsnList": [64496]}}]}},
                Action={"Count": {"CustomRequestHandling": {"InsertHeaders": [{"Name": "x", "Value": "1"}]}}},
            ),
            rule(
                "managed",
                11,
                {
                    "ManagedRuleGroupStatement": {
                        "VendorName": "AWS",
                        "Name": "AWSManagedRulesSQLiRuleSet",
                        "Version": "Version_1.0",
                        "ScopeDownStatement": byte(b"/api", {"UriPath": {}}),
                        "RuleActionOverrides": [{"Name": "SQLi_BODY", "ActionToUse": {"Count": {}}}],
                    }
                },
                OverrideAction={"Count": {}},
            ),
        ]
        created = WAF.create_web_acl(
            Name="round",
            DefaultAction={"Allow": {}},
            Rules=rules,
            VisibilityConfig=visibility("round"),
            TokenDomains=["shop.example"],
            AssociationConfig={"RequestBody": {"COGNITO_USER_POOL": {"DefaultSizeInspectionLimit": "KB_64"}}},
            CaptchaConfig={"ImmunityTimeProperty": {"ImmunityTime": 600}},
            **REGIONAL,
        )["Summary"]
        shown = WAF.get_web_acl(Name="round", Id=created["Id"], **REGIONAL)
        self.assertEqual(shown["WebACL"]["Rules"], rules)
        self.assertEqual(shown["WebACL"]["TokenDomains"], ["shop.example"])
        self.assertEqual(shown["WebACL"]["CaptchaConfig"], {"ImmunityTimeProperty": {"ImmunityTime": 600}})
        self.assertEqual(WAF.check_capacity(Rules=rules, **REGIONAL)["Capacity"], shown["WebACL"]["Capacity"])

    def test_a_stale_token_and_a_missing_set_have_their_own_errors(self):
        made = WAF.create_ip_set(Name="tokens", IPAddressVersion="IPV4", Addresses=[], **REGIONAL)["Summary"]
        place = {"Name": "tokens", "Id": made["Id"], **REGIONAL}
        token = WAF.update_ip_set(**place, Addresses=["192.0.2.1/32"], LockToken=made["LockToken"])["NextLockToken"]
        with self.assertRaises(WAF.exceptions.WAFOptimisticLockException):
            WAF.update_ip_set(**place, Addresses=[], LockToken=made["LockToken"])
        WAF.delete_ip_set(**place, LockToken=token)
        with self.assertRaises(WAF.exceptions.WAFNonexistentItemException):
            WAF.get_ip_set(**place)

    def test_lists_come_in_pages(self):
        for n in range(3):
            WAF.create_ip_set(Name=f"page-{n}", IPAddressVersion="IPV4", Addresses=[], **REGIONAL)
        names, marker = [], {}
        while True:
            page = WAF.list_ip_sets(Limit=1, **REGIONAL, **marker)
            names += [each["Name"] for each in page["IPSets"]]
            if "NextMarker" not in page:
                break
            marker = {"NextMarker": page["NextMarker"]}
        self.assertEqual([name for name in names if name.startswith("page-")], ["page-0", "page-1", "page-2"])

    def test_a_wrong_value_is_named(self):
        with self.assertRaises(WAF.exceptions.WAFInvalidParameterException) as caught:
            WAF.create_ip_set(Name="wrong", IPAddressVersion="IPV4", Addresses=["0.0.0.0/0"], **REGIONAL)
        self.assertEqual(caught.exception.response["Field"], "IP_ADDRESS")
        self.assertEqual(caught.exception.response["Parameter"], "0.0.0.0/0")


if __name__ == "__main__":
    unittest.main()
