/** Faults of provisioning, in the form of RFC 7644, section 3.12. */
import type { WebAnswer } from '../../../kernel/web/site.ts'
import { Fault } from '../../../wire/fault.ts'

export type ScimType = 'invalidFilter' | 'invalidSyntax' | 'invalidPath' | 'invalidValue' | 'noTarget' | 'mutability'

export const bad = (text: string, type: ScimType = 'invalidValue') => new Fault(type, text, { status: 400 })

export const missing = (id: string) => new Fault('NotFound', `Resource ${id} not found.`, { status: 404 })

const STATUS: Readonly<Record<string, number>> = {
  ConflictException: 409,
  ResourceNotFoundException: 404,
  ValidationException: 400,
  ServiceQuotaExceededException: 400,
}

const TYPES: ReadonlySet<string> = new Set([
  'invalidFilter',
  'invalidSyntax',
  'invalidPath',
  'invalidValue',
  'noTarget',
  'mutability',
])

export function scimFault({
  code,
  message,
  status: told,
}: {
  readonly code: string
  readonly message: string
  readonly status: number
}): WebAnswer {
  const status = STATUS[code] ?? told
  const scimType = status === 409 ? 'uniqueness' : TYPES.has(code) ? code : undefined
  return {
    status,
    contentType: 'application/scim+json',
    json: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: String(status),
      ...(scimType !== undefined && { scimType }),
      detail: message,
    },
  }
}
