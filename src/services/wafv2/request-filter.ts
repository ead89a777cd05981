/**
 * Web ACLs in the server's own process, for pages that it answers itself. A published web ACL is a value derived from its documents;
 * what is recorded waits in memory, within bounds, until the server writes it down.
 */
import type { AddressFacts } from '../../engines/waf/address-facts.ts'
import { inspectedBodyBytes, type PublishedWebAcl, readsBots } from '../../engines/waf/published.ts'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import type { InspectedRequest } from '../../engines/waf/request.ts'
import { responseTo } from '../../engines/waf/response.ts'
import { Steps } from '../../engines/waf/steps.ts'
import { TrafficRecorder, type WebAclRecord } from '../../engines/waf/traffic-recorder.ts'
import type { Verdict } from '../../engines/waf/web-acl.ts'
import { addressFilesOf, openAddressData } from '../../kernel/addresses/address-data.ts'
import { CompiledWebAcls } from '../../kernel/planes/compiled-web-acls.ts'
import type { FilterRefusal, RequestFilterPort } from '../../kernel/ports/request-filter.ts'
import { webAclResources } from '../../kernel/ports/web-acl-resources.ts'
import type { ServiceContext } from '../../kernel/service/open-services.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import { Challenges, tokenOutcome } from '../../kernel/web-acl-tokens/challenge.ts'
import type { TokenAnswer } from '../../kernel/web-acl-tokens/request.ts'
import { type HttpRequest, header } from '../../wire/http.ts'
import { ENDPOINT_ARN, isEndpointFiltered } from './endpoint.ts'
import { EvaluationBudget } from './evaluation-budget.ts'
import { webAclsPort } from './published-web-acls.ts'
import { openChallenges, tokenRequestOf } from './token-site.ts'

/** Between two writes; more are dropped. */
const RECORDS_MAX = 10_000
const COMPILED_MAX = 200

/** For clients whose network has no steps left. */
const SPENT: FilterRefusal = { status: 429, headers: { 'retry-after': '1' }, body: '' }

/** As often as gateways send their records. */
const FLUSH_MS = 1_000

export interface OpenedFilter extends RequestFilterPort {
  /** From now on what is recorded is written down every {@link FLUSH_MS}. */
  start(): void
  /** Writes down what was recorded. */
  flush(): Promise<void>
  close(): Promise<void>
}

export function openRequestFilter({
  store,
  clock,
  use,
}: Pick<ServiceContext, 'store' | 'clock' | 'use'>): OpenedFilter {
  const rates = new RateLimiter()
  const budget = new EvaluationBudget()
  const challenges = openChallenges(use)
  let records: WebAclRecord[] = []
  const recorder = new TrafficRecorder((record) => {
    if (records.length < RECORDS_MAX) records.push(record)
  })
  const webAclOf = new DerivedCache<PublishedWebAcl | undefined>(
    store,
    (reader, resourceArn) => webAclsPort.publishedFor(reader, resourceArn),
    { max: COMPILED_MAX },
  )
  const acls = new CompiledWebAcls(COMPILED_MAX)

  const addresses = openAddressData(addressFilesOf(process.env), (file, error) =>
    process.emitWarning(`${file}: ${error.message}. The list before counts.`),
  )

  const flush = async (): Promise<void> => {
    const now = clock.now()
    recorder.flush(now)
    const batch = records
    records = []
    if (batch.length === 0) return
    await store.run((unit) => webAclsPort.receive(unit, { records: batch, node: store.node, now }))
  }
  const isFiltered = isEndpointFiltered(process.env)
  const refusal: RequestFilterPort['refusal'] = async (resourceArn, request, requestId) => {
    const found = await webAclOf.get(resourceArn)
    if (!found) return undefined
    // A change that was acknowledged binds from the next request on: it waits where the change is being compiled.
    const { acl, compiled } = await acls.latest(found)
    const type = use(webAclResources).typeOf(resourceArn)
    const bodyBytesMax = inspectedBodyBytes(
      acl,
      (type?.resourceType as Parameters<typeof inspectedBodyBytes>[1] | undefined) ?? 'APPLICATION_LOAD_BALANCER',
    )
    const now = clock.now()
    if (!budget.admits(request.remoteAddress, now)) return SPENT
    const learning =
      readsBots(acl) && addresses.facts.learn?.(request.remoteAddress, header(request, 'user-agent') ?? '')
    if (learning) await learning
    const client = tokenRequestOf(request)
    const token = challenges.token(client, acl)
    const inspected = inspectedRequest(request, bodyBytesMax, addresses.facts)
    const steps = new Steps()
    let verdict: Verdict
    try {
      verdict = compiled.evaluate(inspected, { rates, now, token, addresses: addresses.facts, steps })
    } finally {
      budget.spend(request.remoteAddress, now, steps.used)
    }
    const { action } = verdict
    const wanted = action === 'CHALLENGE' || action === 'CAPTCHA' ? challenges.respond(client, action, now) : undefined
    const response = wanted ? pageOf(wanted, action) : responseTo(verdict)
    recorder.inspected(acl, inspected, verdict, {
      now,
      sourceName: type?.httpSourceName ?? '-',
      sourceId: resourceArn.slice(resourceArn.lastIndexOf('/') + 1),
      requestId,
      scheme: request.secure ? 'https' : 'http',
      responseCode: response?.status,
      ...(wanted && { token: tokenOutcome(action as 'CHALLENGE' | 'CAPTCHA', token, wanted.status) }),
      bodyBytes: request.body.length,
    })
    return response
  }
  let timer: NodeJS.Timeout | undefined

  return {
    start: () => {
      // A failed write loses samples and records of one interval; the store's own failures end the process elsewhere.
      addresses.start()
      timer = setInterval(() => void flush().catch(() => undefined), FLUSH_MS).unref()
    },
    refusal,
    endpointRefusal: async (request, requestId) =>
      isFiltered && !Challenges.isAboutToken(request) ? refusal(ENDPOINT_ARN, request, requestId) : undefined,
    // The pages belong to no web ACL: their tokens are those of their host.
    tokenAnswer: (request, body, now) => challenges.answer(request, { tokenDomains: [] }, body, now),
    flush,
    close: async () => {
      clearInterval(timer)
      await addresses.stop()
      await flush()
    },
  }
}

const pageOf = ({ status, headers, body }: TokenAnswer, action: string): FilterRefusal => ({
  status,
  headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
  body,
  lacksToken: action === 'CAPTCHA' ? 'captcha' : 'challenge',
})

function inspectedRequest(request: HttpRequest, bodyBytesMax: number, addresses: AddressFacts): InspectedRequest {
  const place = addresses.placeOf(request.remoteAddress)
  const { rawHeaders } = request
  const headers: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.push([rawHeaders[i]!, rawHeaders[i + 1]!])
  return {
    method: request.method,
    path: request.path,
    query: request.query,
    httpVersion: '1.1',
    headers,
    body: request.body.subarray(0, bodyBytesMax).toString('latin1'),
    isBodyTruncated: request.body.length > bodyBytesMax,
    clientIp: request.remoteAddress,
    country: place?.country,
    region: place?.region,
    asn: place?.asn,
  }
}
