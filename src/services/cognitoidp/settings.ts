/** What an operator configures for user pools, read when it is first needed. */

/** `https://cognito-idp.REGION.amazonaws.com`, or `MERLON_COGNITO_ISSUER_BASE`: one place changes tokens, discovery and keys together. */
export const issuerBase = (region: string): string =>
  process.env['MERLON_COGNITO_ISSUER_BASE']?.replace(/\/+$/, '') || `https://cognito-idp.${region}.amazonaws.com`

export const issuerOf = ({ id, region }: { readonly id: string; readonly region: string }): string =>
  `${issuerBase(region)}/${id}`

/** Where text messages go: by mail, as gateways take them, to the number at this domain. */
export const smsDomain = (): string => process.env['MERLON_SMS_DOMAIN'] || 'sms.merlon.internal'

/** An HTTPS address that takes text messages as JSON in place of the mail gateway. */
export const smsWebhook = (): string | undefined => process.env['MERLON_SMS_WEBHOOK'] || undefined
