/** AWSManagedRulesKnownBadInputsRuleSet: the names and labels of AWS's group, with content of our own. */
import { TEXT_DECODINGS } from './decodings.ts'
import { JAVA, LOOKUP } from './families.ts'
import { anyOf, contain, each, eachBy, managedGroup, on, patterns } from './rules.ts'
import { TEXT, within } from './within.ts'

const JAVA_DESERIALIZATION = patterns(
  '(?:ac\\s?ed\\s?00\\s?05|rO0AB[a-zA-Z]|\\xac\\xed\\x00\\x05)',
  '(?i)(?:class\\.module\\.classloader|java\\.lang\\.(?:runtime|processbuilder)|javax\\.script\\.scriptengine|runtime\\.getruntime|ysoserial|com\\.sun\\.rowset|org\\.apache\\.commons\\.collections|freemarker\\.template\\.utility|java\\.net\\.url[\\[(:]|\\bT\\(java\\.)',
  '(?i)(?:\\$\\{|%\\{|#\\{)[^}]{0,200}(?:exec|runtime|getclass|forname|processbuilder|@java|#context|#_memberaccess)',
)

/** Lookups of Log4j, nested ones too: between the letters of "jndi" may be another lookup. */
const LOG4J = patterns(
  '(?i)\\$\\{\\s*j\\s*n\\s*d\\s*i\\s*:',
  '(?i)\\$\\{(?:[^}]{0,40}\\$\\{[^}]{0,40}\\}){1,12}[^}]{0,40}(?:jndi|ldap|rmi|dns|:/)',
  '(?i)\\$\\{(?:lower|upper|env|sys|main|date|ctx|web|k8s|java|base64|bundle)\\s*:[^}]{0,80}\\}[^}]{0,40}(?:\\$\\{|n|d|i|:)[^}]{0,60}:(?:/|\\$\\{)',
)

const EXPLOITABLE_PATHS = contain(
  '/.git/',
  '/.env',
  '/.svn/',
  '/.aws/',
  '/.ssh/',
  '/wp-config',
  '/web-inf/',
  '/phpunit/',
  '/vendor/phpunit',
  '/cgi-bin/.',
  '/_ignition/',
  '/actuator/',
  '/jolokia',
  '/console/css/%252e',
  '/solr/admin',
  '/hudson',
  '/server-status',
  '/boaform',
  '/hnap1',
  '/autodiscover/autodiscover.json?@',
  '/mifs/.;/',
  '/owa/auth/x.js',
  '/ecp/y.js',
  '/struts2-',
  '/invoker/',
  '/jmx-console',
  '/geoserver/wfs?',
  '/setup.cgi?next_file',
  '/api/jsonws/invoke',
  '/telescope/requests',
)

const REACT = patterns(
  '(?i)(?:"|\')?\\$(?:@|[A-Z])?\\d*:(?:constructor|__proto__|prototype)|_formdata"?\\s*:\\s*\\{[^}]{0,200}(?:constructor|__proto__)|__proto__["\\]]|constructor["\\]\\s:]+prototype',
)

export const knownBadInputs = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesKnownBadInputsRuleSet',
    namespace: 'known-bad-inputs',
    description:
      'Contains rules that block request patterns that are known to be invalid and are associated with exploitation or discovery of vulnerabilities.',
    capacity: 200,
  },
  [
    ...eachBy('JavaDeserializationRCE', ['HEADER', 'BODY', 'URIPATH', 'QUERYSTRING'], (component) =>
      anyOf([on(component, JAVA_DESERIALIZATION, [['URL_DECODE_UNI']]), within([component], JAVA, TEXT)]),
    ),
    {
      name: 'Host_localhost_HEADER',
      statement: patterns('^(?:localhost|localhost\\.localdomain)(?::\\d+)?$')({ SingleHeader: { Name: 'host' } }, [
        'LOWERCASE',
      ]),
    },
    { name: 'PROPFIND_METHOD', label: 'Propfind_Method', statement: patterns('^PROPFIND$')({ Method: {} }, []) },
    {
      name: 'ExploitablePaths_URIPATH',
      statement: on('URIPATH', EXPLOITABLE_PATHS, [
        ['URL_DECODE_UNI', 'NORMALIZE_PATH_WIN', 'LOWERCASE'],
        ['LOWERCASE'],
      ]),
    },
    ...eachBy('Log4JRCE', ['HEADER', 'QUERYSTRING', 'BODY', 'URIPATH'], (component) =>
      anyOf([on(component, LOG4J, TEXT_DECODINGS), within([component], LOOKUP, TEXT)]),
    ),
    ...each('ReactJSRCE', ['BODY'], REACT, [[]]),
  ],
)
