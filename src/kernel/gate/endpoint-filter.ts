/** The web ACL of Merlon's own endpoint, before what proves a caller is looked at. */
import { Fault } from '../../wire/fault.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import type { EndpointFilter, FilterRefusal } from '../ports/request-filter.ts'

/** A request that the web ACL does not allow. */
export class FilteredFault extends Fault {
  /** Of the rule; undefined: the protocol of the request words the refusal. */
  readonly response: HttpResponse | undefined

  constructor({ isDefault, lacksToken, ...response }: FilterRefusal) {
    super('ForbiddenException', `Request not allowed due to WAF ${lacksToken ?? 'block'}.`, { status: 403 })
    this.response = isDefault || lacksToken ? undefined : response
  }
}

/** Throws a {@link FilteredFault}. Without a filter nothing is filtered. */
export async function assertAllowed(
  filter: EndpointFilter | undefined,
  request: HttpRequest,
  requestId: string,
): Promise<void> {
  const refusal = await filter?.(request, requestId)
  if (refusal) throw new FilteredFault(refusal)
}
