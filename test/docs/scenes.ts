/** What a page takes for granted: files, servers, databases, and what other commands have made before. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findMirror, writeCliConfig } from '../clients/terraform-mirror.ts'
import { postgres } from '../rotation/databases.ts'
import { blocksOf } from './pages.ts'
import type { Session } from './session.ts'

export interface Prepared {
  /** Run before the first block, in the page's shell; each part knows what servers of earlier parts have printed. */
  readonly before?: string | readonly string[]
  /** Run after the last block: it fails when the page has not done what it says. */
  readonly after?: string
  /** Names that do not exist here, such as those of other machines. */
  readonly rewrite?: (command: string) => string
  readonly close?: () => unknown
}

export interface Scene {
  readonly files?: Readonly<Record<string, string>>
  readonly prepare?: (session: Session) => Promise<Prepared> | Prepared
}

const ACCOUNT = '111122223333'
const SERVER = `
export MERLON_ACCOUNT_ID=${ACCOUNT} MERLON_ROOT_ACCESS_KEY_ID=AKIAEXAMPLEEXAMPLE00 MERLON_ROOT_SECRET_ACCESS_KEY=example-secret
export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=$MERLON_ROOT_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$MERLON_ROOT_SECRET_ACCESS_KEY
merlon start --dev`

const onServer = (before = ''): Scene => ({ prepare: () => ({ before: `${SERVER}\n${before}` }) })
const allow = (Action: string | readonly string[], Resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })
const trust = (principal: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
  })
const KEYS_BUT_FEW = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'Keys', Effect: 'Allow', Action: 'kms:*', Resource: '*' },
    { Sid: 'NoKeys', Effect: 'Deny', Action: 'kms:CreateKey', Resource: '*' },
  ],
})
/** The block of a page that shows a file. */
const shown = (page: string, language: string) => blocksOf(page).find((block) => block.language === language)!.text

/** Metadata of an identity provider, with a certificate made on the spot. */
const METADATA = `
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=idp -keyout idp.key -out idp.pem 2>/dev/null
cat > metadata.xml <<END
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.corp.test/saml"><!-- $(printf '%0900d' 0) -->
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">
<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>$(grep -v -e ----- idp.pem)</X509Certificate></X509Data></KeyInfo>
</KeyDescriptor></IDPSSODescriptor></EntityDescriptor>
END`

export const SCENES: Readonly<Record<string, Scene>> = {
  'docs/federation.md': { ...onServer(METADATA), files: { 'trust.json': shown('docs/federation.md', 'json') } },
  'docs/web-acls.md': onServer(),
  'docs/ci.md': { files: { 'seed.yaml': shown('docs/ci.md', 'yaml') } },
  'docs/encryption-sdk.md': onServer(),
  'docs/s3.md': { ...onServer(), files: { 'report.json': '{}' } },
  'docs/identity-pools.md': onServer(),
  'docs/trails.md': onServer(),
  'docs/threat-detection.md': {
    prepare: () => ({
      before: SERVER,
      after: `for n in $(seq 30); do aws guardduty list-findings --detector-id "$DETECTOR" --output text --query 'FindingIds[0]' \\
  --finding-criteria '{"Criterion":{"type":{"Equals":["Stealth:IAMUser/PasswordPolicyChange"]}}}' | grep -qv None && break; done; test $n -lt 30`,
    }),
  },
  'docs/operations.md': {
    prepare: () => ({
      before: 'merlon start',
      rewrite: (command) => command.replace(/\bNEW\b/g, 'restored'),
      after: 'test -e restored/merlon.db',
    }),
  },
  'docs/streams.md': {
    prepare: () => ({
      after:
        'for n in $(seq 300); do test -s /var/log/merlon/events.jsonl && break; sleep 0.2; done; test -s /var/log/merlon/events.jsonl',
    }),
  },
  'docs/clients.md': {
    ...onServer(`
aws iam create-user --user-name ann
aws iam put-user-policy --user-name ann --policy-name any --policy-document '${allow('*')}'
aws iam create-role --role-name app --assume-role-policy-document '${trust({ AWS: `arn:aws:iam::${ACCOUNT}:root` })}'
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY < <(aws iam create-access-key --user-name ann \\
  --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
chmod +x worker`),
    files: { worker: '#!/bin/sh\naws sts get-caller-identity --query Arn --output text | grep assumed-role/app/\n' },
  },
  'docs/rotation.md': {
    ...onServer(`
aws iam create-role --role-name rotator --assume-role-policy-document '${trust({ Service: 'lambda.amazonaws.com' })}'
aws iam put-role-policy --role-name rotator --policy-name rotate --policy-document '${allow('secretsmanager:*')}'
aws secretsmanager create-secret --name app/db --secret-string '{"engine": "postgres", "host": "127.0.0.1", "username": "app", "password": "x"}'
aws secretsmanager create-secret --name app/api --secret-string '{"key": "k"}'
chmod +x server`),
    files: { server: '#!/bin/sh\ntest "$API_KEY" = k\n' },
  },
  'docs/audit.md': {
    prepare: () => ({
      before: [
        'merlon start',
        `
export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…
aws iam create-user --user-name ann
aws iam put-user-policy --user-name ann --policy-name keys-but-few --policy-document '${KEYS_BUT_FEW}'
read -r id secret < <(aws iam create-access-key --user-name ann --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
! AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret aws kms create-key
event=$(aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateKey \\
  --query 'Events[0].EventId' --output text)`,
      ],
      rewrite: (command) => command.replace(/why [0-9a-f-]{36}/, 'why "$event"'),
    }),
  },
  'docs/policy-command-line.md': {
    ...onServer(`
mkdir policies && mv ci.json policies/
aws iam create-user --user-name ann
aws iam put-user-policy --user-name ann --policy-name own --policy-document '${allow(['s3:*', 'kms:*'])}'
read -r id secret < <(aws iam create-access-key --user-name ann --query 'AccessKey.[AccessKeyId, SecretAccessKey]' --output text)
AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret aws kms create-key`),
    files: policyFiles(),
  },
  'docs/nodes.md': { prepare: nodes },
  'docs/coming-from-localstack.md': {
    prepare: () => ({ before: SERVER.replace('merlon start --dev', '') }),
  },
  'docs/upgrading.md': { prepare: () => ({ before: 'merlon start' }) },
  'docs/test-iam-in-ci.md': { files: { 'seed.yaml': shown('docs/test-iam-in-ci.md', 'yaml') } },
  'docs/keys-for-a-team.md': onServer(),
  'docs/rotate-a-database-password.md': { prepare: databaseToRotate },
  'docs/landing-zone.md': {
    prepare: (session) => {
      const mirror = findMirror()
      if (mirror === undefined) throw new Error('No file system mirror with hashicorp/aws was found: TF_PLUGIN_MIRROR')
      const config = writeCliConfig(session.folder, mirror)
      return { before: `${SERVER}\nexport TF_CLI_CONFIG_FILE=${config} TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1` }
    },
    files: { 'main.tf': shown('docs/landing-zone.md', 'hcl') },
  },
}

function policyFiles(): Record<string, string> {
  return {
    'ann.json': allow('s3:GetObject', 'arn:aws:s3:::data/*'),
    'root.json': allow('*'),
    'unit.json': allow('*'),
    'boundary.json': allow('*'),
    'ci.json': JSON.stringify(JSON.parse(allow('iam:PassRole')), null, 2),
    'new-root.json': JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', NotAction: 'kms:CreateKey', Resource: '*' }],
    }),
    'old.json': JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' },
        {
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
        },
      ],
    }),
    'new.json': allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::data/*'),
  }
}

/** The database is a real one, under another name. */
async function databaseToRotate(): Promise<Prepared> {
  const server = await postgres("CREATE ROLE app LOGIN PASSWORD 'first-password'")
  return {
    before: SERVER.replace('merlon start --dev', ''),
    rewrite: (command) =>
      command
        .replaceAll('db.corp.test:5432', `127.0.0.1:${server.port}`)
        .replaceAll('-h db.corp.test -p 5432', `-h 127.0.0.1 -p ${server.port}`)
        .replace(/"host": "db\.corp\.test",\s+"port": 5432/, `"host": "127.0.0.1", "port": ${server.port}`),
    close: () => server.stop(),
  }
}

/** One machine plays all of them; the database server is a real one. */
async function nodes(session: Session): Promise<Prepared> {
  const password = 'example-password'
  const server = await postgres(`CREATE ROLE merlon LOGIN PASSWORD '${password}'`)
  const admin = `psql -h 127.0.0.1 -p ${server.port} -U boss postgres -qc`
  writeFileSync(join(session.folder, 'etc/merlon/db-password'), `${password}\n`)
  return {
    before: `
PGPASSWORD=boss-password ${admin} 'CREATE DATABASE merlon OWNER merlon'
PGPASSWORD=boss-password ${admin} 'CREATE DATABASE moved OWNER merlon'
merlon init --data OLD >/dev/null`,
    rewrite: (command) =>
      command
        // A machine that has no key file of its own gets the first one's.
        .replace(/^merlon start (.*--node b)/m, 'MERLON_KEY_FILE=/var/lib/merlon/root.key merlon start $1')
        .replace(/^# move (\S+) .* as (\S+), mode 0600$/m, 'install -m 600 $1 $2')
        // Other shells than the nodes'.
        .replace(/^MERLON_TO_STORE=.*--data OLD/m, (line) => `env -u MERLON_STORE ${line}`)
        .replace('--data NODE', '--data /var/lib/merlon --node a')
        .replace(
          /@(db\.example|db1\.example(?::\d+)?,db2\.example(?::\d+)?)\/merlon/g,
          `@127.0.0.1:${server.port}/merlon`,
        )
        .replace(/(MERLON_TO_STORE=\S+)\/merlon\b/, '$1/moved'),
    after: `for port in ${session.port} ${session.port + 1}; do curl -fsS http://127.0.0.1:$port/health; done
test -e NEW/merlon.db`,
    close: () => server.stop(),
  }
}
