/**
 * An account as an OpenID issuer: its principals get tokens that others can check. Its keys are made when it is first
 * enabled, and stay, as the issuer's name does.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
 */
import { createPublicKey } from 'node:crypto'
import type { Call } from '../../../kernel/gate/call.ts'
import type { TokenAlgorithm, TokenIssuer } from '../../../kernel/ports/ports.ts'
import { anything } from '../../../kernel/resource/target.ts'
import { DOCUMENTS_PATH, type PublicDocument } from '../../../kernel/service/documents.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { key } from '../../../store/store.ts'
import type { MaterialContext, Materials, StoredMaterial } from '../../../vault/material/materials.ts'
import type { SigningAlgorithm, Spec } from '../../../vault/material/specs.ts'
import { iam } from '../words.ts'

interface IssuerKey {
  readonly kid: string
  readonly held: StoredMaterial
  readonly jwk: Readonly<Record<string, unknown>>
}

interface IssuerRow {
  readonly id: string
  readonly account: string
  /** As tokens name it. */
  readonly issuer: string
  readonly enabled: boolean
  readonly keys: Readonly<Record<TokenAlgorithm, IssuerKey>>
}

const ALGORITHMS: Readonly<Record<TokenAlgorithm, { readonly spec: Spec; readonly signs: SigningAlgorithm }>> = {
  RS256: { spec: 'RSA_2048', signs: 'RSASSA_PKCS1_V1_5_SHA_256' },
  ES384: { spec: 'ECC_NIST_P384', signs: 'ECDSA_SHA_384' },
}

const issuerKey = (account: string) => key('iam', 'outbound-issuer', account)
const accountOfIssuerKey = (id: string) => key('iam', 'account-of-issuer', id)

const enabledOf = async (call: Call): Promise<IssuerRow> => {
  const row = await call.unit.get<IssuerRow>(issuerKey(call.account))
  if (row?.enabled) return row
  throw iam.fail('FeatureDisabledException', 'Outbound web identity federation is not enabled for this account.')
}

export const enableOutboundWebIdentityFederation = iam
  .operation('EnableOutboundWebIdentityFederation')
  .on(anything)
  .run(async (call) => {
    const known = await call.unit.get<IssuerRow>(issuerKey(call.account))
    if (known?.enabled) {
      throw iam.fail('FeatureEnabledException', 'Outbound web identity federation is already enabled for this account.')
    }
    const row: IssuerRow = known ? { ...known, enabled: true } : await madeIssuer(call)
    call.unit.put(issuerKey(call.account), row)
    call.unit.put(accountOfIssuerKey(row.id), { account: call.account })
    return { IssuerIdentifier: row.issuer }
  })

async function madeIssuer(call: Call): Promise<IssuerRow> {
  const id = call.newId()
  const keyOf = async (algorithm: TokenAlgorithm): Promise<IssuerKey> => {
    const { spec } = ALGORITHMS[algorithm]
    const home: MaterialContext = {
      table: 'iam/outbound-issuer',
      key: id,
      column: algorithm,
      account: call.account,
      name: id,
    }
    const made = await call.vault.materials.generate(home, spec)
    const kid = `${algorithm}-${made.id.slice(0, 16)}`
    const jwk = createPublicKey({ key: made.publicKey!, format: 'der', type: 'spki' }).export({ format: 'jwk' })
    return {
      kid,
      held: { home, spec, id: made.id, sealed: made.sealed },
      jwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
    }
  }
  return {
    id,
    account: call.account,
    issuer: `${call.origin}${DOCUMENTS_PATH}issuers/${id}`,
    enabled: true,
    keys: { RS256: await keyOf('RS256'), ES384: await keyOf('ES384') },
  }
}

export const disableOutboundWebIdentityFederation = iam
  .operation('DisableOutboundWebIdentityFederation')
  .on(anything)
  .run(async (call) => {
    const row = await enabledOf(call)
    call.unit.put(issuerKey(call.account), { ...row, enabled: false } satisfies IssuerRow)
    return {}
  })

export const getOutboundWebIdentityFederationInfo = iam
  .operation('GetOutboundWebIdentityFederationInfo')
  .on(anything)
  .run(async (call) => ({ IssuerIdentifier: (await enabledOf(call)).issuer, JwtVendingEnabled: true }))

/** For STS. undefined while the account is no issuer. */
export async function tokenIssuer(
  reader: Reader,
  materials: Materials,
  account: string,
): Promise<TokenIssuer | undefined> {
  const row = await reader.get<IssuerRow>(issuerKey(account))
  if (!row?.enabled) return undefined
  return {
    issuer: row.issuer,
    sign: async (algorithm, claims) => {
      const { kid, held } = row.keys[algorithm]
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const signed = `${part({ alg: algorithm, kid, typ: 'JWT' })}.${part(claims)}`
      const operation = { do: 'sign', algorithm: ALGORITHMS[algorithm].signs, type: 'RAW' } as const
      const signature = await materials.use(held, { ...operation, message: Buffer.from(signed) })
      return `${signed}.${(algorithm === 'ES384' ? joseOf(signature, 48) : signature).toString('base64url')}`
    },
  }
}

/** A DER signature as RFC 7518 §3.4 writes it: r and s, each of the curve's length. */
function joseOf(der: Buffer, bytes: number): Buffer {
  const at = der[1]! < 0x80 ? 2 : 3
  const r = der.subarray(at + 2, at + 2 + der[at + 1]!)
  const s = der.subarray(at + 2 + r.length + 2)
  const fixed = (integer: Buffer) => {
    const digits = integer.length > bytes ? integer.subarray(integer.length - bytes) : integer
    return Buffer.concat([Buffer.alloc(bytes - digits.length), digits])
  }
  return Buffer.concat([fixed(r), fixed(s)])
}

async function publicIssuer(reader: Reader, id: string): Promise<IssuerRow | undefined> {
  const owner = await reader.get<{ readonly account: string }>(accountOfIssuerKey(id))
  const row = owner && (await reader.get<IssuerRow>(issuerKey(owner.account)))
  return row?.enabled ? row : undefined
}

/** OpenID Connect Discovery 1.0 §3, as much of it as checks a token. */
export const issuerDocuments: readonly PublicDocument[] = [
  {
    path: /^issuers\/([0-9a-f-]{36})\/\.well-known\/openid-configuration$/,
    read: async (reader, [id = '']) => {
      const row = await publicIssuer(reader, id)
      return (
        row && {
          issuer: row.issuer,
          jwks_uri: `${row.issuer}/.well-known/jwks.json`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: Object.keys(ALGORITHMS),
          claims_supported: ['iss', 'aud', 'sub', 'iat', 'exp', 'jti', 'https://sts.amazonaws.com/'],
        }
      )
    },
  },
  {
    path: /^issuers\/([0-9a-f-]{36})\/\.well-known\/jwks\.json$/,
    read: async (reader, [id = '']) => {
      const row = await publicIssuer(reader, id)
      return row && { keys: Object.values(row.keys).map(({ jwk }) => jwk) }
    },
  },
]
