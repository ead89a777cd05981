/** An ACME authority in memory that issues for whatever is requested, and whose answers a test can change: as a hostile one would. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { buildCertificate, parseSigningRequest, pem } from '../../../engines/x509/certificate-builder.ts'
import {
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  extendedKeyUsages,
  keyIdOfSpki,
  keyUsage,
  subjectAltName,
  subjectKeyId,
} from '../../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../../engines/x509/names.ts'
import { newSerial } from '../../../kernel/certificate-serial.ts'
import type { AcmeAuthorityPort, AcmeRequest, AcmeResponse } from '../../../kernel/ports/acme-authority.ts'

export const ORIGIN = 'https://acme.test'
const DAY_MS = 24 * 60 * 60 * 1000

const nameOf = (value: string) => distinguishedName([{ oid: attributeOids.CommonName, value }])
const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }) }
}

export interface LeafPlan {
  readonly names: readonly string[]
  readonly publicKey: Buffer
  readonly notBefore: number
  readonly notAfter: number
  readonly extended: string
}

/** What is answered, by the first part of the path: `directory`, `order`, `authz`, `cert`, … */
export type Change = (answer: AcmeResponse, request: AcmeRequest, times: number) => AcmeResponse | Promise<AcmeResponse>

export interface Script {
  readonly answers?: Readonly<Record<string, Change>>
  readonly leaf?: (plan: LeafPlan) => LeafPlan
}

export function scriptedAuthority(now: () => number, script: Script = {}) {
  const root = pair()
  const requests: string[] = []
  const times = new Map<string, number>()
  const state = { names: [] as string[], csr: '', challenged: 0, nonces: 0 }

  async function certificate(notBefore: number, notAfter: number, leaf?: LeafPlan): Promise<string> {
    const der = await buildCertificate(
      {
        serial: newSerial(),
        issuer: nameOf('Scripted CA'),
        subject: nameOf(leaf?.names[0] ?? 'Scripted CA'),
        publicKey: leaf?.publicKey ?? root.publicKey,
        notBefore: new Date(notBefore),
        notAfter: new Date(notAfter),
        algorithm: 'SHA256WITHECDSA',
        extensions: leaf
          ? [
              basicConstraints(false),
              keyUsage('digitalSignature'),
              extendedKeyUsage(leaf.extended),
              subjectAltName(leaf.names),
              authorityKeyId(keyIdOfSpki(root.publicKey)),
            ]
          : [basicConstraints(true), keyUsage('keyCertSign'), subjectKeyId(root.publicKey)],
      },
      async (message) => sign('sha256', message, root.privateKey),
    )
    return pem('CERTIFICATE', der)
  }

  async function issued(): Promise<string> {
    const { publicKey } = await parseSigningRequest(Buffer.from(state.csr, 'base64url'))
    const at = Math.floor(now() / 1_000) * 1_000
    const plan: LeafPlan = {
      names: state.names,
      publicKey,
      notBefore: at - DAY_MS,
      notAfter: at + 90 * DAY_MS,
      extended: extendedKeyUsages.SERVER_AUTH,
    }
    const leaf = script.leaf?.(plan) ?? plan
    return (
      (await certificate(leaf.notBefore, leaf.notAfter, leaf)) + (await certificate(at - DAY_MS, at + 900 * DAY_MS))
    )
  }

  const order = () => ({
    status: state.csr ? 'valid' : state.challenged > 0 ? 'ready' : 'pending',
    authorizations: state.names.map((_name, index) => `${ORIGIN}/authz/${index}`),
    finalize: `${ORIGIN}/finalize`,
    ...(state.csr && { certificate: `${ORIGIN}/cert` }),
  })

  async function contents(path: string, index: number, payload: Record<string, unknown>): Promise<object | string> {
    switch (path) {
      case 'directory':
        return Object.fromEntries(['newNonce', 'newAccount', 'newOrder'].map((each) => [each, `${ORIGIN}/${each}`]))
      case 'newOrder':
        Object.assign(state, { csr: '', challenged: 0 })
        state.names = (payload['identifiers'] as { value: string }[]).map(({ value }) => value)
        return order()
      case 'authz':
        return {
          status: 'pending',
          identifier: { type: 'dns', value: state.names[index]?.replace(/^\*\./, '') },
          challenges: ['http-01', 'dns-01'].map((type) => ({
            type,
            url: `${ORIGIN}/challenge/${index}`,
            token: `token-${index}`,
          })),
        }
      case 'challenge':
        state.challenged++
        return {}
      case 'finalize':
        state.csr = payload['csr'] as string
        return order()
      case 'cert':
        return issued()
      default:
        return path === 'order' ? order() : {}
    }
  }

  const send: AcmeAuthorityPort['send'] = async (request) => {
    const [path = '', index = '0'] = new URL(request.url).pathname.split('/').slice(1)
    requests.push(`${request.method} ${path}`)
    const nth = (times.get(path) ?? 0) + 1
    times.set(path, nth)
    const { payload = '' } = request.body ? (JSON.parse(request.body) as { payload: string }) : {}
    const text = Buffer.from(payload, 'base64url').toString()
    const made = await contents(path, Number(index), text === '' ? {} : JSON.parse(text))
    const answer: AcmeResponse = {
      status: 200,
      headers: {
        'replay-nonce': `nonce-${++state.nonces}`,
        'content-type': typeof made === 'string' ? 'application/pem-certificate-chain' : 'application/json',
        ...(path === 'newOrder' && { location: `${ORIGIN}/order` }),
        ...(path === 'newAccount' && { location: `${ORIGIN}/account` }),
      },
      body: typeof made === 'string' ? made : JSON.stringify(made),
    }
    return (await script.answers?.[path]?.(answer, request, nth)) ?? answer
  }
  return { send, requests, settings: { directory: `${ORIGIN}/directory`, contacts: [] } }
}

/** Members of a JSON answer replaced; `undefined` removes one. */
export const withMembers =
  (members: object | ((json: Record<string, unknown>) => object)): Change =>
  (answer) => {
    const json = JSON.parse(answer.body) as Record<string, unknown>
    return {
      ...answer,
      body: JSON.stringify({ ...json, ...(typeof members === 'function' ? members(json) : members) }),
    }
  }
