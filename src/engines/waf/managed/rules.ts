/** How managed rule groups are written: rules over many components at once, under the names and labels that AWS's groups have. */
import type { FieldToMatch, Rule, Statement, TextTransformationType } from '@aws-sdk/client-wafv2'
import type { InspectedField } from '../components.ts'
import type { RuleGroupConfiguration } from '../rules.ts'

/** The components that rules are named after: `CrossSiteScripting_QUERYARGUMENTS`. */
export const COMPONENTS = {
  QUERYARGUMENTS: [{ AllQueryArguments: {} }, { ArgumentNames: {} }],
  QUERYSTRING: [{ QueryString: {} }],
  URIPATH: [{ UriPath: {} }],
  BODY: [{ BodyArguments: { OversizeHandling: 'CONTINUE' } }],
  RAWBODY: [{ Body: { OversizeHandling: 'CONTINUE' } }],
  COOKIE: [{ Cookies: { MatchPattern: { All: {} }, MatchScope: 'VALUE', OversizeHandling: 'NO_MATCH' } }],
  HEADER: [
    {
      Headers: {
        MatchPattern: { ExcludedHeaders: ['host', 'cookie', 'authorization'] },
        MatchScope: 'VALUE',
        OversizeHandling: 'NO_MATCH',
      },
    },
  ],
  /** Without those whose own grammar has quotes, dashes and comments: `boundary="----=_Part_4"`. */
  TEXTHEADER: [
    {
      Headers: {
        MatchPattern: {
          ExcludedHeaders: [
            'host',
            'cookie',
            'authorization',
            'content-type',
            'content-disposition',
            'if-match',
            'if-none-match',
            'forwarded',
            'sec-ch-ua',
            'sec-ch-ua-full-version-list',
          ],
        },
        MatchScope: 'VALUE',
        OversizeHandling: 'NO_MATCH',
      },
    },
  ],
  USERAGENT: [{ SingleHeader: { Name: 'user-agent' } }],
} as const satisfies Readonly<Record<string, readonly InspectedField[]>>

export type ComponentName = keyof typeof COMPONENTS

/** A test of texts, without the field it looks at. */
export type TextTest = (field: FieldToMatch, transformations: readonly TextTransformationType[]) => Statement

const ordered = (types: readonly TextTransformationType[]) =>
  (types.length === 0 ? (['NONE'] as const) : types).map((Type, Priority) => ({ Type, Priority }))

/** The texts match one of these patterns of RE2. */
export const patterns =
  (...all: readonly string[]): TextTest =>
  (FieldToMatch, types) =>
    anyOf(
      all.map((RegexString) => ({
        RegexMatchStatement: { RegexString, FieldToMatch, TextTransformations: ordered(types) },
      })),
    )

/** The texts contain one of these, in lower case: add `LOWERCASE` to the transformations. */
export const contain =
  (...all: readonly string[]): TextTest =>
  (FieldToMatch, types) =>
    anyOf(
      all.map((text) => ({
        ByteMatchStatement: {
          SearchString: Buffer.from(text, 'latin1'),
          FieldToMatch,
          TextTransformations: ordered(types),
          PositionalConstraint: 'CONTAINS',
        },
      })),
    )

export const xss: TextTest = (FieldToMatch, types) => ({
  XssMatchStatement: { FieldToMatch, TextTransformations: ordered(types) },
})

export const sqli =
  (SensitivityLevel: 'LOW' | 'HIGH'): TextTest =>
  (FieldToMatch, types) => ({
    SqliMatchStatement: { FieldToMatch, TextTransformations: ordered(types), SensitivityLevel },
  })

export const longerThan =
  (Size: number): TextTest =>
  (FieldToMatch, types) => ({
    SizeConstraintStatement: { FieldToMatch, TextTransformations: ordered(types), ComparisonOperator: 'GT', Size },
  })

export const anyOf = (statements: readonly Statement[]): Statement =>
  statements.length === 1 ? statements[0]! : { OrStatement: { Statements: [...statements] } }

export const not = (statement: Statement): Statement => ({ NotStatement: { Statement: statement } })

/** One test on the components of a rule, in each of several decodings. */
export const on = (
  component: ComponentName,
  test: TextTest,
  decodings: readonly (readonly TextTransformationType[])[] = [[]],
): Statement =>
  anyOf(COMPONENTS[component].flatMap((field) => decodings.map((types) => test(field as FieldToMatch, types))))

export interface ManagedRule {
  readonly name: string
  /** Behind the group's namespace; default: the name, with the component as AWS writes it in labels. */
  readonly label?: string
  readonly statement: Statement
  /** Default: blocked. */
  readonly action?: 'Block' | 'Count' | 'Challenge' | 'Captcha'
}

const LABEL_COMPONENTS: Readonly<Record<string, string>> = {
  QUERYARGUMENTS: 'QueryArguments',
  QUERYSTRING: 'QueryString',
  URIPATH: 'URIPath',
  BODY: 'Body',
  COOKIE: 'Cookie',
  HEADER: 'Header',
}

/** `NoUserAgent_HEADER` has the label `NoUserAgent_Header`. */
const labelOf = (name: string): string =>
  name.replace(/_([A-Z]+)$/, (whole, component: string) =>
    LABEL_COMPONENTS[component] ? `_${LABEL_COMPONENTS[component]}` : whole,
  )

export interface ManagedGroup extends RuleGroupConfiguration {
  readonly vendor: string
  readonly name: string
  readonly description: string
  /** In web ACL capacity units. */
  readonly capacity: number
  readonly versions: readonly string[]
}

/** A group: its rules in the order in which they are evaluated. */
export function managedGroup(
  group: Pick<ManagedGroup, 'vendor' | 'name' | 'description' | 'capacity'> & { readonly namespace: string },
  rules: readonly ManagedRule[],
): ManagedGroup {
  const labelNamespace = `awswaf:managed:${group.vendor.toLowerCase()}:${group.namespace}:`
  return {
    ...group,
    id: `${group.vendor}#${group.name}`,
    labelNamespace,
    versions: ['Version_1.0'],
    rules: rules.map(
      ({ name, label, statement, action = 'Block' }, Priority): Rule => ({
        Name: name,
        Priority,
        Statement: statement,
        Action: { [action]: {} },
        RuleLabels: [{ Name: label ?? labelOf(name) }],
        VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: name },
      }),
    ),
  }
}

type RuleComponents = Partial<Record<ComponentName, string>> | readonly ComponentName[]

/** A rule for each component, whose statement is made for it. */
export const eachBy = (
  base: string,
  components: RuleComponents,
  statementOn: (component: ComponentName) => Statement,
): readonly ManagedRule[] =>
  (Array.isArray(components)
    ? (components as readonly ComponentName[]).map((name) => [name, name] as const)
    : Object.entries(components)
  ).map(([component, suffix]) => ({
    name: `${base}_${suffix}`,
    statement: statementOn(component as ComponentName),
  }))

/** A rule for each component, of one test. */
export const each = (
  base: string,
  components: RuleComponents,
  test: TextTest,
  decodings?: readonly (readonly TextTransformationType[])[],
): readonly ManagedRule[] => eachBy(base, components, (component) => on(component, test, decodings))
