/** The token service's declarations: its faults carry the error codes of OAuth 2.0 as well. */
import type * as SSOOIDC from '@aws-sdk/client-sso-oidc'
import { defineService } from '../../kernel/service/define-service.ts'

export const oidc = defineService<typeof SSOOIDC>('sso-oidc', 'sso-oauth')

const ERRORS = {
  InvalidRequestException: 'invalid_request',
  InvalidClientException: 'invalid_client',
  InvalidGrantException: 'invalid_grant',
  UnauthorizedClientException: 'unauthorized_client',
  UnsupportedGrantTypeException: 'unsupported_grant_type',
  InvalidScopeException: 'invalid_scope',
  AuthorizationPendingException: 'authorization_pending',
  SlowDownException: 'slow_down',
  AccessDeniedException: 'access_denied',
  ExpiredTokenException: 'expired_token',
  InvalidClientMetadataException: 'invalid_client_metadata',
  InvalidRedirectUriException: 'invalid_redirect_uri',
} as const

/** RFC 6749, section 5.2, and RFC 8628, section 3.5. */
export const refuse = (code: keyof typeof ERRORS, description: string) =>
  oidc.fail(code, description, { error: ERRORS[code], error_description: description })
