/**
 * Which service principals exist. AWS publishes no list: a name counts as a service's when it is the prefix of its actions
 * in IAM, or one that AWS's documentation, service-linked roles and managed policies use. Generous on purpose: a refused
 * principal that exists breaks its users, an accepted one that does not exist can never sign a call.
 */
import known from './service-principals.json' with { type: 'json' }

const DOMAIN = /\.amazonaws\.com(\.cn)?$/
const REGION = /\.[a-z]{2}(-[a-z]+)+-\d$/

const services: ReadonlySet<string> = new Set(known)

/** `lambda.amazonaws.com`, and forms for a Region (`logs.eu-west-1.amazonaws.com`) or for China. */
export function isServicePrincipal(name: string): boolean {
  if (!DOMAIN.test(name)) return false
  const service = name.replace(DOMAIN, '')
  return services.has(service) || services.has(service.replace(REGION, ''))
}
