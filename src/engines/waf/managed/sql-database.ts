/** AWSManagedRulesSQLiRuleSet: the names and labels of AWS's group, with content of our own. */
import { SQL_DECODINGS } from './decodings.ts'
import { each, managedGroup, patterns, sqli } from './rules.ts'

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
    ...each('SQLi', ['QUERYARGUMENTS'], sqli('LOW'), SQL_DECODINGS),
    ...each('SQLiExtendedPatterns', ['QUERYARGUMENTS'], EXTENDED, SQL_DECODINGS),
    ...each('SQLi', ['BODY'], sqli('LOW'), [['REMOVE_NULLS'], ['URL_DECODE_UNI', 'HTML_ENTITY_DECODE']]),
    ...each('SQLiExtendedPatterns', ['BODY'], EXTENDED, [['REMOVE_NULLS']]),
    ...each('SQLi', ['COOKIE', 'URIPATH'], sqli('LOW'), SQL_DECODINGS),
  ],
)
