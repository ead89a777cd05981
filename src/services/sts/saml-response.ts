/**
 * SAML responses as STS accepts them: for AWS's sign-in endpoints or those of this installation, refused with STS's
 * errors.
 */
import type { SamlRefusal } from '../../engines/saml/refusal.ts'
import type { SamlIdentity, SamlProvider } from '../../engines/saml/response.ts'
import { Fault } from '../../wire/fault.ts'
import { sts } from './words.ts'

const AUDIENCE = 'urn:amazon:webservices'
/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html */
const AWS_ENDPOINT = /^https:\/\/([a-z0-9-]+\.)?signin\.aws\.amazon\.com\/saml(\/acs\/[\w-]{1,128})?$/
const OWN_PATH = /^\/saml(\/acs\/[\w-]{1,128})?$/
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** The origins whose `/saml` is a recipient: those configured, and the one of the request where it is loopback. */
export function ownOrigins(configured: readonly string[], requested: string): readonly string[] {
  return LOOPBACK.test(requested) ? [...configured, requested] : configured
}

export function isSamlEndpoint(url: string, origins: readonly string[]): boolean {
  if (AWS_ENDPOINT.test(url)) return true
  return origins.some((origin) => url.startsWith(origin) && OWN_PATH.test(url.slice(origin.length)))
}

/** Throws AWS's errors for anything that is not a fresh response of this provider for one of our endpoints. */
export async function readResponse(
  encoded: string,
  provider: SamlProvider,
  { now, origins }: { readonly now: number; readonly origins: readonly string[] },
): Promise<SamlIdentity> {
  // XML signatures are much code, which few servers ever need.
  const { readSamlResponse } = await import('../../engines/saml/response.ts')
  return inOurWords(() =>
    readSamlResponse(encoded, provider, {
      now,
      audience: AUDIENCE,
      isRecipient: (url) => isSamlEndpoint(url, origins),
    }),
  )
}

/** Runs code that throws the engine's errors; throws STS's. */
export function inOurWords<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SamlRefusal')) throw error
    throw faultOf(error as SamlRefusal)
  }
}

function faultOf(refusal: SamlRefusal): Fault {
  switch (refusal.kind) {
    case 'signature':
      return new Fault('InvalidIdentityToken', `Response signature invalid (${refusal.message})`, {
        status: 400,
        cause: refusal,
      })
    case 'expired':
      return sts.fail('ExpiredTokenException', refusal.message)
    case 'rejected':
      return sts.fail('IDPRejectedClaimException', refusal.message)
    default:
      return sts.fail('InvalidIdentityTokenException', refusal.message)
  }
}
