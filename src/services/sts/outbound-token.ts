/** GetWebIdentityToken: the caller as a JSON Web Token, for services elsewhere that check it by the account's keys. */

import { mergeTags } from '../../kernel/resource/tags.ts'
import { anything } from '../../kernel/resource/target.ts'
import { Fault } from '../../wire/fault.ts'
import { sts } from './words.ts'

export const SECONDS_DEFAULT = 300
/** Of the claims, as JSON. */
const CLAIMS_BYTES_MAX = 4_096
const AWS_CLAIMS = 'https://sts.amazonaws.com/'

export const getWebIdentityToken = sts
  .operation('GetWebIdentityToken')
  .on(anything)
  .conditions((input) => requested(input.Tags))
  .run(async (call, input) => {
    const { principal, session } = call.caller
    if (!('arn' in principal)) throw new Fault('AccessDenied', 'A service has no identity to put into a token.')
    if (input.Tags?.length) await call.authorize('sts:TagGetWebIdentityToken', '*', requested(input.Tags))
    const issuer = await call.ports.identity.tokenIssuer(call.unit, call.account)
    if (!issuer) {
      throw sts.fail(
        'OutboundWebIdentityFederationDisabledException',
        'Outbound web identity federation is not enabled for this account.',
      )
    }
    const { SigningAlgorithm: algorithm, DurationSeconds: seconds = SECONDS_DEFAULT } = input
    if (algorithm !== 'RS256' && algorithm !== 'ES384') {
      throw new Fault('ValidationError', 'SigningAlgorithm must be RS256 or ES384.')
    }
    if (!input.Audience?.length) throw new Fault('ValidationError', 'An Audience is needed.')
    const expires = call.now + seconds * 1000
    if (session && expires > session.expiresAt) {
      throw sts.fail('SessionDurationEscalationException', 'The token would outlive the session that requests it.')
    }
    const tags = mergeTags(
      {},
      (input.Tags ?? []).map(({ Key = '', Value = '' }) => ({ Key, Value })),
    )
    if (typeof tags === 'string') throw new Fault('ValidationError', 'The tags are not valid.')
    const standing = await call.ports.organizations.standing(call.account)
    const subject = principal.kind === 'role-session' ? principal.roleArn : principal.arn
    const claims = {
      iss: issuer.issuer,
      sub: subject,
      aud: input.Audience.length === 1 ? input.Audience[0] : input.Audience,
      iat: Math.floor(call.now / 1000),
      exp: Math.floor(expires / 1000),
      jti: call.newId(),
      [AWS_CLAIMS]: {
        aws_account: call.account,
        source_region: call.region,
        principal_id: subject,
        ...(standing && { org_id: standing.organization, ou_path: [standing.path] }),
        ...(session && { original_session_exp: new Date(session.expiresAt).toISOString() }),
        ...(Object.keys(principal.tags).length > 0 && { principal_tags: principal.tags }),
        ...(Object.keys(tags).length > 0 && { request_tags: tags }),
      },
    }
    if (Buffer.byteLength(JSON.stringify(claims)) > CLAIMS_BYTES_MAX) {
      throw sts.fail('JWTPayloadSizeExceededException', `The claims are longer than ${CLAIMS_BYTES_MAX} bytes.`)
    }
    return {
      WebIdentityToken: await issuer.sign(algorithm, claims),
      Expiration: new Date(Math.floor(expires / 1000) * 1000),
    }
  })

interface Tag {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

const requested = (tags: readonly Tag[] | undefined) =>
  tags?.length
    ? {
        ...Object.fromEntries(tags.map(({ Key, Value = '' }) => [`aws:RequestTag/${Key}`, Value])),
        'aws:TagKeys': tags.map(({ Key = '' }) => Key),
      }
    : {}
