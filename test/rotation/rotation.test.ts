/** Fifty rotations of each kind of database, under a client that fetches the secret and logs in all the time. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { AddPermissionCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../cloud.ts'
import { type Database, hasMariadb, hasPostgres, hasRedis, mariadb, postgres, redis } from './databases.ts'

const ROTATIONS = 50
const ROLE = `arn:aws:iam::${ACCOUNT}:role/rotator`
const run = promisify(execFile)

interface Secret {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
}

interface Kind {
  readonly name: string
  readonly engine: string
  readonly single: string
  readonly multi: string
  readonly there: boolean
  /** With the users `app` and `solo`, whose password is `first-password`. */
  start(): Promise<Database>
  login(secret: Secret): Promise<void>
}

const kinds: readonly Kind[] = [
  {
    name: 'PostgreSQL',
    engine: 'postgres',
    single: 'SecretsManagerRDSPostgreSQLRotationSingleUser',
    multi: 'SecretsManagerRDSPostgreSQLRotationMultiUser',
    there: hasPostgres,
    start: () =>
      postgres(
        "CREATE ROLE app LOGIN PASSWORD 'first-password'; CREATE ROLE solo LOGIN PASSWORD 'first-password'; CREATE TABLE things (n int); GRANT SELECT ON things TO app, solo",
      ),
    login: async ({ host, port, username, password }) => {
      const client = new pg.Client({ host, port, user: username, password, database: 'postgres' })
      await client.connect()
      await client.query('SELECT n FROM things')
      await client.end()
    },
  },
  {
    name: 'MariaDB',
    engine: 'mariadb',
    single: 'SecretsManagerRDSMariaDBRotationSingleUser',
    multi: 'SecretsManagerRDSMariaDBRotationMultiUser',
    there: hasMariadb,
    start: () =>
      mariadb(
        "CREATE DATABASE shop; CREATE TABLE shop.things (n int); CREATE USER 'app'@'%' IDENTIFIED BY 'first-password'; CREATE USER 'solo'@'%' IDENTIFIED BY 'first-password'; GRANT SELECT ON shop.* TO 'app'@'%'; GRANT SELECT ON shop.* TO 'solo'@'%'",
      ),
    login: async ({ host, port, username, password }) => {
      const connection = await createConnection({ host, port, user: username, password })
      await connection.query('SELECT n FROM shop.things')
      await connection.end()
    },
  },
  {
    name: 'Redis',
    engine: 'redis',
    single: 'SecretsManagerElasticacheUserRotation',
    multi: 'SecretsManagerRedisRotationMultiUser',
    there: hasRedis,
    start: () => redis(['app on >first-password ~* +@read', 'solo on >first-password ~* +@all']),
    login: async ({ port, username, password }) => {
      const words = ['-p', String(port), '--user', username, '--pass', password, '--no-auth-warning', 'GET', 'thing']
      const { stdout } = await run('redis-cli', words)
      if (/WRONGPASS|NOPERM|NOAUTH/.test(stdout)) throw new Error(stdout)
    },
  },
]

async function world(database: Database) {
  const it = await cloud({ egress: new Set([`127.0.0.1:${database.port}`]) })
  const iam = it.client(IAMClient)
  const sm = it.client(SecretsManagerClient)
  const trust = allowing({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'rotator', AssumeRolePolicyDocument: trust }))
  const may = allowing({ Action: 'secretsmanager:*', Resource: '*' })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'rotator', PolicyName: 'secrets', PolicyDocument: may }))
  const rotator = async (image: string) => {
    const lambda = it.client(LambdaClient)
    const made = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'rotate',
        Role: ROLE,
        PackageType: 'Image',
        Code: { ImageUri: `merlon/${image}` },
        Timeout: 30,
      }),
    )
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: 'rotate',
        StatementId: 'secrets',
        Action: 'lambda:InvokeFunction',
        Principal: 'secretsmanager.amazonaws.com',
        SourceAccount: ACCOUNT,
      }),
    )
    return made.FunctionArn!
  }
  const create = (Name: string, secret: object) =>
    sm.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(secret) }))
  const get = async (SecretId: string): Promise<Secret> =>
    JSON.parse((await sm.send(new GetSecretValueCommand({ SecretId }))).SecretString!)
  const settle = async () => {
    while ((await it.jobs.runDue()) > 0);
  }
  return { ...it, sm, rotator, create, get, settle }
}

describe.each(kinds.filter(({ there }) => there))('$name', (kind) => {
  test.each(['multi', 'single'] as const)(
    `Secrets 2 and 3: rotates ${ROTATIONS} times by the %s user strategy`,
    async (strategy) => {
      const database = await kind.start()
      try {
        const it = await world(database)
        const common = { engine: kind.engine, host: '127.0.0.1', port: database.port, ssl: false }
        const master = await it.create('master', { ...common, username: 'boss', password: 'boss-password' })
        const username = strategy === 'multi' ? 'app' : 'solo'
        await it.create('app', { ...common, username, password: 'first-password', masterarn: master.ARN })
        const RotationLambdaARN = await it.rotator(kind[strategy])

        const passwords = new Set<string>()
        let [logins, failures, rotating] = [0, 0, true]
        let retriesMost = 0
        // What an application may rely on is that what it read stays valid until the rotation after the next: where
        // rotations follow each other in milliseconds, the client must have come round once between two of them.
        let read = 0
        const anotherLogin = async () => {
          const until = read + 2
          while (read < until) await new Promise((done) => setTimeout(done, 1))
        }
        const client = (async () => {
          while (rotating) {
            for (let retries = 0; ; retries++) {
              const secret = await it.get('app')
              read++
              passwords.add(secret.password)
              try {
                await kind.login(secret)
                logins++
                break
              } catch (error) {
                failures++
                if (retries >= 20) throw error
                retriesMost = Math.max(retriesMost, retries + 1)
                // A back-off as clients have it: longer than the moment between the database and the secret.
                await new Promise((done) => setTimeout(done, 1000))
              }
            }
          }
        })()
        const seen: string[] = []
        for (let n = 0; n < ROTATIONS; n++) {
          await it.sm.send(
            new RotateSecretCommand({
              SecretId: 'app',
              RotationLambdaARN,
              RotationRules: { AutomaticallyAfterDays: 30 },
            }),
          )
          await it.settle()
          seen.push((await it.get('app')).password)
          await Promise.race([anotherLogin(), client])
        }
        rotating = false
        await client

        expect(new Set(seen).size).toBe(ROTATIONS)
        const { VersionIdsToStages } = await it.sm.send(new DescribeSecretCommand({ SecretId: 'app' }))
        expect(Object.values(VersionIdsToStages!).map((stages) => [...stages].sort())).toEqual(
          expect.arrayContaining([['AWSCURRENT', 'AWSPENDING'], ['AWSPREVIOUS']]),
        )
        // Single: a client between the change in the database and the one in the secret retries, and gets in.
        expect(logins).toBeGreaterThan(strategy === 'multi' ? ROTATIONS : 2)
        expect(passwords.size).toBeGreaterThan(2)
        if (strategy === 'multi') expect(failures).toBe(0)
        else expect(retriesMost).toBeLessThanOrEqual(1)
        const last = await it.get('app')
        await kind.login(last)
        await expect(kind.login({ ...last, password: 'first-password' })).rejects.toThrow()
        const log = database.log()
        expect(log.length).toBeGreaterThan(1000)
        expect(
          [...seen, ...passwords].filter((password) => password !== 'first-password' && log.includes(password)),
        ).toEqual([])
      } finally {
        await database.stop()
      }
    },
  )
})

describe.runIf(hasMariadb)('MariaDB', () => {
  /** Rotates `app` with alternating users, with a master of this name. Returns what the test needs of it. */
  async function byTurns(database: Database, master: string) {
    const it = await world(database)
    const common = { engine: 'mariadb', host: '127.0.0.1', port: database.port, ssl: false }
    const { ARN } = await it.create('master', { ...common, username: master, password: 'boss-password' })
    await it.create('app', { ...common, username: 'app', password: 'first-password', masterarn: ARN })
    const RotationLambdaARN = await it.rotator('SecretsManagerRDSMariaDBRotationMultiUser')
    const RotationRules = { AutomaticallyAfterDays: 30 }
    await it.sm.send(new RotateSecretCommand({ SecretId: 'app', RotationLambdaARN, RotationRules }))
    await it.settle()
    const count = async () => {
      const { host, port, username: user, password } = await it.get('app')
      const connection = await createConnection({ host, port, user, password })
      const [rows] = await connection.query('SELECT n FROM shop.things')
      await connection.end()
      return { user, rows }
    }
    return { ...it, count }
  }
  const SHOP =
    "CREATE DATABASE shop; CREATE TABLE shop.things (n int); CREATE USER 'app'@'%' IDENTIFIED BY 'first-password';"

  test('an account that could not get its rights does not become current, and gets them later', async () => {
    const database = await mariadb(
      `${SHOP} GRANT SELECT ON shop.* TO 'app'@'%'; CREATE USER 'weak'@'%' IDENTIFIED BY 'boss-password';
       GRANT CREATE USER ON *.* TO 'weak'@'%'; GRANT SELECT ON mysql.* TO 'weak'@'%'`,
    )
    try {
      const it = await byTurns(database, 'weak')
      await it.pass(60_000)
      await it.settle()

      expect(await it.count()).toEqual({ user: 'app', rows: [] })

      const boss = { host: '127.0.0.1', port: database.port, user: 'boss', password: 'boss-password' }
      const connection = await createConnection(boss)
      await connection.query("GRANT SELECT ON shop.* TO 'weak'@'%' WITH GRANT OPTION")
      await connection.end()
      await it.pass(600_000)
      await it.settle()

      expect(await it.count()).toEqual({ user: 'app_clone', rows: [] })
    } finally {
      await database.stop()
    }
  })

  test('the other account has the default role of the first', async () => {
    const database = await mariadb(
      `${SHOP} CREATE ROLE reader; GRANT SELECT ON shop.* TO reader; GRANT reader TO 'app'@'%';
       SET DEFAULT ROLE reader FOR 'app'@'%'; GRANT reader TO 'boss'@'%' WITH ADMIN OPTION`,
    )
    try {
      const it = await byTurns(database, 'boss')

      expect(await it.count()).toEqual({ user: 'app_clone', rows: [] })
    } finally {
      await database.stop()
    }
  })
})
