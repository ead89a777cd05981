/** The decodings in which managed rules read texts: once, twice, and as what pages and scripts make of them. */
import type { TextTransformationType } from '@aws-sdk/client-wafv2'

type Decodings = readonly (readonly TextTransformationType[])[]

export const SQL_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'REMOVE_NULLS'],
  ['URL_DECODE_UNI', 'URL_DECODE_UNI', 'HTML_ENTITY_DECODE', 'REMOVE_NULLS'],
]

export const HTML_DECODINGS: Decodings = [
  ['URL_DECODE_UNI'],
  ['URL_DECODE_UNI', 'URL_DECODE_UNI', 'HTML_ENTITY_DECODE', 'JS_DECODE'],
]

export const PATH_DECODINGS: Decodings = [['URL_DECODE_UNI', 'URL_DECODE_UNI', 'REMOVE_NULLS', 'LOWERCASE']]

export const COMMAND_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'LOWERCASE'],
  ['URL_DECODE_UNI', 'CMD_LINE'],
]

export const TEXT_DECODINGS: Decodings = [
  ['URL_DECODE_UNI', 'LOWERCASE'],
  ['URL_DECODE_UNI', 'URL_DECODE_UNI', 'HTML_ENTITY_DECODE', 'JS_DECODE', 'LOWERCASE'],
]

/** Bodies are decoded already. */
export const DECODED: Decodings = [['LOWERCASE']]
