/** The overview of all commands: one screen. The options of a command are in its own help. */

/** Headings, and what each command does; commands that belong together share a line. Every command is in one group. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Run a server': {
    start: 'Start a server; initialize the data directory on the first start',
    init: 'Initialize a data directory without starting a server',
    'status, doctor': 'Show the health of a server or data directory; check it, with what to do',
    ca: "Show or install the certificate authority of 'merlon start --tls auto'",
    'root-password': 'Set the e-mail address and password that the root user signs in with',
    'portal-password': 'Set the password that a user of IAM Identity Center signs in with',
    'scim-token, saml-app': 'Manage SCIM tokens; configure SAML applications of IAM Identity Center',
    'identity-source': 'Show or change where users of IAM Identity Center sign in',
    demo: 'Run a guided demonstration on a temporary server',
  },
  'Seal and root key': {
    'seal, unseal': 'Remove all keys from a server; unlock it by shares or passphrase',
    sealer: 'List, add, test and remove sealers (what unlocks the root key)',
    rekey: 'Replace the key shares; the root key stays the same',
    'rotate-root': 'Replace the root key and re-wrap every account key',
    trust: "Report the state of the root of trust, or erase an account's key",
  },
  Data: {
    'backup, restore': 'Create, verify or restore an encrypted backup',
    'export, store': "Write a server's content as a seed; copy data to or from PostgreSQL",
    plane: 'Run, enroll, list and revoke data planes in processes of their own',
  },
  'Policies, audit, secrets, encryption': {
    policy: 'Lint, explain, simulate and compare IAM policies (offline)',
    'waf, detect': 'Explain what a web ACL decides; find threats in AWS log files (offline)',
    net: 'Explain who reaches what in a network, from aws ec2 describe-… (offline)',
    audit: 'Verify and tail the audit log',
    credentials: 'Provide temporary credentials to programs',
    secret: 'Run a program with secrets; show rotation status',
    acm: 'Explain why a certificate is not issued',
    'encrypt, decrypt, inspect': 'Encrypt files as every AWS Encryption SDK does; show their uses',
  },
  Other: {
    'inbox, dev': 'Show the mail that services have sent; run what tests need: social-idp',
    'completion, pytest-plugin': 'Print a completion script for bash or zsh; a plugin for pytest',
    'help, version': 'Show this help, or that of a command; show the version (also -v)',
  },
}

const NAME_WIDTH = 25

export const helpNames: readonly string[] = Object.values(GROUPS).flatMap((group) =>
  Object.keys(group).flatMap((names) => names.split(', ')),
)

export function overview(): string {
  const groups = Object.entries(GROUPS).flatMap(([heading, group]) => [
    heading,
    ...Object.entries(group).map(([names, summary]) => `  ${names.padEnd(NAME_WIDTH)} ${summary}`),
  ])
  return [
    'Merlon: AWS-compatible security services that you host yourself.',
    '',
    'Usage: merlon COMMAND [OPTIONS]',
    '',
    ...groups,
    '',
    "Run 'merlon help COMMAND' for its options. Documentation: docs/operations.md, docs/errors.md",
    '',
  ].join('\n')
}
