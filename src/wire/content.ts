/** What each protocol calls its bodies. */
import type { Protocol } from './services.ts'

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

export const contentTypes: Readonly<Record<Protocol, string>> = {
  query: 'text/xml',
  ec2: 'text/xml;charset=UTF-8',
  json10: 'application/x-amz-json-1.0',
  json11: 'application/x-amz-json-1.1',
  restjson: 'application/json',
  restxml: 'application/xml',
  cbor: 'application/cbor',
}
