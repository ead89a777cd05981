/** Evidence in every notation: decoded once and twice, and in base64. */
import type { Statement, TextTransformationType } from '@aws-sdk/client-wafv2'
import { DEEP, type Decodings } from './decodings.ts'
import { anyOf, type ComponentName, on, patterns, type TextTest } from './rules.ts'

/** Decoded once, and twice. */
export const TEXT: Decodings = [
  ['URL_DECODE_UNI', 'REMOVE_NULLS', 'LOWERCASE'],
  [...DEEP, 'LOWERCASE'],
]
export const MARKUP: Decodings = [['URL_DECODE_UNI'], DEEP]
export const SQL: Decodings = [
  ['URL_DECODE_UNI', 'URL_DECODE_UNI', 'JS_DECODE', 'REMOVE_NULLS'],
  [...DEEP, 'REMOVE_NULLS'],
]
export const COMMAND: Decodings = [
  ['URL_DECODE_UNI', 'JS_DECODE', 'LOWERCASE'],
  ['URL_DECODE_UNI', 'CMD_LINE'],
  [...DEEP, 'CMD_LINE'],
]

/** What base64 hides: only where a component holds a value that decodes to printable text, which identifiers and keys do not. */
const HIDING: readonly ComponentName[] = ['QUERYARGUMENTS', 'BODY', 'COOKIE', 'HEADER', 'TEXTHEADER']
const PRINTABLE = patterns('(?s)^[\\t\\r\\n\\x20-\\x7e]{6,}$')
const HIDDEN: Decodings = [['URL_DECODE_UNI', 'BASE64_DECODE']]
const hiddenIn = (component: ComponentName, test: TextTest, last: TextTransformationType): Statement => ({
  AndStatement: {
    Statements: [
      on(component, PRINTABLE, HIDDEN),
      on(component, test, [['URL_DECODE_UNI', 'BASE64_DECODE', ...DEEP, last]]),
    ],
  },
})

/** A test on each of the components, in each of the decodings, and in what base64 hides there. */
export const within = (
  components: readonly ComponentName[],
  test: TextTest,
  decodings: Decodings,
  last: TextTransformationType = 'LOWERCASE',
) =>
  anyOf([
    ...components.map((component) => on(component, test, decodings)),
    ...components.filter((each) => HIDING.includes(each)).map((component) => hiddenIn(component, test, last)),
  ])
