/** What the public authorization reference says of each IAM action. Generated: see `tools/`. */
import controlPolicies from '../../../models/control-policies.json' with { type: 'json' }
import reference from '../../../models/iam-actions.json' with { type: 'json' }
import { remembering } from '../../wire/remember.ts'

export type AccessLevel = 'List' | 'Read' | 'Write' | 'Tagging' | 'Permissions management'

interface ActionFacts {
  readonly level: AccessLevel
}

const { services: actions } = reference as unknown as {
  readonly services: Record<string, { readonly actions: Record<string, ActionFacts> }>
}

function find(action: string): ActionFacts | undefined {
  const colon = action.indexOf(':')
  return actions[action.slice(0, colon)]?.actions[action.slice(colon + 1)]
}

export function isKnownAction(action: string): boolean {
  return find(action) !== undefined
}

const ACTIONS_MAX = 5_000

export const isReading = remembering(ACTIONS_MAX, (action: string): boolean => {
  const level = accessLevel(action)
  return level === 'Read' || level === 'List'
})

export function accessLevel(action: string): AccessLevel | undefined {
  return find(action)?.level
}

const underControlPolicies: ReadonlySet<string> = new Set(controlPolicies.rcp)

/** Whether resource control policies protect the resources of the services with this prefix, in lower case. */
export const isUnderControlPolicies = (prefix: string): boolean => underControlPolicies.has(prefix)
