/** Root of trust §6.13: an erased account's sealed values are gone, from an older backup as well. */
import { randomUUID } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { clientOf, folder, merlon, merlonJson, start } from './shell.ts'

const ORGANIZATIONS = 'AWSOrganizationsV20161128'

/** A session, out of the answer of AssumeRole. */
const as = (url: string, xml: string): Client =>
  new Client({
    credential: {
      accessKeyId: element(xml, 'AccessKeyId')!,
      secret: element(xml, 'SecretAccessKey')!,
      sessionToken: element(xml, 'SessionToken')!,
    },
    transport: overHttp(url),
  })

test('Trust 13: the values of an erased account cannot be read, here or from the backup of last week; others go on', async () => {
  const [data, backups, other] = [join(folder(), 'data'), folder(), join(folder(), 'other')]
  const server = await start(data)
  const management = server.accounts[0]!
  const root = clientOf(server.url, management)
  await root.json('organizations', `${ORGANIZATIONS}.CreateOrganization`)
  const asked = await root.json<{ CreateAccountStatus: { Id: string } }>(
    'organizations',
    `${ORGANIZATIONS}.CreateAccount`,
    {
      AccountName: 'blue',
      Email: 'blue@example.com',
    },
  )
  const told = await root.json<{ CreateAccountStatus: { AccountId: string } }>(
    'organizations',
    `${ORGANIZATIONS}.DescribeCreateAccountStatus`,
    { CreateAccountRequestId: asked.CreateAccountStatus.Id },
  )
  const member = told.CreateAccountStatus.AccountId
  await root.query('iam', 'CreateUser', { UserName: 'admin' })
  const may = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
  await root.query('iam', 'PutUserPolicy', { UserName: 'admin', PolicyName: 'all', PolicyDocument: may })
  const key = await root.query('iam', 'CreateAccessKey', { UserName: 'admin' })
  const admin = { accessKeyId: element(key, 'AccessKeyId')!, secretAccessKey: element(key, 'SecretAccessKey')! }
  const visit = { RoleArn: `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`, RoleSessionName: 'visit' }
  const inside = as(server.url, await clientOf(server.url, admin).query('sts', 'AssumeRole', visit))
  await inside.json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 'theirs',
    SecretString: 'canary',
  })
  await root.json('secretsmanager', 'secretsmanager.CreateSecret', {
    ClientRequestToken: randomUUID(),
    Name: 'ours',
    SecretString: 'kept',
  })
  const file = join(backups, 'x.merlon')
  await merlonJson(['backup', file, '--data', data])

  expect((await merlon(['trust', 'erase', member, '--data', data])).status).toBe(2)
  const erased = await merlon(['trust', 'erase', member, '--yes', '--data', data])

  expect([erased.status, erased.stderr]).toEqual([0, ''])
  const get = { SecretId: 'theirs' }
  await expect(inside.json('secretsmanager', 'secretsmanager.GetSecretValue', get)).rejects.toThrow()
  const ours = await root.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
    SecretId: 'ours',
  })
  expect(ours.SecretString).toBe('kept')
  await server.stop('SIGKILL')

  expect((await merlon(['restore', file, '--data', other, '--key-file', join(data, 'root.key')])).status).toBe(0)
  copyFileSync(join(data, 'root.key'), join(other, 'root.key'))
  const drill = await start(other)
  const again = clientOf(drill.url, management)
  expect(
    (
      await again.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
        SecretId: 'ours',
      })
    ).SecretString,
  ).toBe('kept')
  // The role is in the backup, in clear; what it was to protect is not.
  const anew = as(drill.url, await clientOf(drill.url, admin).query('sts', 'AssumeRole', visit))
  await expect(anew.json('secretsmanager', 'secretsmanager.GetSecretValue', get)).rejects.toThrow()
  const report = await merlon(['backup', 'verify', file, '--drill', '--data', other])
  expect(report.stdout).toContain('1 are erased')
})
