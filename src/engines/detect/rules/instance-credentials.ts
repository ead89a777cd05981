/** Credentials that the instance metadata service issued, used from somewhere else than the instance. */
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { ApiEvent, InstanceRecord } from '../types.ts'
import { KNOWN_FAMILIES, userAgentFamily } from '../user-agent.ts'
import { networkOf } from './behavior.ts'

const SOURCE =
  'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#unauthorizedaccess-iam-instancecredentialexfiltrationoutsideaws'
/** Either case: tools that anonymize logs write both. */
const SESSION = /:assumed-role\/[^/]+\/(i-[0-9a-f]{8,17})$/i
const ADDRESS = /^[0-9a-f.:]+$/i
const PLACES_MAX = 8

/** Where an instance's credentials were used from: networks and clients. */
interface Usage {
  places: string[]
  clients: string[]
}

const DAY_MS = 86_400_000

/**
 * With the addresses of the instance known, any other address. Without, a network and a client that this instance's credentials
 * were never used with: alone, either is usual, with many NAT gateways or after an upgrade. Or an unusual client that uses a
 * user's credentials from the same address: the tool of a person, not software of the instance.
 */
export const instanceCredentialExfiltration: RuleFactory = ({ state, lookups }): Rule => {
  const usage = state.table<Usage>('instance-usage')
  /** When an unusual client last used a user's credentials from an address. */
  const tools = state.table<number>('user-tools')
  const instances = new Map((lookups.configuration.instances ?? []).map((each) => [each.instanceId, each]))
  return {
    name: 'instance-credentials-used-elsewhere',
    types: ['OutsideAWS', 'InsideAWS'].map(
      (where) => `UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.${where}`,
    ),
    source: SOURCE,
    api: (event) => {
      const instanceId = instanceOf(event)
      if (event.principal.type === 'IAMUser') noteTool(event)
      // An endpoint's private addresses may be those of any VPC.
      if (instanceId === undefined || event.vpcEndpointId !== undefined || !ADDRESS.test(event.address)) return NONE
      const known = instances.get(instanceId)
      if (known)
        return known.addresses.includes(event.address) ? NONE : [detection(instanceId, event, isInside(event, known))]
      return isElsewhere(event, instanceId) ? [detection(instanceId, event, false)] : NONE
    },
  }

  function noteTool(event: ApiEvent): void {
    const key = toolOf(event)
    if (key !== undefined && event.time - (tools.get(key) ?? 0) > DAY_MS / 24) tools.put(key, event.time)
  }

  function isElsewhere(event: ApiEvent, instanceId: string): boolean {
    const place = networkOf(event.address, lookups)
    const client = userAgentFamily(event.userAgent)
    const before = usage.get(instanceId)
    const tool = toolOf(event)
    if (tool !== undefined && Math.abs(event.time - (tools.get(tool) ?? 0)) < DAY_MS) return true
    const isNew = before !== undefined && !before.places.includes(place) && !before.clients.includes(client)
    // What is found is not learned.
    if (isNew) return true
    const places = before?.places ?? []
    const clients = before?.clients ?? []
    if (!places.includes(place) || !clients.includes(client)) {
      usage.put(instanceId, { places: add(places, place), clients: add(clients, client) })
    }
    return false
  }

  /** From an address of another known instance, or through a known instance of another account. */
  function isInside(event: ApiEvent, known: InstanceRecord): boolean {
    const other = lookups.instanceAt(event.address, '')
    return other !== undefined && other.instanceId !== known.instanceId
  }
}

/** Undefined for clients that are common. */
function toolOf({ account, address, userAgent }: ApiEvent): string | undefined {
  const client = userAgentFamily(userAgent)
  return KNOWN_FAMILIES.has(client) ? undefined : `${account} ${address} ${client}`
}

const add = (list: readonly string[], value: string): string[] =>
  list.includes(value) ? [...list] : [...list.slice(-PLACES_MAX + 1), value]

function instanceOf({ principal }: ApiEvent): string | undefined {
  if (principal.type !== 'AssumedRole' || principal.invokedBy !== undefined) return undefined
  return SESSION.exec(principal.arn)?.[1]
}

const detection = (instanceId: string, { address }: ApiEvent, isInside: boolean): Detection => ({
  type: `UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.${isInside ? 'InsideAWS' : 'OutsideAWS'}`,
  detail: `instance ${instanceId}`,
  aggregate: instanceId,
  additionalInfo: { instanceId, remoteAddress: address },
})
