/**
 * What injections look like, by family: patterns that groups look for, each in the components that it is named after.
 *
 * Sources of the facts: the CWE entries named at each family, and the documentation of the languages and products.
 */
import { STRONG_COMMANDS } from './platforms.ts'
import { patterns } from './rules.ts'

const EVENT =
  '(?:error|load|unload|click|dblclick|auxclick|contextmenu|mouse[a-z]+|key(?:down|up|press)|focus(?:in|out)?|blur|toggle|pointer[a-z]+|touch[a-z]+|drag[a-z]*|drop|wheel|scroll[a-z]*|copy|cut|paste|before[a-z]+|animation[a-z]+|transition[a-z]+|submit|reset|change|input|invalid|search|select[a-z]*|resize|page(?:show|hide)|hashchange|message|popstate|storage|play[a-z]*|pause|begin|end|repeat|zoom|help|finish|bounce|start|show|orientationchange|load[a-z]+|webkit[a-z]+)'

/** CWE-79: pieces of scripts, where no tag is needed. */
export const SCRIPT = patterns(
  `^\\s+on[a-z]{3,40}\\s*=|(?:^|[\\s"'\`/;<>=])on${EVENT}[\\s\\x00]*(?:=|&equals;|&#0{0,6}61;?|&#x0{0,6}3d;?)`,
  '(?:^|[^\\w.])\\(?(?:alert|prompt|confirm|eval|execscript|atob|btoa)\\s*\\)?\\s*(?:\\?\\.)?\\s*(?:\\(|`|&lpar;|&#0*40;?|&#x0*28;?)|(?:alert|prompt|confirm|eval)\\s*\\.\\s*(?:call|apply|bind)\\b',
  'set(?:timeout|interval)\\s*\\(\\s*(?:["\'`]|\\w+\\s*,)|\\bnew\\s+function\\s*\\(|\\$\\.getscript|\\.globaleval\\b',
  '\\b(?:window|document|self|top|parent|this|frames|globalthis)\\b\\s*\\)?(?:\\s|/\\*[^*]*\\*/)*(?:\\?\\.)?\\[(?:\\s|/\\*[^*]*\\*/)*(?:["\'`]|\\[)',
  '\\bdocument\\b\\)?(?:\\s|/\\*[^*]*\\*/)*\\??\\.(?:\\s|/\\*[^*]*\\*/)*(?:cookie|domain|write|body|queryselector|location)\\b|\\b(?:window|self|top|parent)\\s*\\.\\s*(?:location|name)\\b|\\blocation\\s*(?:=|\\.\\s*href\\s*=)\\s*["\'`/j]',
  '\\bconstructor\\b[\\s"\'`\\]]*(?:\\.|\\[)[\\s"\'`]*(?:constructor|prototype)|constructor\\s*\\(\\s*["\'`]|\\.from(?:charcode|codepoint)\\b|\\.(?:inner|outer)html\\s*=|\\breflect\\.\\w+\\.(?:call|apply)',
  '(?:!\\[\\]|\\+\\[\\]|!!\\[\\]|\\[\\]\\[\\(|\\(!\\[\\])[\\[\\]()+!]{3,}|^\\s*[+!]+\\[\\]|\\(!\\[\\][\\s+]|\\]\\s*\\.(?:\\s|/\\*[^*]*\\*/)*\\w+\\s*\\.\\s*call\\s*[(`]|\\$\\{\\s*(?:alert|eval|prompt|confirm)\\b|\\w&(?:tab|newline|colon);\\w|&colon;',
  '(?:java|vb|live)script\\s*(?::|&colon;|&#0{0,6}58;?|&#x0{0,6}3a;?)\\s*\\S*[(`=[%\\\\/&]|data\\s*:\\s*(?:text/html|[\\w/+-]*;base64|text/plain\\b|,)|-moz-binding|\\burl\\(\\s*javascript',
  '<[\\s:]?(?:\\w+:)?\\s?(?:s ?c ?r ?i ?p ?t|i ?f ?r ?a ?m ?e|f o r m|d i a l o g|s ?v ?g|vmlframe)\\b|</\\s*script|\\+adw-|formaction\\s*=|<\\?import|<importimplementation|\\bv-(?:if|html|on)\\]?\\s*=',
  '[\\xbc]script[\\xbe]|\\\\xbcscript|ng-app\\b',
)

const FILES =
  '(?:passwd|shadow|group|hosts|issue|fstab|crontab|sudoers|subuid|subgid|gshadow|profile|hostname|resolv|ssh|nginx|apache2?|httpd|mysql|my\\.cnf|php|master\\.passwd|os-release)'

/** CWE-22: steps out of a directory in every notation, and files of operating systems. */
const STEPS_OUT = [
  '(?:^|[\\\\/=:;,\\s])\\.{2,3}(?:[\\\\/;]|%2f|%5c|\\xc0\\xaf|\\xc1\\x9c)+(?:\\.{1,3}[\\\\/;]|[\\w.])',
  '(?:0x2e|\\xc0\\xae|%c0%ae|\\xc0\\x2e|\\xe0\\x80\\xae|\\.)(?:0x2e|\\xc0\\xae|%c0%ae|\\xc0\\x2e|\\xe0\\x80\\xae|\\.)?(?:0x2f|0x5c|\\xc0\\xaf|%c0%af|\\xe0\\x80\\xaf|\\xc1\\x9c)|0x5c0x2e',
  `(?:^|[\\\\/=:\\s"'])etc(?:/|\\xef|\\xaf|\\$\\w+/)+${FILES}|/etc/\\$|/proc/(?:self|version|cpuinfo|net|\\d+|cmdline|mounts|interrupts|meminfo|stat|modules)`,
]
export const TRAVERSAL = patterns(...STEPS_OUT)

/** CWE-22, CWE-73: these, and paths with placeholders, of Windows, and of tools. */
export const FILE = patterns(
  ...STEPS_OUT,
  '(?:^|[/\\s=])[a-z]+[?*]+[a-z?*]*/[a-z?*]+|/(?:etc|bin|usr|proc|var)/[a-z/]*[?*\\[]|/\\[[!a-z/-]{1,12}\\][a-z]{1,4}/|/[a-z]{1,6}\\[[!a-z/-]{1,12}\\][a-z]{0,6}/?',
  '[a-z]:[\\\\/]+(?:windows|winnt|inetpub|boot\\.ini|users|temp)\\b|\\\\\\\\[\\w.:-]+\\\\\\w+\\$|\\b(?:boot|win|system|php|odbc)\\.ini\\b|ntuser\\.dat|\\b(?:web|meta)-inf[\\\\/]|/@(?:id|fs)/',
  '/\\.(?:claude|cursor|continue|aider|roo|zed|cline|kiro|windsurf|rovodev|codex|opencode|a0proj|plandex|fabric|n8n|junie|gemini|copilot)/',
)

const WORDS =
  '(?:ansible(?:-\\w+)?|apt(?:-get|itude)?|ash|awk|base(?:32|64|nc)|bash|bridge|bsdtar|busybox|bzip2|c89|cancel|capsh|cat|certbot|chef(?:-\\w+)?|chmod|chown|clang|column|comm|cp|cpulimit|crontab|cscli|curl|dash|dig|dmesg|echo|env|expand|expect|fetch|find|flock|fold|ftp|g?awk|gcc[\\d.]*|gdb|getent|grep|gunzip|gzip|head|host(?:name)?|htop|id|ifconfig|ip|irb|java|kill|ksh|lastlog?|less|ln|ls|lua|lwp-\\w+|mail|make|mkdir|mkfifo|more|mount|mv|mysql|nc|ncat|netcat|netstat|nice|nl|nmap|node|nohup|nslookup|od|openssl|passwd|perf|perl|pg|php[\\d.]*|ping|pip|pkexec|printenv|printf|ps|pwd|python[\\d.]*|rev|rm|rmt(?:-\\w+)?|rsync|ruby|scp|sed|set|sh|sleep|socat|sort|ssh|stat|strace|strings|su|sudo|tac|tail|tar|tcsh|tee|telnet|tftp|time|timeout|top|touch|tr|uname|uniq|unxz|unzip|useradd|vi|vim|visudo|w3m|watch|wget|who|whoami|xargs|xxd|xz|zcat|zsh|zstdcat)'

/** CWE-78: commands where a shell of POSIX begins one, expansions, and redirections. */
export const SHELL = patterns(
  `(?:[;|\`\\n\\r\\\\]|&&|&|\\$\\()\\s*(?:[\\w./]*/)?(?:${WORDS}(?:\\s*$|\\s+[-/~$<>|;&."'\`]|[;|&<>)\`"'/,}$])|${STRONG_COMMANDS}\\s+\\w)`,
  // What CMD_LINE makes of separators is a space.
  `^\\s*${WORDS}\\s+(?:--?\\w|/\\w|~/|\\$\\w)|^\\s*(?:(?:ansible|chef|aa)-\\w+|cscli\\s)|(?:^|[;\\s])(?:ansible-\\w+|column|fold|comm|base32)\\s+\\w+|~[+-]\\d?(?:$|\\s)|\\|\\s*\\$\\w+\\s`,
  `(?:^|[=\\s;|&\`("'])/?(?:usr/(?:local/)?)?s?bin/${WORDS}\\b`,
  `^\\s*(?:(?:time|nohup|strace|sudo|exec|timeout \\d+)\\s+)?(?:cat|less|more|head|tail|tac|ls|rm|wget|curl|nc|ping|find|bash|sh|ksh|zsh|python[\\d.]*|perl|php|ruby|busybox|gunzip|zstdcat|bsdtar|chmod|chown|printf|echo)\\s+(?:-\\w|/|~|\\$|"?https?:|google)`,
  '\\b(?:time|nohup|strace|sudo)\\s+(?:sh|bash|ifconfig|whoami|bsdtar)\\b|\\|\\s*(?:sh|bash|rev|base64)\\b|(?:\\b(?:bash|sh|zsh|ksh)|\\$\\{?shell\\}?)\\s+-[ic]\\b|\\bansible(?:-\\w+)?\\s+(?:all|dump|collection)|\\bchef-\\w+\\b|\\bvisudo\\b',
  '\\$\\{?ifs\\b|\\$\\{?(?:path|home|shell|bash|env|shlvl)\\b[:}#/]|\\$\\(\\(|\\$\\[|\\$\\{[`@#]|<\\(\\s*[a-z]|>\\(\\s*[a-z]|<<<|/dev/(?:tcp|udp)/|\\(\\)\\s*\\{|~[+-](?:$|[\\s/])|!-\\d|\\{,[a-z]+(?:,[a-z]\\w*)?\\}|\\{id,\\}|\\{(?:cat|l|c|echo|ls|curl|wget|nc|bash),[^}\\s]+\\}|\\balias\\s+(?:[-+]\\w+\\s+)?[\\w."\'-]+=',
  '\\$\\(\\s*(?:cmd|id|ls|cat|curl|wget|echo|sh|bash|whoami|uname|printf|ping|nslookup|\\$)|--exec=|\\$\\{cmd\\}',
)

/** CWE-78: the same for Windows. */
export const WINDOWS = patterns(
  '\\bfor\\s+(?:/[dflr]\\s+(?:["\'][^"\']*["\']\\s*|[a-z]:\\S*\\s+)?){0,4}%{1,2}\\S\\S*\\s+in\\s*\\(',
  '(?:[;|&`\\n]|&&)\\s*(?:(?:dir|type|copy|del|net)\\s+(?:[/\\\\%"*.]|[a-z]:)|cmd(?:\\.exe)?|ipconfig|systeminfo|tasklist|certutil|bitsadmin|bcdboot|regedit|regsvr32|wmic|schtasks|rundll32|mshta|cscript|wscript|findstr|icacls|set /a|iwr|iwmi|net (?:user|view|localgroup))(?:\\s|$|[;|&/.])',
  '\\bif\\s+(?:/i\\s+)?(?:not\\s+)?(?:(?:exist|errorlevel|cmdextversion|defined)\\s+\\S+|"?[^\\s"]+"?\\s+(?:equ|neq|lss|leq|gtr|geq)\\s+"?[^\\s"]+"?|"?[^\\s"=]+"?\\s*==\\s*"?[^\\s"=]+"?)\\s+(?:\\(|cmd|echo|goto|del|copy|start|call)',
  '\\bif\\s*/i\\s|\\bif\\s+(?:not\\s+)?["\'\\[({]?[%!]\\S+\\s*(?:==|neq|equ|lss|leq|gtr|geq)|\\bif\\s+(?:/i\\s+)?not\\s+(?:exist\\s+\\S+\\s+(?:echo|\\()|defined\\s+\\S+\\s+set\\b)|\\bif\\s+errorlevel\\b|==\\s*\\S+\\s+@?(?:echo|goto)\\b',
  '\\bcmd(?:\\.exe)?\\s*/[ckr]\\b|%(?:comspec|systemroot|windir|programfiles|appdata)%|\\binvoke-(?:expression|webrequest|command|restmethod|wmimethod)\\b|\\bnew-object\\s+(?:net|system)|downloadstring\\s*\\(|\\bpowershell(?:\\.exe)?\\s+-',
)

/** CWE-94: code of PHP. */
export const PHP = patterns(
  '<\\?(?:php|=|xml\\s*[:(]|\\s|$)|[\\[{][\\\\/]?php[\\]}]|\\b(?:opcache\\.|allow_url_include|auto_prepend_file|disable_functions|open_basedir)|php://|phar://|expect://|\\bo:\\d+:"[^"]+":\\d+:\\{',
  '(?:assert(?:_options)?|bz(?:de)?compress|base64_(?:de|en)code|call_user_func(?:_array)?|chr|create_function|curl_(?:init|exec)|eval|exec|file_(?:exists|(?:get|put)_contents)|fopen|fputcsv|p?fsockopen|get_defined_(?:functions|vars)|gz(?:decode|inflate|uncompress)|highlight_file|ini_set|is_array|move_uploaded_file|parse_str|passthru|pcntl_exec|phpinfo|popen|posix_get\\w+|preg_replace|print_r|proc_open|putenv|readfile|shell_exec|show_source|str_?rev|str_rot13|system|unpack|filegroup|unserialize|zlib_decode)\\s*(?:/\\*[^*]*\\*/|#[^\\n]*\\n|//[^\\n]*\\n|\\s)*=?\\(',
  '[("\'\\[]\\s*(?:system|exec|passthru|shell_exec|popen|assert)\\s*["\'\\])]+\\s*(?:\\[\\s*0\\s*\\]|\\{0\\})?\\)?\\s*\\(|\\(string\\)|\\bdefine\\s*\\(\\s*["\']|\\$_(?:get|post|request|server|cookie|files|session|env)\\b|\\$globals\\b|\\$\\s*\\{\\s*[@\'"$]|@\\$[\\w{]|\\$\\$\\w+\\s*[(\\[]|\\$_{1,4}\\s*[(\\[{]|\\$\\w+(?:\\s*(?:\\[[^\\]]*\\]|\\{[^}]*\\}|/\\*[^*]*\\*/|->\\s*\\$?\\w+)){0,6}\\s*\\(\\s*[\\d"\'@$)]|::\\$\\w+\\(',
)

/** CWE-502, CWE-917: classes of Java that exploits name, and expressions that reach them. */
export const JAVA = patterns(
  '\\bjava\\.(?:lang\\.(?:class|integer|number|object|process|processbuilder|reflect|runtime|string|stringbuilder|system|thread)\\b|io\\.\\w*(?:stream|reader|file|writer)|runtime|processbuilder|net\\.url|beans\\.|rmi\\.|sql\\.)|\\bjavax\\.(?:script|naming|management|el)\\.',
  '\\bcom\\.(?:opensymphony|sun\\.(?:org|rowset|jndi)|mchange)\\b|\\borg\\.(?:apache\\.(?:commons|struts|xalan|velocity|tomcat)|omg\\.corba|springframework\\.(?:context|beans|expression)|codehaus\\.groovy|hibernate\\.engine)\\b|\\bsun\\.misc\\b|@?ognl\\.|#_?memberaccess|#context\\b|#cmd\\s*=',
  '\\b(?:runtime|processbuilder)\\s*\\.\\s*(?:exec|getruntime|evil|start|environment)|getruntime\\s*\\(|(?:clone|instantiate|invoker)transformer|prototype(?:clone|serialization)factory|instantiatefactory|forclosure|whileclosure|class\\.module\\.classloader|\\xac\\xed\\x00\\x05',
)

/** CWE-917: lookups of Log4j, one within another, too. */
export const LOOKUP = patterns(
  '\\$(?:\\{|&lbrace;|&lcub;)[^}]*(?:j|\\})[^}]*n[^}]*d[^}]*i?[^}]*:|\\$\\{[^}]*\\$\\{[^}]*:',
)

/** CWE-94, CWE-1321: code of Node.js and changed prototypes. */
export const NODE = patterns(
  '_\\$\\$nd_func\\$\\$_|__js_function|\\bfunction\\s*\\(\\s*\\)\\s*\\{|this\\.constructor\\b|module\\.exports\\s*=|\\bprocess\\s*(?:\\.\\s*(?:env|binding|mainmodule|spawn|exit|kill)\\b|\\[)|\\brequire\\s*(?:\\(\\s*["\'`](?:child_process|fs|os|vm|net|http)|\\[|\\.main)|console\\s*(?:\\.\\s*(?:info|log|error)\\s*(?:\\(|\\.)|\\[)|child_process|\\.(?:spawn|exec)(?:sync)?\\s*\\(\\s*["\'(]|process\\.spawn',
  '\\bwhile\\s*\\(+\\s*(?:!|true|1|[-+]|infinity|new\\b|this\\b|string\\b|\\(true)|do\\s*\\{[^}]*\\}\\s*while\\s*\\(',
  '__proto__|\\bconstructor["\'\\]\\s:.]{1,6}prototype|\\$\\d+:(?:constructor|__proto__|module)',
)

/** CWE-1336: expressions of templates. */
export const TEMPLATE = patterns(
  '[$#@%]\\{\\s*[\\d(]|\\{\\{\\s*\\d+\\s*[*+/-]|\\{\\{[^}]*(?:\\(|\\.__|_class_|\\bself\\b|\\bconfig\\b|\\brequest\\.|\\bconstructor\\b|\\[)|<%=?\\s*[\\w(]|@\\(\\s*\\d+\\s*[*+/-]|\\{%\\s*(?:for|if|import|include|set|debug|extends)|<#(?:assign|list|if)|\\?new\\(\\)|\\{php\\}|\\{[*]?\\s*smarty|!!python/|!!ruby/|\\.__(?:class|mro|subclasses|globals|builtins|import)__|__import__',
)

/** CWE-90 and CWE-943: filters of directories, operators of document databases. */
export const QUERY = patterns(
  '\\*\\)\\s*\\(?\\s*\\(?[|&]\\s*\\(|\\*\\s*\\(\\s*[|&]\\s*\\(|\\(\\s*[|&!]\\s*\\(\\s*\\w+\\s*[~<>]?=|\\*\\)+(?:\\x00|%00|\\\\x00)|\\)\\s*\\(\\s*(?:cn|uid|mail|objectclass|userpassword)\\s*=|\\b(?:userpassword|objectclass)\\s*[:=]|\\*\\)\\s*\\(\\s*\\w+\\s*=',
  '["\'\\[{,.\\s]\\$(?:where|regex|ne|eq|gte?|lte?|n?in|n?or|and|not|exists|type|mod|size|all|expr|jsonschema)\\b["\'\\]]?\\s*(?:[:=\\[]|$)|^\\$(?:where|regex|ne|eq|gte?|lte?|n?in|n?or|and|not|exists|expr)$|\\bdb\\.\\w+\\.(?:insert|find|remove|drop|update|aggregate)\\w*\\s*\\(|this\\.\\w+\\.match\\s*\\(|;\\s*(?:var|return)\\s+\\w+\\s*(?:=|;|$)|;\\s*sleep\\(',
  '__schema\\b|__type\\s*\\(|introspectionquery',
)

/** CWE-89: what only a database understands, where no quote and no operator is needed. */
export const DATABASE = patterns(
  '\\b(?:find_in_set|starts_with|jsonb?_\\w+|unistr|sqlite_\\w+|concat_ws|group_concat|extractvalue|updatexml|uncompress|lo_(?:import|export|get)|ifnull|db_name|schema_name|current_user|session_user|system_user|load_file|xmltype|benchmark|pg_sleep|unhex|inet_aton|nullif|make_set|ascii\\s*\\(\\s*substr\\w*|strcmp|randomblob|gtid_subset|name_const)\\s*=?\\(',
  '^user\\s*\\(\\s*\\)?\\s*$|^\\s*(?:database|concat|compress|hex|decode|encode|insert|cos|char|coalesce|version|md5|sha1?|substr(?:ing)?|mid|floor|rand|cast|convert|sleep|ord|elt|field|uuid|div|trim|[lr]trim|pow|sin|current_user|db_name)\\s*=?\\(',
  '::\\s*(?:jsonb?|int\\d?|integer|text|bool(?:ean)?|bigint|double|regclass|varchar|numeric)\\b|[\\x27"\\])]\\s*(?:<@|@>|->>?|#>>?|\\?[|&]?)\\s*(?:[\\x27"]|array\\b)|[\\x27"]\\s*(?:::jsonb?)?\\s*[<>=]\\s*[\\x27"]\\{',
  '\\bexec(?:ute)?\\s+(?:xp_|sp_|master\\b|immediate\\b|\\(\\s*@)|\\bprocedure\\s+analyse\\b|\\bdeclare(?:\\s|/\\*[^*]*\\*/)+@|\\bwaitfor\\s+(?:delay|time)\\s*[\\x27"]|\\bselect\\s+(?:char|if|sleep|pg_sleep|group_concat|load_file|top|distinct|concat|count)\\b\\s*\\(|\\bselect\\s+pg_sleep|unionselect|\\binto\\s+(?:out|dump)file\\b|\\binformation_schema\\b|\\bpg_catalog\\b|\\bmsysaccessobjects\\b|\\bxp_cmdshell\\b|\\bselect\\W*(?:user|iif)\\s*\\(|^(?:tempdb|msdb|mysql\\.db|northwind|schema_name)$|selectect',
  '(?:^|;)(?:\\s|/\\*[^*]*\\*/)*(?:drop|truncate|alter|create)(?:\\s|/\\*[^*]*\\*/|\\[)+(?:table|database|function|procedure|view|user|index|trigger|xx)\\b|;(?:\\s|/\\*[^*]*\\*/)*(?:replace|insert|delete)(?:\\s|/\\*[^*]*\\*/)*\\w*(?:\\s|/\\*[^*]*\\*/)*(?:\\(|into\\b|from\\b)|\\)\\s*(?:r|i)?like\\s*\\(|[`"]\\s+as\\s+[`"]?\\w*[`"]?\\s+from\\b|\\bcase\\s+when\\b.+\\bthen\\b|\\bhaving\\s+(?:count|sum|max|min|avg)\\s*\\(|^(?:4294967296|2\\.2250738585072(?:007|011)e-308|1e309)$|^\\d+\\.e[.(]|\\bor\\s+/\\*[^*]*\\*/',
  '[\\x27"]\\s*(?:;\\s*select|union\\s+(?:all\\s+)?select)\\b',
)

/** CWE-97, CWE-611: directives of servers, entities of XML. */
export const DOCUMENT = patterns(
  '<!--\\s*#\\s*(?:exec|include|echo|printenv|config|set|fsize|flastmod)|!entity\\b|<!doctype\\s+[^>]*(?:\\[|system|public)|xinclude|<\\?xml-stylesheet|xsi:schemalocation|xmlns:xi\\b|<!\\[cdata\\[',
)

/** CWE-918: addresses of the server's own network. */
export const ADDRESS = patterns(
  '(?:^|[=\\s"\'@/])(?:localhost(?:4|6)?(?:\\.localdomain\\d?)?|ip6-loopback|ipv6-localhost|localtest\\.me|lvh\\.me|[\\w-]+\\.(?:docker|containers)\\.internal|[\\w.-]+\\.cluster\\.local|metadata\\.packet\\.net)(?:[:/]|$)',
  '(?:https?|ftps?):/{0,2}(?:[^/@\\s]*@)?(?:127\\.|0\\.0\\.0\\.0|0x7f|0177\\.|2130706433|\\[(?:::|0|fd|fe80)|169\\.254\\.|192\\.0\\.0\\.192|10\\.\\d|192\\.168\\.)|(?:^|[=\\s"\'])(?:gopher|dict|ldaps?|s?t?ftp|file|netdoc|jar|rmi|sftp|tftp):(?:/|\\$|\\{|\\?|$)|(?:^|[=\\s])(?:file|ftps?|https?)\\?$|\\burl\\s*=\\s*file:',
)

/** CWE-98: an address where a program expects the path of its own file. */
export const INCLUDED = patterns('(?:_conf|path|include|require|docroot|basedir|root)\\w*\\]?=(?:https?|ftps?):/')

/** CWE-113, CWE-93: lines that continue headers of HTTP and mail. Bodies have lines of their own. */
export const LINE = patterns(
  '(?:[\\r\\n]|\\\\[rn]\\d?|%0[ad]|\\xe5\\x98[\\x8a\\x8d])\\s*(?:set-cookie|location|content-(?:length|type|disposition)|transfer-encoding|refresh|link|host|x-[\\w-]+)\\s*[:=]|[\\r\\n]\\s*(?:bcc|cc|to|from|subject|reply-to)\\s*:|[\\r\\n](?:get|post|put|head|rcpt|mail|data)\\b[^\\r\\n]*|[\\r\\n]+http/\\d',
)

/** CWE-384: a session that the address brings. */
export const SESSION = patterns(
  '^(?:j?sessionid|session-id|phpsess(?:ion|id)|asp(?:\\.net_)?session(?:id)?|aspsessionid\\w*|laravel_session|connect\\.sid|_?flask_session|(?:__(?:host|secure)-)?next-auth\\.session-token|meteor_login_token|rack\\.session|play_session|sails\\.sid|cakephp|ci_session|koa[.:]sess|cf(?:id|token)|zend_session_id|_session_id|_rails_session|jservsession|jwsession|cfsid|shiny-token|weblogicsession|sid_session|symfony|viewstate_session|django_session)$',
)
export const COOKIE_SCRIPT = patterns(
  '\\.cookie\\b\\s*;?\\s*(?:expires|domain|path)?\\s*=|http-equiv\\W{1,6}set-cookie',
)

/** CWE-434: names of files that servers run. */
export const UPLOAD = patterns(
  '\\.(?:\\s*)(?:php\\d{0,3}|phtml|phar|pht|phps|phpt|jspx?|aspx?|cer)[\\s.]*$|sess_[\\w,-]{10,}|\\.(?:htaccess|user\\.ini|yml|config)$',
)
export const UPLOADED = patterns(
  'filename\\*?\\s*=[^\\r\\n]*(?:\\.\\s*(?:php\\d*|phtml|phar|pht|phps|phpt|jspx?|aspx?|cer)[\\s.]*(?:["\\r\\n;]|$)|sess_[\\w,-]{10})',
)
export const FILE_NAME_HEADERS = ['x-filename', 'x_filename', 'x.filename', 'x-file-name']
