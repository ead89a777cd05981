/** A request and the policies that apply to it, from the options of `explain` and `simulate`. */
import { accountIn, addContext, contextOf } from '../../policy/account/principal-context.ts'
import type { Context, Layers, PolicyKind, Principal, Request } from '../../policy/index.ts'
import type { Option } from '../command.ts'
import { UsageError } from '../command.ts'
import { type ParsedOptions, required } from '../subcommand.ts'
import { loadPolicy } from './files.ts'
import { contextIn, principalOf } from './principal.ts'

const files = (about: string) => ({ type: 'string', value: 'FILE', multiple: true, about }) as const
const file = (about: string) => ({ type: 'string', value: 'FILE', about }) as const

export const layerOptions = {
  identity: files("the caller's own policies, its groups' among them; may be repeated"),
  boundary: file("the caller's permissions boundary"),
  session: files('session policies; may be repeated'),
  'resource-policy': file("the resource's own policy"),
  'key-policy': file('the policy of a KMS key, which must allow'),
  trust: file('the trust policy of a role to be assumed, which must allow'),
  scp: files('service control policies: one level each time, several files of a level with commas'),
  rcp: files('resource control policies, in the same way'),
  endpoint: file('the policy of the VPC endpoint in between'),
} as const satisfies Record<string, Option>

export const callerOptions = {
  principal: { type: 'string', value: 'ARN', about: "the caller: an ARN, a service, or 'anonymous' (required)" },
  'principal-tag': {
    type: 'string',
    value: 'KEY=VALUE',
    multiple: true,
    about: 'a tag of the caller; may be repeated',
  },
  context: { type: 'string', value: 'KEY=VALUE', multiple: true, about: 'a condition key; repeated, several values' },
  'resource-account': {
    type: 'string',
    value: 'ID',
    about: "the owner of the resource (default: as the ARN says, else the caller's account)",
  },
} as const satisfies Record<string, Option>

/** Throws an `InputError` for a file that is none, a `UsageError` for a choice that can't be meant. */
export function layersOf(given: ParsedOptions<typeof layerOptions>): Layers {
  const one = (name: string | undefined, kind: PolicyKind) => (name === undefined ? undefined : loadPolicy(name, kind))
  const levels = (names: readonly string[], kind: PolicyKind) =>
    names.length === 0 ? undefined : names.map((level) => level.split(',').map((name) => loadPolicy(name, kind)))
  const own = (['resource-policy', 'key-policy', 'trust'] as const).filter((name) => given[name] !== undefined)
  if (own.length > 1) throw new UsageError(`--${own[0]} and --${own[1]} exclude each other: a resource has one policy.`)
  const resource = one(given['resource-policy'] ?? given['key-policy'], 'resource') ?? one(given.trust, 'trust')
  return {
    identity: given.identity.map((name) => loadPolicy(name, 'identity')),
    boundary: one(given.boundary, 'boundary'),
    session: given.session.length > 0 ? given.session.map((name) => loadPolicy(name, 'session')) : undefined,
    resource,
    resourceMode: own[0] === 'key-policy' || own[0] === 'trust' ? 'required' : 'optional',
    scps: levels(given.scp, 'scp'),
    rcps: levels(given.rcp, 'rcp'),
    endpoint: one(given.endpoint, 'endpoint'),
  }
}

export interface Caller {
  readonly principal: Principal
  /** The request for one action on one resource; its context is shared with no other. */
  request(action: string, resource: string): Request
}

export function callerOf(given: ParsedOptions<typeof callerOptions>): Caller {
  const tags = Object.fromEntries(given['principal-tag'].map((word) => pairOf(word)))
  const principal = principalOf(required(given.principal, 'principal'), tags)
  const owner = given['resource-account']
  if (owner !== undefined && !/^\d{12}$/.test(owner)) {
    throw new UsageError(`--resource-account has twelve digits; '${owner}' has not.`)
  }
  return {
    principal,
    request(action, resource) {
      const own = 'account' in principal ? principal.account : undefined
      const resourceAccount = owner ?? accountIn(resource) ?? own
      const context: Context = contextOf(principal, resourceAccount)
      addContext(context, contextIn(given.context))
      return {
        principal,
        action: actionOf(action),
        resource: resourceOf(resource),
        resourceAccount: resourceAccount ?? '',
        context,
      }
    },
  }
}

function pairOf(word: string): readonly [string, string] {
  const equals = word.indexOf('=')
  if (equals < 1) throw new UsageError(`--principal-tag is KEY=VALUE, not '${word}'.`)
  return [word.slice(0, equals), word.slice(equals + 1)]
}

/** `s3:GetObject`, without wildcards: one request is for one action. */
export function actionOf(text: string): string {
  if (!/^[a-z0-9-]+:[a-z0-9_]+$/i.test(text)) {
    throw new UsageError(`'${text}' is no action: expected service:Name, such as s3:GetObject, without wildcards.`)
  }
  return text
}

/** An ARN of six parts, or `*` for actions without a resource. */
export function resourceOf(text: string): string {
  if (text !== '*' && !/^arn:([^:]*:){4}.+$/s.test(text)) {
    throw new UsageError(`'${text}' is no resource: expected an ARN, or '*' for actions that have none.`)
  }
  return text
}
