/** Web ACLs, rule groups and sets out of files, as the AWS CLI prints them or as the console's JSON editor shows them. */
import type { Rule, RuleGroup, WebACL } from '@aws-sdk/client-wafv2'
import { fromJson } from '../../engines/waf/json.ts'
import { managedGroupOf } from '../../engines/waf/managed/index.ts'
import type { RuleSources, WebAclConfiguration } from '../../engines/waf/rules.ts'
import { InputError, readJson } from '../policy/files.ts'

type Document = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The content of a file: below the member that the AWS CLI prints it under, or the whole document. */
function contentOf(file: string, member: string): Document {
  const document = readJson(file)
  if (!isObject(document)) throw new InputError(`${file}: is not a JSON object.`)
  const printed = document[member]
  // Search strings are base64 in what the AWS CLI prints, and plain in the console's editor.
  return fromJson<unknown>(printed ?? document, printed ? 'base64' : 'utf8') as Document
}

/** A web ACL: the output of `aws wafv2 get-web-acl`, or the JSON of the console's editor. */
export function readWebAcl(file: string): WebAclConfiguration {
  const acl = contentOf(file, 'WebACL') as unknown as Partial<WebACL>
  if (!acl.DefaultAction) throw new InputError(`${file}: has no DefaultAction: it is not a web ACL.`)
  const name = acl.Name ?? 'web-acl'
  return {
    arn: acl.ARN ?? `file:${file}`,
    name,
    labelNamespace: acl.LabelNamespace ?? `awswaf:111122223333:webacl:${name}:`,
    defaultAction: acl.DefaultAction,
    rules: rulesIn(file, acl.Rules),
    customResponseBodies: acl.CustomResponseBodies,
    captchaConfig: acl.CaptchaConfig,
    challengeConfig: acl.ChallengeConfig,
  }
}

function rulesIn(file: string, rules: unknown): readonly Rule[] {
  if (rules === undefined) return []
  const isRule = (each: unknown) => isObject(each) && typeof each['Name'] === 'string' && isObject(each['Statement'])
  if (!Array.isArray(rules) || !rules.every(isRule))
    throw new InputError(`${file}: Rules must be a list of rules with a Name and a Statement.`)
  return rules as Rule[]
}

/** What rules refer to: the outputs of get-ip-set, get-regex-pattern-set and get-rule-group, found by their ARNs. */
export function readSources(files: readonly string[]): RuleSources {
  const found = new Map<string, Document>()
  for (const file of files)
    for (const member of ['IPSet', 'RegexPatternSet', 'RuleGroup']) {
      const document = readJson(file)
      if (!isObject(document) || !document[member]) continue
      const content = contentOf(file, member)
      if (typeof content['ARN'] !== 'string') throw new InputError(`${file}: the ${member} has no ARN.`)
      found.set(content['ARN'], content)
    }
  return {
    ipSet: (arn) => found.get(arn)?.['Addresses'] as readonly string[] | undefined,
    regexPatternSet: (arn) =>
      (found.get(arn)?.['RegularExpressionList'] as { readonly RegexString: string }[] | undefined)?.map(
        ({ RegexString }) => RegexString,
      ),
    ruleGroup: (arn) => {
      const group = found.get(arn) as unknown as RuleGroup | undefined
      return (
        group && {
          id: arn,
          labelNamespace: group.LabelNamespace ?? `awswaf:111122223333:rulegroup:${group.Name}:`,
          rules: rulesIn(arn, group.Rules),
          customResponseBodies: group.CustomResponseBodies,
        }
      )
    },
    managedRuleGroup: managedGroupOf,
  }
}
