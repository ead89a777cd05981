/**
 * The request filter port: web ACLs for requests that the server answers itself, before anything else reads them. Provided by wafv2;
 * used by the gate of web routes for sites that name a resource.
 */
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { port } from './port.ts'

export interface RequestFilterPort {
  /**
   * The response to a request that the web ACL of a resource does not allow; undefined for one that may go on. Throws when the
   * web ACL cannot be evaluated: such a request must not go on.
   */
  refusal(resourceArn: string, request: HttpRequest, requestId: string): Promise<HttpResponse | undefined>
}

export const requestFilter = port<RequestFilterPort>('request-filter')
