/** What every call is answered while Merlon is sealed or starts: an outage, in the caller's own protocol, which clients retry. */
import { randomUUID } from 'node:crypto'
import { detect } from '../../wire/detect.ts'
import { Fault } from '../../wire/fault.ts'
import { encodeFault } from '../../wire/fault-answer.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'

/** No caller is authenticated and nothing is read: there is no key to do it with. */
export async function answerUnavailable(request: HttpRequest, message: string): Promise<HttpResponse> {
  const detected = await detect(request).catch(() => undefined)
  const fault = new Fault('ServiceUnavailable', message, { status: 503 })
  return encodeFault(request, detected, undefined, fault, randomUUID())
}
