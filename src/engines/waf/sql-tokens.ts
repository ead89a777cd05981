/**
 * A lexer for text that may be a piece of SQL of any dialect, in linear time. Each token becomes one letter; detection then looks
 * at the word that the letters make (`sqli.ts`).
 *
 * The idea to decide by the sequence of token types is that of libinjection; the tokens and patterns are our own.
 */

/**
 * What a token is:
 *
 * | letter | |
 * |---|---|
 * | `1` | number, or a word that is a constant |
 * | `s` | string |
 * | `S` `L` `Z` `Q` | string without its end that begins with a digit or a sign, with a letter, with a space; an empty one |
 * | `n` | name |
 * | `v` | variable |
 * | `f` | name of a function: a parenthesis follows |
 * | `d` | function that waits, reads files or runs programs |
 * | `t` | table or schema of the system's own catalogue |
 * | `q` | SELECT |
 * | `u` | UNION, with what follows up to the SELECT |
 * | `e` | beginning of another statement |
 * | `y` | word that begins a statement, and is English, too: UPDATE, GRANT … |
 * | `w` | WAITFOR DELAY |
 * | `b` | FROM, WHERE, VALUES … |
 * | `r` | ORDER BY, GROUP BY, HAVING, LIMIT … |
 * | `i` | INTO OUTFILE … |
 * | `&` | AND, OR, XOR |
 * | `=` | comparison by a sign |
 * | `l` | comparison by a word: LIKE, IN … |
 * | `+` | arithmetic |
 * | `!` | NOT |
 * | `c` | comment to the end of the line; `C` the same with nothing behind |
 * | `k` | comment of MySQL that is code |
 * | `(` `)` `,` `;` `.` | themselves |
 * | `?` | everything else |
 */
export interface SqlTokens {
  readonly letters: string
  readonly texts: readonly string[]
}

/** More tokens say nothing new. */
const TOKENS_MAX = 400

const words = (text: string) => text.split(' ')

const COMPARISONS = new Set(words('LIKE ILIKE RLIKE REGEXP BETWEEN IN IS GLOB MATCH SIMILAR ISNULL NOTNULL'))
const LOGICAL = new Set(words('AND OR XOR'))
const ARITHMETIC = new Set(words('DIV MOD COLLATE'))
const CLAUSES = new Set(words('FROM WHERE VALUES SET JOIN USING ON AS END WHEN THEN ELSE CASE'))
const CONSTANTS = new Set(words('NULL TRUE FALSE UNKNOWN CURRENT_USER CURRENT_DATE CURRENT_TIMESTAMP'))

/** Functions that injections call for what they do, not for their result. */
const DANGEROUS = new Set(
  words(
    'SLEEP BENCHMARK PG_SLEEP PG_SLEEP_FOR PG_READ_FILE PG_LS_DIR LO_IMPORT LO_EXPORT LOAD_FILE LOAD_EXTENSION EXTRACTVALUE ' +
      'UPDATEXML RANDOMBLOB XP_CMDSHELL XP_DIRTREE XP_REGREAD SP_EXECUTESQL SP_OACREATE OPENROWSET OPENQUERY RECEIVE_MESSAGE ' +
      'GET_HOST_ADDRESS GET_HOST_NAME HTTPURITYPE XMLTYPE DBMS_LOCK UTL_INADDR UTL_HTTP MAKE_SET ELT GTID_SUBSET DATABASE_TO_XML ' +
      'QUERY_TO_XML COL_LENGTH SYS_EVAL SYS_EXEC NAME_CONST JSON_KEYS EXP',
  ),
)

/** Packages of Oracle, whose functions reach the network and the operating system. */
const PACKAGES = /^(?:UTL|DBMS|CTXSYS|ORDSYS|SYS)_?\w*$/
const MEMBERS = /(?:\.[\w$#]+)+/y

const CATALOGUE = new Set(
  words(
    'INFORMATION_SCHEMA PG_CATALOG PG_SHADOW PG_USER PG_TABLES PG_DATABASE SYSOBJECTS SYSCOLUMNS SYSDATABASES SYSUSERS ' +
      'SQLITE_MASTER SQLITE_SCHEMA ALL_TABLES ALL_TAB_COLUMNS ALL_USERS USER_TABLES USER_TAB_COLUMNS DBA_USERS MSYSACCESSOBJECTS ' +
      'INNODB_TABLE_STATS SYSTABLES RDB$RELATIONS RDB$DATABASE V$VERSION MSYSOBJECTS MSYSACES',
  ),
)

const ENGLISH_STATEMENTS = new Set(words('UPDATE GRANT REVOKE CALL'))
/** What EXEC is followed by: a procedure of the system, a variable, a string. */
const EXECUTED = /^(?:[XS]P_|MASTER|IMMEDIATE|[@('"])/

/** The second keywords that make a first one a statement, and not English. */
const STATEMENTS: Readonly<Record<string, ReadonlySet<string> | 'alone'>> = {
  DROP: new Set(words('TABLE DATABASE SCHEMA VIEW INDEX USER ROLE PROCEDURE FUNCTION TRIGGER COLUMN LOGIN')),
  CREATE: new Set(
    words('TABLE DATABASE SCHEMA VIEW INDEX USER ROLE PROCEDURE FUNCTION TRIGGER OR TEMPORARY UNIQUE LOGIN ASSEMBLY'),
  ),
  ALTER: new Set(words('TABLE DATABASE SCHEMA VIEW USER ROLE PROCEDURE FUNCTION LOGIN SYSTEM')),
  TRUNCATE: new Set(['TABLE']),
  DELETE: new Set(['FROM']),
  INSERT: new Set(['INTO', 'IGNORE', 'OVERWRITE']),
  REPLACE: new Set(['INTO']),
  MERGE: new Set(['INTO']),
  LOAD: new Set(['DATA', 'XML']),
  COPY: new Set(['(']),
  DECLARE: new Set(['@']),
  BACKUP: new Set(['DATABASE', 'LOG']),
  RECONFIGURE: 'alone',
  SHUTDOWN: 'alone',
  ATTACH: new Set(['DATABASE']),
}

/** Words that are a token together with the next one. */
const PAIRS: Readonly<Record<string, { readonly letter: string; readonly seconds: ReadonlySet<string> }>> = {
  INTO: { letter: 'i', seconds: new Set(['OUTFILE', 'DUMPFILE']) },
  WAITFOR: { letter: 'w', seconds: new Set(['DELAY', 'TIME']) },
}

const NAME = /[A-Za-z_\x80-\x9f\xa1-\xff][\w$#\x80-\x9f\xa1-\xff]*/y
const NUMBER = /0[xX][0-9a-fA-F]*|0[bB][01]+(?!\w)|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const VARIABLE = /@{1,2}(?:[\w$.]+|`[^`]*`)?/y
const OPERATOR = /<=>|<>|!=|:=|<=|>=|==|=|<<|>>|<|>|\|\||&&|::|[-+*/%^|&~!]/y
const SPACE = /[\s\xa0\0]+/y
/** Names in quotes of MySQL, and in brackets of SQL Server. */
const QUOTED_NAME = /`[^`]*`|\[[A-Za-z_][\w ]*\]/y

/** Tokens of a piece of SQL. `text` is taken as it is: where it continues a string, pass what follows the string. */
export function sqlTokens(text: string): SqlTokens {
  let letters = ''
  const texts: string[] = []
  let at = 0
  const add = (letter: string, token: string) => {
    letters += letter
    texts.push(token)
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (!match) return undefined
    at = pattern.lastIndex
    return match[0]
  }
  const isDialectComment = (begin: number) => /\/\*!\d{0,6}\s*[A-Za-z'"(&|]/y.test(text.slice(begin, begin + 24))

  while (at < text.length && letters.length < TOKENS_MAX) {
    if (take(SPACE)) continue
    const c = text[at]!
    // Braces are ODBC's: {fn …}.
    if (c === '{' || c === '}') {
      at++
      continue
    }
    if (text.startsWith('/*', at)) {
      // The content of /*!50000 … */ is code; every other comment is a space.
      const version = /\/\*!\d{0,6}/y
      version.lastIndex = at
      if (text[at + 2] === '!' && isDialectComment(at) && version.test(text)) {
        add('k', '/*!')
        at = version.lastIndex
        continue
      }
      const end = text.indexOf('*/', at + 2)
      if (end < 0) {
        add(text.slice(at + 2).trim() === '' ? 'C' : 'c', text.slice(at))
        break
      }
      at = end + 2
      continue
    }
    if (text.startsWith('*/', at)) {
      at += 2
      continue
    }
    if (text.startsWith('--', at) || c === '#') {
      // Two minus signs before an operand are arithmetic in MySQL; as the end of an injection nothing else follows.
      const end = text.indexOf('\n', at)
      const content = text.slice(at + (c === '#' ? 1 : 2), end < 0 ? undefined : end)
      // Between tokens it is a space.
      if (end >= 0 && letters !== '' && /\S/.test(text.slice(end + 1, end + 200))) {
        at = end + 1
        continue
      }
      // "7' #2" is no comment.
      const isComment = c !== '#' || letters !== ''
      add(/^[\s+\-#;'")]*$/.test(content) ? 'C' : isComment ? 'c' : '?', content)
      if (end < 0) break
      at = end + 1
      continue
    }
    if (c === "'" || c === '"') {
      const end = endOfString(text, at + 1, c)
      const content = text.slice(at + 1, end < 0 ? undefined : end)
      add(end < 0 ? openString(content) : 's', content)
      at = end < 0 ? text.length : end + 1
      continue
    }
    const number = take(NUMBER)
    if (number !== undefined) {
      add('1', number)
      continue
    }
    const variable = take(VARIABLE)
    if (variable !== undefined) {
      add('v', variable)
      continue
    }
    const quoted = take(QUOTED_NAME)
    if (quoted !== undefined) {
      add('n', quoted)
      continue
    }
    const name = take(NAME)
    if (name !== undefined) {
      const token = wordToken(name)
      if (token) add(...token)
      continue
    }
    const operator = take(OPERATOR)
    if (operator !== undefined) {
      if (operator === '||' || operator === '&&') add('&', operator)
      else if (operator === '!' || operator === '~') add('!', operator)
      else if (/[<>=]/.test(operator) && !/^(?:<<|>>)$/.test(operator)) add('=', operator)
      else add('+', operator)
      continue
    }
    add('(),;.'.includes(c) ? c : '?', c)
    at++
  }
  return { letters, texts }

  /** The next word in upper case, or the next character; nothing is consumed. */
  function next(): { readonly word: string; readonly end: number } {
    let from = at
    for (;;) {
      SPACE.lastIndex = from
      if (SPACE.test(text)) from = SPACE.lastIndex
      if (!text.startsWith('/*', from) || text[from + 2] === '!') break
      const end = text.indexOf('*/', from + 2)
      if (end < 0) break
      from = end + 2
    }
    const version = /\/\*!\d{0,6}\s*/y
    version.lastIndex = from
    if (version.test(text)) from = version.lastIndex
    NAME.lastIndex = from
    const match = NAME.exec(text)
    if (match) return { word: match[0].toUpperCase(), end: NAME.lastIndex }
    return { word: text[from] ?? '', end: from + 1 }
  }

  /** The token of a word; undefined for one that only says how a string is written. */
  function wordToken(name: string): readonly [letter: string, text: string] | undefined {
    const word = name.toUpperCase()
    // Prefixes of strings: N'…', X'…', B'…', E'…', _utf8'…'.
    if (/^(?:[NXBEQ]|_\w{1,12})$/.test(word) && (text[at] === "'" || text[at] === '"') && word !== 'OR')
      return undefined
    if (word === 'UNION') {
      let { word: then, end } = next()
      const isAll = then === 'ALL' || then === 'DISTINCT'
      if (isAll) {
        at = end
        const after = next()
        then = after.word
        end = after.end
      }
      if (then === '(') {
        at = end
        const after = next()
        then = after.word
        end = after.end
      }
      if (then === 'SELECT' || then === 'VALUES') {
        at = end
        return ['u', 'union select']
      }
      return ['n', name]
    }
    if (word === 'SELECT') return ['q', name]
    if (LOGICAL.has(word)) return ['&', word]
    if (word === 'NOT') return ['!', word]
    if (COMPARISONS.has(word)) return ['l', word]
    if (ARITHMETIC.has(word) && (word === 'DIV' || next().word !== '(')) return ['+', word]
    if (word === 'ORDER' || word === 'GROUP') {
      const { word: then, end } = next()
      if (then === 'BY') {
        at = end
        return ['r', `${word} BY`]
      }
    }
    if (word === 'HAVING' || word === 'LIMIT' || (word === 'PROCEDURE' && next().word === 'ANALYSE')) return ['r', word]
    const pair = PAIRS[word]
    if (pair !== undefined) {
      const { word: then, end } = next()
      if (pair.seconds.has(then)) {
        at = end
        return [pair.letter, word]
      }
    }
    const seconds = STATEMENTS[word]
    if (seconds !== undefined && isStatement(seconds, next().word)) return ['e', word]
    if (/^EXEC(?:UTE)?$/.test(word) && EXECUTED.test(next().word)) return ['e', word]
    if (ENGLISH_STATEMENTS.has(word)) return ['y', word]
    if (CLAUSES.has(word)) return ['b', word]
    if (CONSTANTS.has(word)) return ['1', word]
    if (CATALOGUE.has(word)) return ['t', word]
    if (PACKAGES.test(word)) take(MEMBERS)
    const isCall = next().word === '('
    if (isCall && PACKAGES.test(word)) return ['d', word]
    if (isCall && DANGEROUS.has(word)) return ['d', word]
    if (/^XP_|^SP_/.test(word) && (isCall || word === 'XP_CMDSHELL')) return ['d', word]
    return [isCall ? 'f' : 'n', name]
  }
}

const isStatement = (seconds: ReadonlySet<string> | 'alone', second: string): boolean =>
  seconds === 'alone' ? !/^[A-Z(=]/.test(second) : seconds.has(second)

const openString = (content: string): string =>
  content === '' ? 'Q' : /^\s/.test(content) ? 'Z' : /^[A-Za-z_]/.test(content) ? 'L' : 'S'

/** Of the quote that ends a string; below 0: none. Two quotes and a backslash before one do not end it. */
export function endOfString(text: string, from: number, quote: string, hasBackslashes = true): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && hasBackslashes) at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at
      at++
    }
  }
  return -1
}
