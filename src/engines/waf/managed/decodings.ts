/** The decodings in which managed rules read texts: once, twice, and as what pages and scripts make of them. */
import type { TextTransformationType } from '@aws-sdk/client-wafv2'

export type Decodings = readonly (readonly TextTransformationType[])[]

/**
 * Decoded until nothing is left of encodings within encodings: percent encoding twice, entities, escapes of JavaScript, and what was
 * percent-encoded before it was escaped. A step that changes nothing costs nothing.
 */
export const DEEP: readonly TextTransformationType[] = [
  'URL_DECODE_UNI',
  'URL_DECODE_UNI',
  'HTML_ENTITY_DECODE',
  'JS_DECODE',
  'URL_DECODE_UNI',
  'HTML_ENTITY_DECODE',
]

export const SQL_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'REMOVE_NULLS'],
  ['URL_DECODE_UNI', 'URL_DECODE_UNI', 'HTML_ENTITY_DECODE', 'REMOVE_NULLS'],
]

export const HTML_DECODINGS: Decodings = [['URL_DECODE_UNI'], DEEP]

export const PATH_DECODINGS: Decodings = [['URL_DECODE_UNI', 'URL_DECODE_UNI', 'REMOVE_NULLS', 'LOWERCASE']]

export const COMMAND_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'LOWERCASE'],
  ['URL_DECODE_UNI', 'CMD_LINE'],
]

export const TEXT_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'LOWERCASE'],
  [...DEEP, 'LOWERCASE'],
]

/** Bodies are decoded already. */
export const DECODED: Decodings = [['LOWERCASE']]
