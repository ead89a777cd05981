/** What a web ACL consists of, as the API's structures have it, with the sets and groups it refers to. */
import type { CaptchaConfig, ChallengeConfig, CustomResponseBody, DefaultAction, Rule } from '@aws-sdk/client-wafv2'

export interface WebAclConfiguration {
  readonly arn: string
  readonly name: string
  /** Of the account: `awswaf:ACCOUNT:webacl:NAME:`. */
  readonly labelNamespace: string
  readonly defaultAction: DefaultAction
  /** Rules of Firewall Manager's groups come before and after the ACL's own. */
  readonly rules: readonly Rule[]
  readonly customResponseBodies?: Readonly<Record<string, CustomResponseBody>> | undefined
  readonly captchaConfig?: CaptchaConfig | undefined
  readonly challengeConfig?: ChallengeConfig | undefined
}

export interface RuleGroupConfiguration {
  /** The ARN of an own group; `AWS#AWSManagedRulesCommonRuleSet` and the like for managed ones. */
  readonly id: string
  readonly labelNamespace: string
  readonly rules: readonly Rule[]
  readonly customResponseBodies?: Readonly<Record<string, CustomResponseBody>> | undefined
}

/** Where references lead; undefined: nowhere. */
export interface RuleSources {
  ipSet(arn: string): readonly string[] | undefined
  regexPatternSet(arn: string): readonly string[] | undefined
  ruleGroup(arn: string): RuleGroupConfiguration | undefined
  managedRuleGroup(vendor: string, name: string, version: string | undefined): RuleGroupConfiguration | undefined
}
