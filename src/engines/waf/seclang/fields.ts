/** Variables of SecLang as components of AWS WAF, and transformations under AWS's names. */
import type { FieldToMatch, TextTransformationType } from '@aws-sdk/client-wafv2'

export interface ConvertedVariables {
  readonly fields: readonly FieldToMatch[]
  /** What of the variables is inspected otherwise, or not at all. */
  readonly warnings: readonly string[]
}

const BODY: FieldToMatch = { Body: { OversizeHandling: 'CONTINUE' } }
const MAP = { OversizeHandling: 'CONTINUE' } as const
const QUERY: FieldToMatch = { AllQueryArguments: {} }

const WHOLE: Readonly<Record<string, readonly FieldToMatch[]>> = {
  ARGS: [QUERY, BODY],
  ARGS_GET: [QUERY],
  ARGS_POST: [BODY],
  QUERY_STRING: [{ QueryString: {} }],
  REQUEST_URI: [{ UriPath: {} }, { QueryString: {} }],
  REQUEST_URI_RAW: [{ UriPath: {} }, { QueryString: {} }],
  REQUEST_FILENAME: [{ UriPath: {} }],
  REQUEST_BASENAME: [{ UriPath: {} }],
  REQUEST_METHOD: [{ Method: {} }],
  REQUEST_BODY: [BODY],
  XML: [BODY],
  REQUEST_HEADERS: [{ Headers: { ...MAP, MatchPattern: { All: {} }, MatchScope: 'VALUE' } }],
  REQUEST_HEADERS_NAMES: [{ Headers: { ...MAP, MatchPattern: { All: {} }, MatchScope: 'KEY' } }],
  REQUEST_COOKIES: [{ Cookies: { ...MAP, MatchPattern: { All: {} }, MatchScope: 'VALUE' } }],
  REQUEST_COOKIES_NAMES: [{ Cookies: { ...MAP, MatchPattern: { All: {} }, MatchScope: 'KEY' } }],
}

const WIDER: Readonly<Record<string, string>> = {
  ARGS: 'ARGS of bodies: the whole body is inspected',
  ARGS_POST: 'ARGS_POST: the whole body is inspected',
  XML: 'XML: the whole body is inspected',
  REQUEST_BASENAME: 'REQUEST_BASENAME: the whole path is inspected',
}

const SINGLE: Readonly<Record<string, (name: string) => FieldToMatch>> = {
  REQUEST_HEADERS: (name) => ({ SingleHeader: { Name: name.toLowerCase() } }),
  REQUEST_COOKIES: (name) => ({
    Cookies: { ...MAP, MatchPattern: { IncludedCookies: [name] }, MatchScope: 'VALUE' },
  }),
  ARGS: (name) => ({ SingleQueryArgument: { Name: name.toLowerCase() } }),
  ARGS_GET: (name) => ({ SingleQueryArgument: { Name: name.toLowerCase() } }),
}

/** `ARGS|!ARGS:token|REQUEST_HEADERS:User-Agent`, already taken apart. */
export function fieldsOf(variables: readonly string[]): ConvertedVariables {
  const fields: FieldToMatch[] = []
  const warnings: string[] = []
  for (const variable of variables) {
    const [, mark, name = '', key] = /^([!&]?)([A-Z_]+)(?::(.*))?$/i.exec(variable) ?? []
    const upper = name.toUpperCase()
    if (mark === '!') warnings.push(`${variable}: the exclusion is not applied`)
    else if (
      mark === '&' ||
      !WHOLE[upper] ||
      (key !== undefined && upper !== 'XML' && (!SINGLE[upper] || /^\//.test(key)))
    )
      warnings.push(`${variable}: is not inspected`)
    else if (key === undefined || upper === 'XML') {
      fields.push(...WHOLE[upper])
      if (WIDER[upper]) warnings.push(WIDER[upper])
    } else {
      fields.push(SINGLE[upper]!(key))
      if (upper === 'ARGS') warnings.push(`${variable}: is inspected in query strings only`)
    }
  }
  return { fields: [...new Map(fields.map((field) => [JSON.stringify(field), field])).values()], warnings }
}

export const TRANSFORMATIONS: Readonly<Record<string, TextTransformationType>> = {
  base64decode: 'BASE64_DECODE',
  base64decodeext: 'BASE64_DECODE_EXT',
  cmdline: 'CMD_LINE',
  compresswhitespace: 'COMPRESS_WHITE_SPACE',
  cssdecode: 'CSS_DECODE',
  escapeseqdecode: 'ESCAPE_SEQ_DECODE',
  hexdecode: 'HEX_DECODE',
  htmlentitydecode: 'HTML_ENTITY_DECODE',
  jsdecode: 'JS_DECODE',
  lowercase: 'LOWERCASE',
  md5: 'MD5',
  normalisepath: 'NORMALIZE_PATH',
  normalisepathwin: 'NORMALIZE_PATH_WIN',
  normalizepath: 'NORMALIZE_PATH',
  normalizepathwin: 'NORMALIZE_PATH_WIN',
  removecommentschar: 'REMOVE_COMMENTS_CHAR',
  removenulls: 'REMOVE_NULLS',
  removewhitespace: 'REMOVE_WHITESPACE',
  replacecomments: 'REPLACE_COMMENTS',
  replacenulls: 'REPLACE_NULLS',
  sqlhexdecode: 'SQL_HEX_DECODE',
  trim: 'TRIM',
  trimleft: 'TRIM_LEFT',
  trimright: 'TRIM_RIGHT',
  uppercase: 'UPPERCASE',
  urldecode: 'URL_DECODE',
  urldecodeuni: 'URL_DECODE_UNI',
  utf8tounicode: 'UTF8_TO_UNICODE',
}
