/** AWSManagedRulesSQLiRuleSet: the names and labels of AWS's group, with content of our own; and a rule on headers, which AWS's has not. */
import { SQL_DECODINGS } from './decodings.ts'
import { DATABASE } from './families.ts'
import { anyOf, type ComponentName, eachBy, managedGroup, on, patterns, sqli } from './rules.ts'
import { SQL, TEXT, within } from './within.ts'

/** Shapes of tools and dialects that the detection by tokens does not cover. */
const EXTENDED = patterns(
  '(?i)\\b(?:sleep|benchmark|pg_sleep|waitfor\\s+delay|dbms_pipe\\.receive_message|randomblob)\\s*\\(\\s*[\\d\'"]',
  '(?i)\\bunion\\b(?:\\s|/\\*[^*]*\\*/|[(+%#!/*-]|\\d|\\b(?:all|distinct|distinctrow)\\b)+select\\b',
  '(?i)\\b(?:information_schema|mysql\\.user|pg_catalog|sys(?:objects|columns|databases)|sqlite_master|all_tables)\\b',
  '(?i)(?:^|[^\\w])(?:extractvalue|updatexml|xp_cmdshell|load_file|group_concat|utl_http|utl_inaddr)\\s*[.(]',
  '(?i);\\s*(?:drop|alter|create|truncate)\\s+(?:table|database|user|view)\\b|;\\s*(?:insert\\s+into|delete\\s+from)\\b',
  '(?i)(?:^|[\'")\\d]|--|/\\*[^*]*\\*/)\\s*(?:and|or)\\b\\s*[(\'"]*\\s*\\d+\\s*[)\'"]*\\s*(?:=|<|>|like)\\s*[(\'"]*\\s*\\d+',
  '(?i)\\$(?:where|regex|ne|gt|gte|lt|lte|nin|or|and|exists)["\'\\]]\\s*(?::|=)|\\[\\$(?:where|regex|ne|gt|gte|lt|lte|nin|exists)\\]',
)

type Decodings = typeof SQL_DECODINGS

/** By tokens, also in escapes of JavaScript and in base64. */
const detected = (component: ComponentName, decodings: Decodings) =>
  anyOf([on(component, sqli('LOW'), decodings), within([component], sqli('LOW'), SQL, 'REMOVE_NULLS')])

const extended = (component: ComponentName, decodings: Decodings) =>
  anyOf([on(component, EXTENDED, decodings), within([component], DATABASE, TEXT)])

export const sqlDatabase = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesSQLiRuleSet',
    namespace: 'sql-database',
    description:
      'Contains rules that block request patterns associated with exploitation of SQL databases, like SQL injection.',
    capacity: 200,
  },
  [
    ...eachBy('SQLi', ['QUERYARGUMENTS'], (component) => detected(component, SQL_DECODINGS)),
    ...eachBy('SQLiExtendedPatterns', ['QUERYARGUMENTS'], (component) => extended(component, SQL_DECODINGS)),
    ...eachBy('SQLi', ['BODY'], (component) =>
      detected(component, [['REMOVE_NULLS'], ['URL_DECODE_UNI', 'HTML_ENTITY_DECODE']]),
    ),
    ...eachBy('SQLiExtendedPatterns', ['BODY'], (component) => extended(component, [['REMOVE_NULLS']])),
    ...eachBy('SQLi', { COOKIE: 'COOKIE', URIPATH: 'URIPATH', TEXTHEADER: 'HEADER' }, (component) =>
      detected(component, SQL_DECODINGS),
    ),
  ],
)
