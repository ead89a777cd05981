/** A request of provisioning, and the form of its answers. */
import type { WebAnswer, WebCall, WebInput } from '../../../kernel/web/site.ts'
import type { Change } from '../directory.ts'
import type { ScimClaims } from './tokens.ts'

export interface Request {
  readonly call: WebCall<ScimClaims>
  readonly input: WebInput
  readonly storeId: string
  readonly change: Change
  /** The address of the service: what `meta.location` begins with. */
  readonly base: string
}

export type Run = (request: Request) => Promise<WebAnswer> | WebAnswer

export const scim = (json: object, status = 200, headers: Readonly<Record<string, string>> = {}): WebAnswer => ({
  json,
  status,
  contentType: 'application/scim+json',
  headers,
})
