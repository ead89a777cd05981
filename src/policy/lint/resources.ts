/** Whether the resources are ARNs that can exist. */
import { redundant } from './actions.ts'
import type { Text } from './finding.ts'
import type { ServiceFacts } from './reference.ts'
import { serviceOfType } from './resource-types.ts'
import type { Check, Linted, Report } from './statement.ts'

const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc']

export const checkResources: Check = (statement, linted, report) => {
  const texts = (statement.resource ?? statement.notResource)?.texts() ?? []
  for (const text of texts) checkResource(text, linted, report)
  redundant(texts, 'REDUNDANT_RESOURCE', linted, report)
}

function checkResource({ at, text }: Text, { reference, resourceType, budget }: Linted, report: Report): void {
  if (text === '*') return
  const error = (code: string, details: string) => report('ERROR', code, details, at)
  // The colons of a variable's name are not the ARN's.
  const masked = text.replaceAll(/\$\{[^}]*\}/g, (variable) => variable.replaceAll(':', '_'))
  const parts = masked.split(':')
  if (parts[0] !== 'arn' && !(/[*?]/.test(parts[0]!) && parts.length >= 6)) {
    return void error('INVALID_ARN_PREFIX', `${text} is no ARN: it does not begin with arn:.`)
  }
  if (parts.length < 6) return void error('MISSING_ARN_FIELD', `${text} lacks a part: an ARN has six.`)
  const [, partition = '', service = '', region = '', account = '', ...rest] = parts
  const path = rest.join(':')
  const open = (part: string) => /[*?$]/.test(part)
  if (!open(partition) && !PARTITIONS.includes(partition))
    error('INVALID_PARTITION', `There is no partition ${partition}.`)
  if (service === '') return void error('MISSING_ARN_FIELD', `${text} names no service.`)
  if (!open(account) && account !== '' && account !== 'aws' && !/^\d{12}$/.test(account) && service !== 'cloudfront') {
    error('INVALID_ARN_ACCOUNT', `${account} is no account: those have twelve digits.`)
  }
  if (!open(region) && region !== '' && !/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(region)) {
    error('INVALID_ARN_REGION', `There is no Region ${region}.`)
  }
  if (open(service)) return
  const wanted = resourceType && serviceOfType(resourceType)
  if (wanted && service.toLowerCase() !== wanted) {
    error('UNSUPPORTED_RESOURCE_ARN_IN_POLICY', `A policy on ${resourceType} cannot name ${text}.`)
  }
  if (service !== service.toLowerCase())
    return void error('INVALID_ARN_SERVICE_CASE', `Write the service ${service} in small letters.`)
  const facts = reference.service(service)
  if (!facts && reference.arnServices?.has(service)) return
  if (!facts) return void error('INVALID_SERVICE', `There is no service ${service}.`)
  budget.spend(facts.details?.arns.length ?? 1)
  fitting(facts, { service, region, account, path }, error)
}

interface Parts {
  readonly service: string
  readonly region: string
  readonly account: string
  readonly path: string
}

/** Against the forms the service's own ARNs have, where they are known. */
function fitting(facts: ServiceFacts, parts: Parts, error: (code: string, details: string) => void): void {
  const templates = facts.details?.arns.map((arn) => arn.split(':')).filter((each) => each[2] === parts.service) ?? []
  // Common to all services, and in no table.
  if (templates.length === 0 || (parts.service === 'iam' && parts.path === 'root')) return
  if (parts.path === '' || /^[*?]/.test(parts.path)) return
  const near = templates.filter((each) => mayBe(each.slice(5).join(':'), parts.path))
  // With a wildcard it may be a resource that the reference has no form of: AWS's own policies name several.
  if (near.length === 0 && /[*?]/.test(parts.path)) return
  if (near.length === 0)
    return void error('INVALID_ARN_RESOURCE', `The service ${parts.service} has no resource such as ${parts.path}.`)
  const always = (part: number) => near.every((each) => each[part] !== '')
  if (parts.region === '' && always(3)) error('MISSING_ARN_REGION', `The ARN lacks the Region of ${parts.path}.`)
  if (parts.account === '' && always(4)) error('MISSING_ARN_ACCOUNT', `The ARN lacks the account of ${parts.path}.`)
  if (parts.region !== '' && parts.region !== '*' && near.every((each) => each[3] === '')) {
    error('ARN_REGION_NOT_ALLOWED', `The service ${parts.service} has no Region in the ARN of this resource.`)
  }
  if (parts.account !== '' && parts.account !== '*' && near.every((each) => each[4] === '')) {
    error('ARN_ACCOUNT_NOT_ALLOWED', `The service ${parts.service} has no account in the ARN of this resource.`)
  }
}

/** Whether a written path can be of this form: the parts before the first variable of either must agree. */
function mayBe(template: string, path: string): boolean {
  const fixed = template.split('${')[0]!
  const written = path.split(/[*?$]/)[0]!
  if (written.length < path.length && written.length <= fixed.length) return fixed.startsWith(written)
  return path.startsWith(fixed) && (template !== fixed || path === fixed || fixed.endsWith('*'))
}
