/**
 * The request filter port: web ACLs for requests that the server answers itself, before anything else reads them. Provided by wafv2;
 * used by the gate of web routes for sites that name a resource, and by both gates for Merlon's own endpoint.
 */
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import type { TokenAnswer, TokenRequest } from '../web-acl-tokens/request.ts'
import { port } from './port.ts'

export interface RequestFilterPort {
  /**
   * The response to a request that the web ACL of a resource does not allow; undefined for one that may go on. Throws when the
   * web ACL cannot be evaluated: such a request must not go on.
   */
  refusal(resourceArn: string, request: HttpRequest, requestId: string): Promise<FilterRefusal | undefined>
  /** The same by the web ACL of Merlon's own endpoint. */
  endpointRefusal(request: HttpRequest, requestId: string): Promise<FilterRefusal | undefined>
  /** The answer to a request of the pages of challenges and CAPTCHAs, which no web ACL filters. `now` in milliseconds. */
  tokenAnswer(request: TokenRequest, body: string, now: number): TokenAnswer
}

export interface FilterRefusal extends HttpResponse {
  /** The rule has no response of its own: the protocol of the request may word it. */
  readonly isDefault?: boolean
  /** The client lacks a token: the response is for browsers. Clients of the API would take its status 202 for a success. */
  readonly lacksToken?: 'challenge' | 'captcha'
}

/** Filters a request to Merlon's own endpoint: {@link RequestFilterPort.endpointRefusal}. */
export type EndpointFilter = RequestFilterPort['endpointRefusal']

export const requestFilter = port<RequestFilterPort>('request-filter')
