/** Quotas are data: AWS's default values, which an operator may change. */

export type Quotas = Readonly<Record<string, number>>

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const quotaDefaults: Quotas = {
  'iam/UsersPerAccount': 5000,
  'iam/GroupsPerAccount': 300,
  'iam/RolesPerAccount': 1000,
  'iam/PoliciesPerAccount': 1500,
  'iam/InstanceProfilesPerAccount': 1000,
  'iam/ServerCertificatesPerAccount': 20,
  'iam/SAMLProvidersPerAccount': 100,
  'iam/OpenIdConnectProvidersPerAccount': 100,
  'iam/PoliciesPerUser': 10,
  'iam/PoliciesPerGroup': 10,
  'iam/PoliciesPerRole': 10,
  'iam/VersionsPerPolicy': 5,
  'iam/AccessKeysPerUser': 2,
  'iam/GroupsPerUser': 10,
  'iam/MFADevicesPerUser': 8,
  'iam/SSHPublicKeysPerUser': 5,
  'iam/SigningCertificatesPerUser': 2,
  'iam/TagsPerResource': 50,
  // Characters without white space.
  'iam/PolicySize': 6144,
  'iam/UserPolicySize': 2048,
  'iam/GroupPolicySize': 5120,
  'iam/RolePolicySize': 10240,
  'iam/AssumeRolePolicySize': 2048,

  // Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
  // AWS begins with ten and raises them on request, up to this.
  'organizations/AccountsPerOrganization': 10_000,
  'organizations/InvitationsPerDay': 20,
  'organizations/PoliciesPerType': 1000,
  'organizations/UnitsPerOrganization': 2000,
  'organizations/ClosuresPerMonth': 10,

  // A hundred are kept, and what is younger than a day besides: AWS recommends at most one new version in ten minutes.
  // Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
  'secretsmanager/VersionsPerSecret': 100 + 24 * 6,

  // Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
  'lambda/ConcurrentExecutions': 1000,
  'lambda/CodeStorageBytes': 75 * 1024 ** 3,

  // Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
  'logs/LogGroupsPerRegion': 1_000_000,
  'logs/ResourcePoliciesPerRegion': 10,

  // Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
  'route53/HostedZonesPerAccount': 500,
  'route53/HealthChecksPerAccount': 200,
  'route53/VPCsPerHostedZone': 300,
  'route53/AuthorizationsPerHostedZone': 1000,

  // Source: https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
  'acm/CertificatesPerAccount': 2500,
  'acm/CertificatesPerYear': 5000,
  'acm/ImportedCertificatesPerAccount': 2500,
  'acm/DomainNamesPerCertificate': 10,
  // Ours: clients share a binding, and each key that they make is an account.
  'acm/AcmeAccountsPerBinding': 1000,

  // Source: https://docs.aws.amazon.com/privateca/latest/userguide/PcaLimits.html
  'acm-pca/AuthoritiesPerAccount': 200,

  // Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
  'elasticloadbalancing/ApplicationLoadBalancersPerRegion': 50,
  'elasticloadbalancing/ListenersPerLoadBalancer': 50,
  'elasticloadbalancing/RulesPerListener': 100,
  'elasticloadbalancing/CertificatesPerLoadBalancer': 25,
  'elasticloadbalancing/TargetGroupsPerRegion': 3000,
  'elasticloadbalancing/TargetsPerTargetGroup': 1000,

  // Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
  'sso/PermissionSetsPerInstance': 2000,
  'identitystore/UsersPerStore': 100_000,
  'identitystore/GroupsPerStore': 100_000,

  // Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html
  'wafv2/WebACLsPerAccount': 100,
  'wafv2/RuleGroupsPerAccount': 100,
  'wafv2/IPSetsPerAccount': 100,
  'wafv2/AddressesPerIPSet': 10_000,
  'wafv2/RegexPatternSetsPerAccount': 10,
  'wafv2/PatternsPerRegexPatternSet': 10,
  'wafv2/RateBasedRulesPerWebACL': 10,
  'wafv2/RateBasedRulesPerRuleGroup': 4,
  'wafv2/ReferencesPerEntity': 50,
  'wafv2/WebACLCapacity': 5000,
  'wafv2/APIKeysPerScope': 200,
  // Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_limits.html
  'guardduty/FiltersPerDetector': 100,
  'guardduty/IPSetsPerDetector': 1,
  'guardduty/EntriesPerIPSet': 2000,
  'guardduty/ThreatIntelSetsPerDetector': 6,
  'guardduty/EntriesPerThreatIntelSet': 250_000,
  'guardduty/TrustedEntitySetsPerDetector': 1,
  'guardduty/EntriesPerTrustedEntitySet': 2000,
  'guardduty/ThreatEntitySetsPerDetector': 6,
  'guardduty/EntriesPerThreatEntitySet': 250_000,
  'guardduty/MembersPerAdministrator': 50_000,
  // Ours: the oldest beyond it are deleted before their 90 days are over.
  'guardduty/FindingsPerDetector': 50_000,

  // Ours: what one account may send, and one recipient of it receive, in a day (UTC).
  'mail/AccountPerDay': 10_000,
  'mail/RecipientPerDay': 50,
  'webhook/AccountPerDay': 100_000,
}
