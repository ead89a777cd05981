/**
 * MerlonManagedRulesInjectionRuleSet: injections of every kind in every component, headers and encoded values too. The groups under
 * AWS's names look where AWS's documentation says that they look; this one looks everywhere.
 *
 * Sources of the facts: the CWE entries named at each rule, and the documentation of the languages and products.
 */
import {
  ADDRESS,
  COOKIE_SCRIPT,
  DATABASE,
  DOCUMENT,
  FILE,
  FILE_NAME_HEADERS,
  INCLUDED,
  JAVA,
  LINE,
  LOOKUP,
  NODE,
  PHP,
  QUERY,
  SCRIPT,
  SESSION,
  SHELL,
  TEMPLATE,
  UPLOAD,
  UPLOADED,
  WINDOWS,
} from './families.ts'
import { anyOf, type ComponentName, managedGroup, on, sqli, xss } from './rules.ts'
import { COMMAND, MARKUP, SQL, TEXT, within } from './within.ts'

const VALUES: readonly ComponentName[] = ['QUERYARGUMENTS', 'QUERYSTRING', 'BODY', 'COOKIE', 'HEADER']
const EVERYWHERE: readonly ComponentName[] = [...VALUES, 'URIPATH']
/** For what quotes and dashes are evidence of. */
const TEXTS: readonly ComponentName[] = ['QUERYARGUMENTS', 'QUERYSTRING', 'BODY', 'COOKIE', 'TEXTHEADER', 'URIPATH']

export const injection = managedGroup(
  {
    vendor: 'Merlon',
    name: 'MerlonManagedRulesInjectionRuleSet',
    namespace: 'injection',
    description: 'Contains rules that block injections of code, commands and queries in every component of a request.',
    capacity: 900,
  },
  [
    { name: 'CrossSiteScripting', statement: within(TEXTS, xss, MARKUP, 'REMOVE_NULLS') },
    { name: 'SQLInjection', statement: within(TEXTS, sqli('LOW'), SQL, 'REMOVE_NULLS') },
    { name: 'DatabaseCode', statement: within(EVERYWHERE, DATABASE, TEXT) },
    { name: 'Script', statement: within(EVERYWHERE, SCRIPT, TEXT) },
    { name: 'FileAccess', statement: within(EVERYWHERE, FILE, TEXT) },
    { name: 'ShellCommand', statement: within(EVERYWHERE, SHELL, COMMAND, 'CMD_LINE') },
    { name: 'WindowsCommand', statement: within(EVERYWHERE, WINDOWS, COMMAND) },
    { name: 'PhpCode', statement: within(EVERYWHERE, PHP, TEXT) },
    { name: 'JavaCode', statement: anyOf([within(EVERYWHERE, JAVA, TEXT), within(EVERYWHERE, LOOKUP, TEXT)]) },
    { name: 'NodeCode', statement: within(EVERYWHERE, NODE, TEXT) },
    { name: 'TemplateExpression', statement: within(EVERYWHERE, TEMPLATE, TEXT) },
    { name: 'QueryOperator', statement: within(EVERYWHERE, QUERY, TEXT) },
    { name: 'DocumentDirective', statement: within(EVERYWHERE, DOCUMENT, TEXT) },
    {
      name: 'ServerAddress',
      statement: anyOf([
        within(['QUERYARGUMENTS', 'BODY', 'COOKIE'], ADDRESS, TEXT),
        on('QUERYSTRING', INCLUDED, [['URL_DECODE_UNI', 'LOWERCASE']]),
      ]),
    },
    { name: 'HeaderLine', statement: within(['QUERYARGUMENTS', 'URIPATH', 'COOKIE'], LINE, TEXT) },
    {
      name: 'SessionFixation',
      statement: anyOf([
        within(['QUERYARGUMENTS'], SESSION, [['URL_DECODE_UNI', 'LOWERCASE']]),
        within(['QUERYARGUMENTS', 'BODY'], COOKIE_SCRIPT, TEXT),
      ]),
    },
    {
      name: 'UploadedFileName',
      statement: anyOf([
        on('RAWBODY', UPLOADED, [['LOWERCASE']]),
        ...FILE_NAME_HEADERS.map((Name) => UPLOAD({ SingleHeader: { Name } }, ['URL_DECODE_UNI', 'LOWERCASE'])),
      ]),
    },
  ],
)
