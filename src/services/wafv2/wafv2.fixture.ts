/** Web ACLs for tests: rules in short, and a client. */
import {
  CreateWebACLCommand,
  type CreateWebACLCommandInput,
  GetWebACLCommand,
  type Rule,
  type Statement,
  WAFV2Client,
} from '@aws-sdk/client-wafv2'
import { cloud } from '../../../test/cloud.ts'

export const visibility = (MetricName: string) => ({
  MetricName,
  SampledRequestsEnabled: true,
  CloudWatchMetricsEnabled: true,
})

export const rule = (Name: string, Priority: number, statement: Statement, parts: Partial<Rule> = {}): Rule => ({
  Name,
  Priority,
  Statement: statement,
  ...(statement.RuleGroupReferenceStatement || statement.ManagedRuleGroupStatement
    ? { OverrideAction: { None: {} } }
    : { Action: { Block: {} } }),
  VisibilityConfig: visibility(Name),
  ...parts,
})

export const startsWith = (text: string): Statement => ({
  ByteMatchStatement: {
    SearchString: Buffer.from(text),
    FieldToMatch: { UriPath: {} },
    TextTransformations: [{ Priority: 0, Type: 'NONE' }],
    PositionalConstraint: 'STARTS_WITH',
  },
})

export const core: Statement = {
  ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesCommonRuleSet' },
}

export async function waf(options: Parameters<typeof cloud>[0] = {}) {
  const it = await cloud(options)
  const client = it.client(WAFV2Client)
  const create = (Name: string, parts: Partial<CreateWebACLCommandInput> = {}) =>
    client.send(
      new CreateWebACLCommand({
        Name,
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: visibility(Name),
        ...parts,
      }),
    )
  return {
    ...it,
    waf: client,
    create,
    webAcl: async (Name: string, parts: Partial<CreateWebACLCommandInput> = {}) => (await create(Name, parts)).Summary!,
    get: async (ARN: string) => client.send(new GetWebACLCommand({ ARN })),
  }
}

/** The name of the error, or `done`. */
export const outcome = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'done',
    ({ name }: Error) => name,
  )
