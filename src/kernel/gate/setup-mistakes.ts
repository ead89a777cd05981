/** Client settings that cannot work here, recognized in requests that failed authentication. Their claims are never trusted. */
import type { Fault } from '../../wire/fault.ts'
import { type HttpRequest, header } from '../../wire/http.ts'
import { isRegion } from '../../wire/regions.ts'
import { parseBasicDate } from '../../wire/sigv4/index.ts'

export type SetupMistake =
  /** A key that emulators accept and examples show. */
  | { readonly kind: 'placeholder-key'; readonly accessKeyId: string }
  | { readonly kind: 'unsigned' }
  /** Positive: the client's clock is ahead. */
  | { readonly kind: 'clock'; readonly aheadSeconds: number }
  | { readonly kind: 'region' }
  /** A host name that LocalStack's tools use. */
  | { readonly kind: 'host' }

/** Read at most: a header may be long, and this is before authentication. */
const READ_MAX = 512
const CREDENTIAL = /Credential=([^/,\s&]{1,128})(?:\/|%2F)\d{8}(?:\/|%2F)([^/%,\s&]{0,64})(?:\/|%2F)/i
/** Of LocalStack, moto and documentation; LocalStack takes an account ID, too. */
const PLACEHOLDER =
  /^(?:tests?|testing|mock\w*|dummy\w*|fake\w*|foo\w*|bar|local\w*|minio\w*|xx+|anything|access-?key\w*|\d{12}|AKIAIOSFODNN7EXAMPLE|L[KS]IA\w+)$/i

/** Undefined where the refusal says enough. */
export function setupMistake(
  request: Pick<HttpRequest, 'rawHeaders' | 'query'>,
  { code, message }: Fault,
  now: number,
): SetupMistake | undefined {
  if (/\.localstack\.cloud(?::\d+)?$/i.test((header(request, 'host') ?? '').slice(-READ_MAX))) return { kind: 'host' }
  const written = (header(request, 'authorization') ?? request.query).slice(0, READ_MAX)
  const [, accessKeyId, region = ''] = CREDENTIAL.exec(written) ?? []
  if (accessKeyId === undefined) return code === 'MissingAuthenticationToken' ? { kind: 'unsigned' } : undefined
  if (/^Signature (?:expired|not yet current)/.test(message) || code === 'RequestTimeTooSkewed') {
    const signedAt = parseBasicDate(header(request, 'x-amz-date') ?? '')
    return { kind: 'clock', aheadSeconds: signedAt === undefined ? 0 : Math.round((signedAt - now) / 1_000) }
  }
  if (PLACEHOLDER.test(accessKeyId)) return { kind: 'placeholder-key', accessKeyId }
  return region !== '*' && !isRegion(region) ? { kind: 'region' } : undefined
}
