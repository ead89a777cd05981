/** An invitation between two accounts with the stock `aws` command, and what it changes for the guest’s root user. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, type Running, startMerlon, temporaryFolder } from '../process.ts'
import { environmentFor, type Keys, run } from './command.ts'

const MANAGER = '111122223333'
const GUEST = '444455556666'
const key = (account: string) => ({
  accessKeyId: `AKIA${account}ROOT`,
  secretAccessKey: `secret-of-${account}`.repeat(2),
})

const SEED = `
accounts:
  - id: '${MANAGER}'
    name: management
    rootKey: { id: ${key(MANAGER).accessKeyId}, secret: ${key(MANAGER).secretAccessKey} }
  - id: '${GUEST}'
    name: guest
    rootKey: { id: ${key(GUEST).accessKeyId}, secret: ${key(GUEST).secretAccessKey} }
`

/** Nothing of CloudTrail's events but in one Region. */
const ONLY_FRANKFURT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Action: 'cloudtrail:LookupEvents',
      Resource: '*',
      Condition: { StringNotEquals: { 'aws:RequestedRegion': 'eu-central-1' } },
    },
  ],
})

let server: Running

beforeAll(async () => {
  const file = join(temporaryFolder(), 'seed.yaml')
  writeFileSync(file, SEED)
  server = await startMerlon(['--dev', '--seed', file])
})
afterAll(() => server?.stop('SIGKILL'))

function as(keys: Keys) {
  const environment = environmentFor(server.url, keys)
  const aws = (words: string, ...more: readonly string[]): Promise<Ended> =>
    run('aws', [...words.split(' '), ...more], environment)
  return {
    aws,
    // biome-ignore lint/suspicious/noExplicitAny: the answers of a dozen commands; the assertions say what they hold
    json: async (words: string, ...more: readonly string[]): Promise<any> => {
      const { status, stdout, stderr } = await aws(words, ...more)
      if (status !== 0) throw new Error(`aws ${words}: ${stderr}`)
      return stdout.trim() === '' ? undefined : JSON.parse(stdout)
    },
    /** Its complaint, or nothing. */
    looksUp: async (region: string) => (await aws(`cloudtrail lookup-events --region ${region}`)).stderr.trim(),
  }
}

test('a guest that accepts an invitation is bound from its next call on, its root user too; the manager never is', async () => {
  const root = as(key(MANAGER))
  const guest = as(key(GUEST))
  await root.json('organizations create-organization')
  const top = (await root.json('organizations list-roots')).Roots[0].Id
  await root.json(`organizations enable-policy-type --root-id ${top} --policy-type SERVICE_CONTROL_POLICY`)
  const { Policy } = await root.json(
    'organizations create-policy --name only-frankfurt --description none --type SERVICE_CONTROL_POLICY --content',
    ONLY_FRANKFURT,
  )
  const scp = Policy.PolicySummary
  await root.json(`organizations attach-policy --policy-id ${scp.Id} --target-id ${top}`)
  expect(await guest.looksUp('us-east-1')).toBe('')

  const { Handshake } = await root.json(
    `organizations invite-account-to-organization --target Id=${GUEST},Type=ACCOUNT`,
  )
  const { Handshakes } = await guest.json('organizations list-handshakes-for-account')
  expect(Handshakes).toMatchObject([{ Id: Handshake.Id, State: 'OPEN' }])
  await guest.json(`organizations accept-handshake --handshake-id ${Handshake.Id}`)

  expect(await guest.looksUp('us-east-1')).toBe(
    'An error occurred (AccessDeniedException) when calling the LookupEvents operation: User: ' +
      `arn:aws:iam::${GUEST}:root is not authorized to perform: ` +
      `cloudtrail:LookupEvents with an explicit deny in a service control policy: ${scp.Arn}`,
  )
  expect(await guest.looksUp('eu-central-1')).toBe('')
  expect(await root.looksUp('us-east-1')).toBe('')

  await guest.json('organizations leave-organization')
  expect(await guest.looksUp('us-east-1')).toBe('')
})
