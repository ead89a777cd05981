/**
 * Which session created a resource. Reading a secret, or deleting a log, that the same client made itself takes nothing from
 * anyone: deployment tools do so all day.
 */
import { classOf, type Tactic } from '../api-classes.ts'
import { textOf } from '../normalize/json.ts'
import type { State } from '../state.ts'
import type { ApiEvent, JsonObject } from '../types.ts'

/** Access that an attacker gives to what it created is an attack all the same. */
const HARMLESS: ReadonlySet<Tactic> = new Set<Tactic>(['CredentialAccess', 'DefenseEvasion', 'Impact'])
const CREATES = /^(?:Create|Put|Run|Allocate|Register|Start)/

/** Members that name what a call is on, in requests and in answers to a creation. */
const NAMES = [
  'name',
  'arn',
  'aRN',
  'secretId',
  'secretIdList',
  'names',
  'bucketName',
  'functionName',
  'logGroupName',
  'trailARN',
  'roleName',
  'userName',
  'instanceId',
  'dBInstanceIdentifier',
  'dBSnapshotIdentifier',
  'keyId',
] as const

const LIST_MAX = 20

/** An ARN of a secret ends with six random characters. */
const plain = (service: string, text: string): string => {
  const name = text.startsWith('arn:')
    ? text.split(':').slice(6).join(':') || text.slice(text.lastIndexOf(':') + 1)
    : text
  return service === 'secretsmanager' && text.startsWith('arn:') ? name.replace(/-[A-Za-z0-9]{6}$/, '') : name
}

const namesOf = ({ service, request }: ApiEvent, from: JsonObject = request): readonly string[] =>
  NAMES.flatMap((member) => {
    const value = from[member]
    return (Array.isArray(value) ? value.slice(0, LIST_MAX) : [value])
      .map((each) => textOf(each, 300))
      .filter((text) => text !== '')
      .map((text) => `${service} ${plain(service, text)}`)
  })

/** Whether the call is harmless because its session owns what it is on; notes what calls create. */
export function ownership(state: State): (event: ApiEvent, session: string) => boolean {
  const owners = state.table<string>('owners')
  return (event, session) => {
    if (CREATES.test(event.action) && event.errorCode === '') {
      for (const name of [...namesOf(event), ...namesOf(event, event.response)]) {
        const key = `${event.account} ${event.region} ${name}`
        if (owners.get(key) === undefined) owners.put(key, session)
      }
    }
    const tactic = classOf(event.service, event.action)?.tactic
    if (tactic === undefined || !HARMLESS.has(tactic)) return false
    const names = namesOf(event)
    return names.length > 0 && names.every((name) => owners.get(`${event.account} ${event.region} ${name}`) === session)
  }
}
