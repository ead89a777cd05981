/** The groups for platforms and for administrative pages: names and labels of AWS's, with content of our own. */
import { COMMAND_DECODINGS, PATH_DECODINGS, TEXT_DECODINGS } from './decodings.ts'
import { contain, each, managedGroup, on, patterns } from './rules.ts'

const ADMIN_PATHS = contain(
  '/admin',
  '/administrator',
  '/phpmyadmin',
  '/pma/',
  '/adminer',
  '/manager/html',
  '/wp-admin',
  '/cpanel',
  '/webadmin',
  '/sysadmin',
  '/dbadmin',
  '/sqladmin',
  '/myadmin',
  '/host-manager',
  '/jenkins',
  '/console/login',
  '/_admin',
)

const LINUX_FILES = patterns(
  '(?:^|[\\\\/=:\\s])(?:etc/+(?:passwd|shadow|group|hosts|issue|fstab|crontab|sudoers|ssh)|proc/+(?:self|version|cpuinfo|net|\\d+|cmdline)|var/+log/|dev/+(?:tcp|udp|null|shm)|sys/+class)',
)

/** Commands whose names are no words of English: one is evidence with whatever follows. */
export const STRONG_COMMANDS =
  '(?:bash|ksh|zsh|csh|tcsh|busybox|wget|curl|ncat|netcat|socat|python[23]?(?:\\.\\d+)?|perl|ruby|php|whoami|uname|ifconfig|netstat|nslookup|chmod|chown|mkfifo|telnet|openssl|crontab|useradd|xargs|sudo|printenv|base64|xxd|nohup|awk|sed|grep|lua|gcc|sh|ls|ps|nc|rm|cp|mv|pwd|scp|ssh|tar|su)'
/** Words of English: only with what a shell's argument begins with. */
const WEAK_COMMANDS =
  '(?:cat|id|ping|dig|ip|kill|find|head|tail|less|more|tac|echo|printf|env|export|sleep|passwd|tee|touch|make|set|who|time|type|sort|test|node|dash|host|last)'
const COMMANDS = `(?:${STRONG_COMMANDS}|${WEAK_COMMANDS})`
const ARGUMENT = '[-/~$|<>;&.*"\'`\\d]'

/** A command where a shell would start one. */
const UNIX_SHELL = patterns(
  `(?:[;|&\`\\n]|\\$\\(|&&|\\|\\|)\\s*(?:/(?:usr/)?s?bin/)?(?:${STRONG_COMMANDS}(?:\\s+[\\w\\-/~$."'\`\\\\]|\\s*$|[;|&<>)\`"'/])|${WEAK_COMMANDS}(?:\\s*$|\\s+${ARGUMENT}|[;|&<>)\`/]))`,
  `(?:^|[=\\s;|&\`(])/(?:usr/(?:local/)?)?s?bin/${COMMANDS}(?:$|\\W)`,
  '\\$\\{?ifs\\b|\\$\\{?(?:path|home|shell|user|pwd|bash|env|hostname|shlvl)\\b[:}]|<\\([^)]{1,60}\\)|/dev/(?:tcp|udp)/',
  `\\$\\(\\s*${COMMANDS}\\b`,
  '\\(\\)\\s*\\{\\s*[:_a-z]|\\bbash\\s+-[ic]|\\bsh\\s+-[ic]\\b|\\b(?:wget|curl)\\s+(?:-\\S+\\s+)*(?:https?|ftp)://',
)

const WINDOWS_SHELL = patterns(
  '(?:[;|&`\\n]|&&)\\s*(?:(?:echo|dir|type|copy|del|net|reg|sc|ping|findstr)(?:\\s*$|\\s+(?:[/\\\\%"*.&|-]|[a-z]:|\\d|user|view|localgroup|query|add)|[|&/.])|(?:cmd(?:\\.exe)?|ipconfig|systeminfo|tasklist|whoami|certutil|bitsadmin|wmic|schtasks|rundll32|mshta|cscript|wscript|nslookup|icacls)(?:\\s|$|[;|&/.]))',
  '\\bcmd(?:\\.exe)?\\s*/[ckr]\\b|%(?:comspec|systemroot|windir|programfiles|appdata)%|c:[\\\\/]+(?:windows|winnt|inetpub|boot\\.ini|users)',
)

const POWERSHELL = patterns(
  '\\bpowershell(?:\\.exe)?\\b[^a-z]|\\bpwsh\\b|-e(?:nc(?:odedcommand)?|p|xecutionpolicy)\\s+\\S|\\b(?:invoke-(?:expression|webrequest|command|restmethod)|iex\\s*\\(|new-object\\s+(?:net|system)|downloadstring|start-process|get-(?:process|childitem|content|wmiobject)|set-executionpolicy|add-type)\\b',
)

const PHP = patterns(
  '<\\?(?:php|=|\\s)|\\b(?:eval|assert|system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec|phpinfo|base64_decode|gzinflate|str_rot13|create_function|call_user_func(?:_array)?|preg_replace|file_(?:get|put)_contents|fsockopen|move_uploaded_file|curl_exec|highlight_file|show_source|ini_set|putenv|parse_str|unserialize|fopen|readfile)\\s*\\(',
  '\\$_(?:get|post|request|server|cookie|files|session|env)\\b|\\$globals\\b|php://(?:filter|input|fd|memory|temp)|\\bo:\\d+:"[^"]{1,100}":\\d+:\\{|\\ballow_url_include\\b|auto_prepend_file',
)

export const adminProtection = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesAdminProtectionRuleSet',
    namespace: 'admin-protection',
    description: 'Contains rules that allow you to block external access to exposed admin pages.',
    capacity: 100,
  },
  [
    {
      name: 'AdminProtection_URIPATH',
      statement: on('URIPATH', ADMIN_PATHS, [['URL_DECODE_UNI', 'NORMALIZE_PATH_WIN', 'LOWERCASE']]),
    },
  ],
)

export const linux = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesLinuxRuleSet',
    namespace: 'linux-os',
    description:
      'Contains rules that block request patterns associated with exploitation of vulnerabilities specific to Linux.',
    capacity: 200,
  },
  each('LFI', ['URIPATH', 'QUERYSTRING', 'HEADER'], LINUX_FILES, PATH_DECODINGS),
)

export const unix = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesUnixRuleSet',
    namespace: 'posix-os',
    description:
      'Contains rules that block request patterns associated with exploiting vulnerabilities specific to POSIX and POSIX-like operating systems.',
    capacity: 100,
  },
  [
    ...each('UNIXShellCommandsVariables', ['QUERYSTRING', 'HEADER'], UNIX_SHELL, COMMAND_DECODINGS),
    ...each('UNIXShellCommandsVariables', ['BODY'], UNIX_SHELL, [['LOWERCASE'], ['CMD_LINE']]),
  ],
)

export const windows = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesWindowsRuleSet',
    namespace: 'windows-os',
    description:
      'Contains rules that block request patterns associated with exploiting vulnerabilities specific to Windows.',
    capacity: 200,
  },
  [
    ...each('WindowsShellCommands', ['COOKIE', 'QUERYARGUMENTS', 'BODY'], WINDOWS_SHELL, COMMAND_DECODINGS),
    ...each('PowerShellCommands', ['COOKIE', 'QUERYARGUMENTS', 'BODY'], POWERSHELL, COMMAND_DECODINGS),
  ],
)

export const php = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesPHPRuleSet',
    namespace: 'php-app',
    description:
      'Contains rules that block request patterns associated with exploiting vulnerabilities specific to the use of the PHP.',
    capacity: 100,
  },
  each('PHPHighRiskMethodsVariables', ['HEADER', 'QUERYSTRING', 'BODY'], PHP, TEXT_DECODINGS),
)

export const wordPress = managedGroup(
  {
    vendor: 'AWS',
    name: 'AWSManagedRulesWordPressRuleSet',
    namespace: 'wordpress-app',
    description:
      'Contains rules that block request patterns associated with the exploitation of vulnerabilities specific to WordPress sites.',
    capacity: 100,
  },
  [
    {
      name: 'WordPressExploitableCommands_QUERYSTRING',
      statement: on(
        'QUERYSTRING',
        contain(
          'do-reset-wordpress',
          'action=revslider_show_image',
          'wp_abspath=',
          'author=%7bnum',
          'duplicator_download',
        ),
        TEXT_DECODINGS,
      ),
    },
    {
      name: 'WordPressExploitablePaths_URIPATH',
      statement: on(
        'URIPATH',
        contain(
          '/xmlrpc.php',
          '/wp-config.php',
          '/wp-content/debug.log',
          '/wp-admin/install.php',
          '/wp-content/plugins/wp-file-manager/lib',
          '/wp-json/wp/v2/users',
        ),
        PATH_DECODINGS,
      ),
    },
  ],
)
