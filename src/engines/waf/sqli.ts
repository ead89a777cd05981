/**
 * Detection of SQL injection: would this text, put into a statement by concatenation, be more than a value there? The
 * text is read as it is, and as the continuation of a string in single and in double quotes; each reading becomes a
 * string of token types (`sql-tokens.ts`), which is searched for patterns of injections.
 *
 * @example
 * isSqlInjection("1' OR '1'='1", 'LOW') // true
 * isSqlInjection("Miles O'Brien", 'HIGH') // false
 */
import type { SensitivityLevel } from '@aws-sdk/client-wafv2'
import { endOfString, type SqlTokens, sqlTokens } from './sql-tokens.ts'

/** Text beyond this is not read: every injection shows itself at its beginning. */
const LENGTH_MAX = 65_536

// Of token letters; all linear: no unbounded repetition is next to one that matches the same letters.
const OPEN = '[SLZQ]'
const COMPARED = `[+!(]*[1snvtfd(][^&;cC]{0,60}[=l]`

/** What a reading contains of an injection, wherever it begins. */
const ANYWHERE = [
  // UNION SELECT, and a list of columns.
  /u(?:[,1svfd*+(!]|n[,.)(cCb]|[SLQtk]|$)/,
  /q[^;]{0,40}?b[k(n.]{0,3}t/,
  /[&(,+]d\(/,
  /k[^k]{0,6}[qu&ef]/,
  /i./,
  /w[sSv]/,
  /&[+!(]*[1s]\)*r[+(]*[1nfs]/,
  // AND SUBSTRING(VERSION(),1,1)=5
  /&[+!(]*f\(f\(\)(?:,1){1,2}\)[=l]/,
  // =(SELECT @@version)
  /[=+]\(+qv/,
  // (SELECT …); UPDATE …
  /\(+q[^;]{0,20}\)+;+[yeqdw]/,
]

/** Behind the end of a string. */
const BEHIND_STRING = [
  // admin'--
  /^\)*[cC]/,
  // ' OR 1=1, ' AND 'a'='a, ' || (SELECT …)
  new RegExp(`^\\)*k?&+${COMPARED}`),
  /^\)*k?&+[+!(]*(?:d\(|\(*q|v|1[)]*(?:[cC;&]|$)|n[cC]|f\([^&;]{0,60}\)(?:[cC=+;&]|$))/,
  /^\)*&[+!(]*1[)]*\+[1s(]/,
  // ' OR '1
  /^\)*&[+!(]*S$/,
  // 1'*column-0-'0, A' NOT LIKE 'B
  /^\)*[&=l+!]+[(]*[1nvs].{0,60}[&=l+]!?[SLQ]$/,
  /^\)*!l[(]*[sSLQ]/,
  // '; DROP TABLE …
  /^\)*;[;)]*(?:[eqdw]|y[^;]{1,12}[b(])/,
  /^\)*;[;)]*[cC]/,
  /^\)*e[n(]{0,2}[.v]/,
  // ' UNION SELECT
  /^[)1sn]*k?u/,
  // '=' and ' LIKE '%
  new RegExp(`^\\)*=[!(]*(?:[sSLQ]$|${OPEN}[=])`),
  /^\)*l[!(]*[SLQ]$/,
  /^\)*[=l][!+(]*(?:[s1v][)]*[&cC;=]|[fd]\(|q)/,
  // '-(SELECT …)-', '-'
  /^\)*\++!?\(*(?:[fd]\(|q|[SQ]$|[s1v][)]*[=cC])/,
  // ' ORDER BY 5--
  /^\)*r[+(]*(?:1(?:[cC,;=]|$)|[fns][^;]{0,30}[cC=]|[(]*q)/,
  /^\)*[,)]+[^n]{0,20}[cC]$/,
]

/** From the beginning of a text, where a number or a name is expected. */
const FROM_BEGINNING = [
  new RegExp(`^[+(]*1[)]*k?&+(?:${COMPARED}|[+!(]*(?:d\\(|q|\\(q))`),
  /^[+(]*[n1sv][)]*&+[!]*[1s+()]{1,40}=[+(]*[1s]/,
  /^&+[+!(]*1[)]*[=l][+(]*[1s]/,
  /^[+(]*1[)]+(?:&|;|u|[cC])/,
  /^[+]*1[)]*;[;]*(?:[eqdw]|y[^;]{1,12}[b(])/,
  /^[+]*1[)]*k?u/,
  /^[+]*1[)]*C$/,
  /^[+]*1[)]*r[+(]*[1nfs]/,
  /^[+]*1[)]*\+\(*(?:d\(|q|\(q)/,
  // A list of columns, or one column of one table and an end: "select the best from the list" is neither.
  /^\(*q[+(]*(?:[*1vsfd]|n[,.(])[^;]{0,60}b/,
  /^\(*qnbn(?:$|[;cC)br&t])/,
  /^d\(/,
  // 1 AND COS(3)=SIN(4)
  /^[n1]&[+!(]*f\([1sv,]{0,9}\)=[+(]*[1sfv]/,
  // 21 UPDATE a SET b=REPLACE(…)
  /^1\+?y\+?n\+?b\+?n=f\(/,
  // (SELECT a/2 FROM users LIMIT 1,1)
  /^\(q[n1+*,]{1,20}bnr1/,
]

/** What only HIGH looks for: shorter evidence, which prose has now and then. */
const FROM_BEGINNING_HIGH = [
  /^;*e/,
  /^[n1][)]*;+[eq]/,
  /^[+]*1&+[+!(]*1[)]*[cC;=]/,
  /^[+]*1&+[+!(]*[sS]/,
  /^[n1]&+(?:f\(|d\()/,
  /^[n1][)]+C$/,
  /^\(.*\)C$/,
  /[=+&l][(]*[1sv][)]*C$/,
  /^\(*q(?:[*+1v]|[fd]\()/,
]

const BEHIND_STRING_HIGH = [/^\)*q[v*]/, /^\)*ev/]

/** Of what HIGH finds, too, some is in every injection. */
const EVIDENCE = /['"();=<>#&|*`,@]|--|\d\s|\s(?:or|and|xor|union|select|order|having|like|limit)\b/i

/**
 * Where no string ends, LOW finds nothing without one of these: prose with numbers, commas and addresses is not taken apart. Each
 * pattern above needs one; a word begins behind anything but a letter, since `1or` are two tokens.
 */
const EVIDENCE_LOW =
  /['"();#]|--|\/\*|\|\||&&|(?<![A-Za-z_$])(?:and|or|xor|union|select|outfile|dumpfile|waitfor|order|group|having|limit|procedure)(?!\w)/i

/** Whether a text is an injection in one of its readings. HIGH finds more, and errs more often. */
export function isSqlInjection(text: string, sensitivity: SensitivityLevel): boolean {
  const read = text.length > LENGTH_MAX ? text.slice(0, LENGTH_MAX) : text
  const isHigh = sensitivity === 'HIGH'
  if (!EVIDENCE.test(read) || !(isHigh || EVIDENCE_LOW.test(read))) return false
  if (isStatement(sqlTokens(read), isHigh)) return true
  return behindStrings(read).some((rest) => continuesStatement(sqlTokens(rest), isHigh))
}

/** What follows the end of a string that the text begins in; with and without backslashes as escapes. */
function behindStrings(text: string): readonly string[] {
  const ends = new Set<number>()
  for (const quote of ["'", '"']) {
    if (!text.includes(quote)) continue
    for (const hasBackslashes of [true, false]) {
      const end = endOfString(text, 0, quote, hasBackslashes)
      if (end >= 0) ends.add(end)
    }
  }
  return [...ends].map((end) => text.slice(end + 1))
}

const some = (patterns: readonly RegExp[], letters: string): boolean =>
  patterns.some((pattern) => pattern.test(letters))

function isStatement({ letters, texts }: SqlTokens, isHigh: boolean): boolean {
  if (some(ANYWHERE, letters) || some(FROM_BEGINNING, letters) || isCommentedExpression(letters)) return true
  // "1 or 1" is one, "1 or 2" is English.
  return isHigh && (some(FROM_BEGINNING_HIGH, letters) || (/^1&1$/.test(letters) && texts[0] === texts[2]))
}

/** `(SELECT 1) --`: all of the text is an expression in parentheses that ends a statement. Prose in parentheses has no operators. */
const isCommentedExpression = (letters: string): boolean =>
  letters.startsWith('(') && letters.endsWith(')C') && /q|[fd]\(|[sv]\)*[&+]|[&+]\(*[sv]/.test(letters)

function continuesStatement({ letters }: SqlTokens, isHigh: boolean): boolean {
  if (some(ANYWHERE, letters) || some(BEHIND_STRING, letters)) return true
  return isHigh && some(BEHIND_STRING_HIGH, letters)
}
