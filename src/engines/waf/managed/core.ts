/**
 * AWSManagedRulesCommonRuleSet: the names and labels of AWS's group, with content of our own; and rules on headers and cookies, which AWS's
 * group does not have: pages show `User-Agent` and `Referer` to administrators.
 *
 * Source of names: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
import { HTML_DECODINGS, PATH_DECODINGS } from './decodings.ts'
import { SCRIPT, TRAVERSAL } from './families.ts'
import { anyOf, contain, each, eachBy, longerThan, managedGroup, not, on, patterns, xss } from './rules.ts'
import { TEXT, within } from './within.ts'

const BAD_BOTS = contain(
  'nikto',
  'sqlmap',
  'nessus',
  'openvas',
  'acunetix',
  'netsparker',
  'w3af',
  'masscan',
  'zgrab',
  'nuclei',
  'dirbuster',
  'gobuster',
  'wpscan',
  'joomscan',
  'havij',
  'arachni',
  'skipfish',
  'whatweb',
  'commix',
  'jaeles',
  'feroxbuster',
  'ffuf',
  'nmap scripting',
  'burpcollaborator',
  'fimap',
  'grabber/',
  'xsser',
  'absinthe',
  'bsqlbf',
  'pangolin',
  'jorgee',
  'morfeus',
  'zmeu',
  'libwww-perl',
)

/** Addresses of metadata services, in the notations that HTTP clients take. */
const METADATA = patterns(
  '169\\.254\\.169\\.254|169\\.254\\.170\\.2|fd00:ec2::254|instance-data\\.ec2\\.internal|metadata\\.google\\.internal|100\\.100\\.100\\.200',
  '(?:^|[/@=\\s])(?:0xa9fea9fe|2852039166|025177524776|0251\\.0376\\.0251\\.0376|0xa9\\.0xfe\\.0xa9\\.0xfe|169\\.254\\.43518)(?:$|[/:?#\\s])',
  '/latest/(?:meta-data|user-data|dynamic/instance-identity)|/computemetadata/v1',
)

/** Steps out of a directory, and files that only an intruder requests. */
const LOCAL_FILES = patterns(
  '(?:^|[\\\\/=:;&?\\s])\\.{2,}[\\\\/;]+\\.{2,}(?:[\\\\/;]|$)',
  '(?:^|[\\\\/=])\\.\\.[\\\\/;]+(?:etc|proc|var|usr|home|root|boot|windows|winnt|web-inf|inetpub|\\.[a-z])',
  '(?:^|[\\\\/=:\\s"\'])/*(?:etc/+(?:passwd|shadow|group|hosts|issue|fstab|crontab|sudoers|ssh|nginx|apache2?|httpd|mysql|my\\.cnf|php)|proc/+(?:self|version|cpuinfo|net|\\d+|cmdline|mounts)|var/+log/|root/+\\.)',
  '(?:boot|win|system|php|odbc)\\.ini(?:$|[\\0?#&])|windows[\\\\/]+(?:system32|win\\.ini)|web-inf[\\\\/]|meta-inf[\\\\/]',
  '\\.(?:ssh[\\\\/](?:id_|authorized|known)|aws[\\\\/](?:credentials|config)|git[\\\\/](?:config|head|index)|bash_history|htpasswd|htaccess|npmrc|docker[\\\\/]config)',
  '(?:^|[=\\s"\'])(?:file|php|phar|zip|glob|expect|compress\\.\\w+|jar|netdoc|gopher|dict|ldap|data)://?(?:/|\\w|filter|input|[\\\\.])',
)

const EXTENSIONS = patterns(
  '\\.(?:log|ini|bak|old|orig|swp|sav|save|sql|sqlite3?|mdb|dump|conf|cfg|config|inc|dist|pem|key|pfx|p12|kdbx|htpasswd|htaccess|env|ds_store|backup|cs|csproj|vb|resx|rdb|asa|axd|dbf|lnk|pwd|sys|temp|tmp|licx|printer|webinfo|xsd|xsx)(?:~|\\.|$|/$|[?;#])|/\\.(?:env|git|svn|hg|aws|ssh|vscode|idea|npmrc|dockerenv)(?:[./]|$)|(?:web|app)\\.config(?:$|[?;#])|~$',
)

/** An address where a name is expected, of a script or on an IP address. */
const REMOTE_FILES = patterns(
  '^(?:https?|ftps?|smb)://\\d{1,3}(?:\\.\\d{1,3}){3}',
  '^(?:https?|ftps?|ssh2|ogg|rar|expect)(?::|\\s)//[^?]*(?:\\.(?:txt|php\\d?|phtml|asp|jsp|cgi|sh|pl)\\?*|\\?+)$',
  '(?:include|require|file|document|pg|load|path|page)[\\w\\[\\]]*=(?:https?|ftps?)://',
)

const UNRESTRICTED = { QUERYARGUMENTS: 'QUERYARGUMENTS', BODY: 'BODY', URIPATH: 'URIPATH' } as const

export const core = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesCommonRuleSet',
    namespace: 'core-rule-set',
    description: 'Contains rules that are generally applicable to web applications.',
    capacity: 700,
  },
  [
    {
      name: 'NoUserAgent_HEADER',
      statement: not(on('USERAGENT', patterns('.'))),
    },
    {
      name: 'UserAgent_BadBots_HEADER',
      label: 'BadBots_Header',
      statement: on('USERAGENT', BAD_BOTS, [['LOWERCASE']]),
    },
    { name: 'SizeRestrictions_QUERYSTRING', statement: on('QUERYSTRING', longerThan(2_048)) },
    {
      name: 'SizeRestrictions_Cookie_HEADER',
      label: 'SizeRestrictions_Cookie_Header',
      statement: longerThan(10_240)({ SingleHeader: { Name: 'cookie' } }, []),
    },
    {
      name: 'SizeRestrictions_BODY',
      statement: anyOf([longerThan(8_192)({ Body: { OversizeHandling: 'MATCH' } }, [])]),
    },
    { name: 'SizeRestrictions_URIPATH', statement: on('URIPATH', longerThan(1_024)) },
    ...each('EC2MetaDataSSRF', { ...UNRESTRICTED, COOKIE: 'COOKIE' }, METADATA, PATH_DECODINGS),
    ...eachBy('GenericLFI', { ...UNRESTRICTED, COOKIE: 'COOKIE', TEXTHEADER: 'HEADER' }, (component) =>
      anyOf([on(component, LOCAL_FILES, PATH_DECODINGS), within([component], TRAVERSAL, TEXT)]),
    ),
    ...each('RestrictedExtensions', ['URIPATH', 'QUERYARGUMENTS'], EXTENSIONS, PATH_DECODINGS),
    ...each('GenericRFI', UNRESTRICTED, REMOTE_FILES, PATH_DECODINGS),
    ...eachBy('CrossSiteScripting', { ...UNRESTRICTED, COOKIE: 'COOKIE', TEXTHEADER: 'HEADER' }, (component) =>
      anyOf([within([component], xss, HTML_DECODINGS, 'REMOVE_NULLS'), within([component], SCRIPT, TEXT)]),
    ),
  ],
)
