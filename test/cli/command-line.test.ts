import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { type MadeAccount, merlon, merlonScript, type Running, startMerlon, temporaryFolder } from '../process.ts'

const running: Running[] = []
const start = async (words: readonly string[], environment?: Readonly<Record<string, string>>) => {
  const server = await startMerlon(words, environment)
  running.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('SIGKILL')))
})

const clientOf = (server: Pick<Running, 'url'>, { accessKeyId, secretAccessKey }: Omit<MadeAccount, 'accountId'>) =>
  new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(server.url) })
const mode = (file: string) => (statSync(file).mode & 0o777).toString(8)

describe('merlon init', () => {
  test('makes a folder only its owner can read, and a key that works once the server runs', async () => {
    const data = join(temporaryFolder(), 'data')

    const made = JSON.parse((await merlon(['init', '--data', data, '--json'])).stdout) as MadeAccount
    const server = await start(['--data', data])

    expect([mode(data), mode(join(data, 'root.key'))]).toEqual(['700', '600'])
    expect(server.accounts).toEqual([])
    const identity = await clientOf(server, made).query('sts', 'GetCallerIdentity')
    expect(element(identity, 'Arn')).toBe(`arn:aws:iam::${made.accountId}:root`)
  })

  test('never shows a root key twice', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])

    const again = await merlon(['init', '--data', data])

    expect(again.status).toBe(1)
    expect(again.stderr).toContain('is an installation already')
    expect(again.stdout).toBe('')
  })

  test('keeps no secret in clear on disk', async () => {
    const data = join(temporaryFolder(), 'data')

    const made = JSON.parse((await merlon(['init', '--data', data, '--json'])).stdout) as MadeAccount

    const database = readFileSync(join(data, 'merlon.db'))
    expect(database.includes(made.accessKeyId)).toBe(true)
    expect(database.includes(made.secretAccessKey)).toBe(false)
  })

  test('takes the account ID of the option, and refuses an invalid one', async () => {
    const folder = temporaryFolder()

    const good = await merlon(['init', '--data', join(folder, 'a'), '--account', '000000000001', '--json'])
    const bad = await merlon(['init', '--data', join(folder, 'b'), '--account', '12345'])

    expect(JSON.parse(good.stdout).accountId).toBe('000000000001')
    expect(bad.stderr).toContain("An account id has twelve digits; '12345' has not.")
  })

  test('adds an AWS profile beside the others, and overwrites none', async () => {
    const folder = temporaryFolder()
    const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') }
    writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, '[default]\naws_access_key_id = AKIAOTHER')

    const { stdout } = await merlon(['init', '--data', join(folder, 'a'), '--profile', 'mine', '--json'], files)
    const again = await merlon(['init', '--data', join(folder, 'b'), '--profile', 'mine'], files)

    const credentials = readFileSync(files.AWS_SHARED_CREDENTIALS_FILE, 'utf8')
    expect(credentials).toContain('[default]\naws_access_key_id = AKIAOTHER\n')
    expect(credentials).toContain(`[mine]\naws_access_key_id = ${JSON.parse(stdout).accessKeyId}`)
    expect(readFileSync(files.AWS_CONFIG_FILE, 'utf8')).toContain('endpoint_url = http://127.0.0.1:4566')
    expect(again.stderr).toContain("has a profile 'mine' already")
  })
})

describe('a profile', () => {
  const files = () => {
    const folder = temporaryFolder()
    return { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_CONFIG_FILE: join(folder, 'config') }
  }

  test('called default is [default] in both files, and is never written twice', async () => {
    const [at, folder] = [files(), temporaryFolder()]

    await merlon(['init', '--data', join(folder, 'a'), '--profile', 'default'], at)
    const again = await merlon(['init', '--data', join(folder, 'b'), '--profile', 'default'], at)

    expect(readFileSync(at.AWS_SHARED_CREDENTIALS_FILE, 'utf8')).toMatch(/^\[default\]$/m)
    expect(readFileSync(at.AWS_CONFIG_FILE, 'utf8')).toMatch(/^\[default\]$/m)
    expect(readFileSync(at.AWS_CONFIG_FILE, 'utf8')).not.toContain('[profile default]')
    expect(again).toMatchObject({ status: 2, stderr: expect.stringContaining("has a profile 'default' already") })
  })

  test.each(['mine', 'default'])('%s names the endpoint and the Region of client commands', async (profile) => {
    const at = files()
    const header = profile === 'default' ? 'default' : `profile ${profile}`
    writeFileSync(
      at.AWS_SHARED_CREDENTIALS_FILE,
      `[${profile}]\naws_access_key_id = AKIAEXAMPLEEXAMPLE00\naws_secret_access_key = x\n`,
    )
    writeFileSync(
      at.AWS_CONFIG_FILE,
      `[profile another]\nendpoint_url = http://127.0.0.1:7\n[${header}] # ours\nregion = eu-west-1\ns3 =\n  endpoint_url = http://127.0.0.1:8\nendpoint_url = http://127.0.0.1:9\n`,
    )
    const words = ['credentials', 'process', ...(profile === 'default' ? [] : ['--profile', profile])]
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_ENDPOINT_URL: '', AWS_PROFILE: 'default' }

    const ended = await merlon(words, { ...none, ...at })
    const named = await merlon(words, { ...none, ...at, AWS_ENDPOINT_URL: 'http://127.0.0.1:11' })

    expect(ended.stderr).toContain('http://127.0.0.1:9 cannot be reached')
    expect(named.stderr).toContain('http://127.0.0.1:11 cannot be reached')
  })
})

describe('help', () => {
  test('is an overview of every command on one screen', async () => {
    const { stdout, status } = await merlon(['help'])
    const completion = (await merlon(['completion', 'bash'])).stdout

    expect(status).toBe(0)
    expect(stdout.split('\n').length).toBeLessThanOrEqual(40)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    const names = [...stdout.matchAll(/^ {2}([^\s,]+(?:, [^\s,]+)*) +\S/gm)].flatMap(([, row]) => row!.split(', '))
    expect(names).toEqual(expect.arrayContaining(['start', 'unseal', 'rotate-root', 'completion', 'help', 'version']))
    // Every command that can be completed is in it.
    for (const [, command] of completion.matchAll(/^ {4}'([a-z-]+)'\) follows/gm)) expect(names).toContain(command)
  })

  test('of a command is the same by both ways', async () => {
    const [byHelp, byOption] = [await merlon(['help', 'start']), await merlon(['start', '--help'])]

    expect(byHelp).toMatchObject({ status: 0, stdout: expect.stringContaining('--exit-with-parent') })
    expect(byHelp.stdout).toBe(byOption.stdout)
    expect((await merlon(['help', 'policy', 'lint'])).stdout).toContain('merlon policy lint')
  })

  test.each(['-v', '--version', 'version'])('%s shows the version', async (word) => {
    expect(await merlon([word])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^merlon \d+\.\d+\.\d+\n$/) })
  })

  test('completion for bash completes commands, their subcommands and options', async () => {
    const { stdout } = await merlon(['completion', 'bash'])
    const complete = (...words: readonly string[]) => {
      const line = `COMP_WORDS=(merlon ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}`
      const script = `${stdout}\n${line}; _merlon; printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', script]).stdout.toString().trim().split('\n')
    }

    expect(complete('rot')).toEqual(['rotate-root'])
    expect(complete('policy', 'li')).toEqual(['lint'])
    expect(complete('start', '--exit')).toEqual(['--exit-with-parent'])
    expect(complete('sealer', 'add', '--thr')).toEqual(['--threshold'])
  })

  test('completion for zsh completes the same in a shell at a terminal', async () => {
    const file = join(temporaryFolder(), 'merlon.zsh')
    writeFileSync(file, (await merlon(['completion', 'zsh'])).stdout)
    const begun = {
      'merlon rot': 'merlon rotate-root',
      'merlon policy li': 'merlon policy lint',
      'merlon start --exit': 'merlon start --exit-with-parent',
      'merlon sealer add --thr': 'merlon sealer add --threshold',
    }
    // Types each beginning and a tab, then runs what the line has become as the arguments of print.
    const script = `
      zmodload zsh/zpty
      zpty shell "TERM=dumb zsh -f -i"
      zpty -w shell "PS1= PS2= RPS1=; bindkey -e; autoload -Uz compinit; compinit -u -D; source '${file}'; print -r -- READY"
      zpty -r shell line $'*\nREADY*'
      for typed in ${Object.keys(begun)
        .map((typed) => `'${typed}'`)
        .join(' ')}; do
        zpty -w -n shell "$typed"$'\t\x01print -r -- COMPLETED \n'
        zpty -r shell line $'*\nCOMPLETED *\n'
        print -r -- "$line"
      done
      zpty -d shell`

    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { timeout: 60_000 })

    const completed = [...stdout.toString().matchAll(/^COMPLETED (.*?)\s*$/gm)].map(([, line]) => line)
    expect(completed, `${stdout}${stderr}`).toEqual(Object.values(begun))
  })
})

describe('a server and what started it', () => {
  const alive = (id: number) => {
    try {
      process.kill(id, 0)
      return !/\) Z /.test(readFileSync(`/proc/${id}/stat`, 'utf8'))
    } catch {
      return false
    }
  }
  /** Started by another process: returns that one, and the server's id and address. */
  async function startedBy(command: string, words: readonly string[], cwd = '.') {
    const parent = spawn(command, words, {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd,
    })
    const lines = createInterface({ input: parent.stdout })
    let [url, id] = ['', 0]
    for await (const line of lines) {
      if (/^\d+$/.test(line)) id = Number(line)
      if (line.startsWith('{')) url = (JSON.parse(line) as { url: string }).url
      if (url !== '') break
    }
    return { parent, url, id }
  }
  const answers = (url: string) =>
    fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    )
  const shell = (more: string) => [
    '-c',
    `"${process.execPath}" "${merlonScript}" start --dev --port 0 --json ${more} & echo $!; wait`,
  ]

  test('ends with its parent where that was said, and only there', async () => {
    const [bound, free] = await Promise.all([startedBy('sh', shell('--exit-with-parent')), startedBy('sh', shell(''))])
    expect([await answers(bound.url), await answers(free.url)]).toEqual([true, true])

    for (const { parent } of [bound, free]) parent.kill('SIGKILL')

    await expect.poll(() => alive(bound.id)).toBe(false)
    expect(await answers(free.url)).toBe(true)
    process.kill(free.id, 'SIGTERM')
    await expect.poll(() => alive(free.id)).toBe(false)
  })

  test.each(['SIGTERM', 'SIGHUP'] as const)('is stopped in order by %s', async (signal) => {
    const server = await start(['--data', join(temporaryFolder(), 'data')])

    expect(await server.stop(signal)).toBe(0)
    expect(server.log()).toContain('"message":"stopped"')
  })

  test.each([
    ['npm start', 'SIGTERM'],
    ['npm start', 'SIGHUP'],
    ['npx merlon', 'SIGTERM'],
    ['npx merlon', 'SIGHUP'],
  ] as const)('of %s is not left behind by %s', async (how, signal) => {
    const folder = temporaryFolder()
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
    symlinkSync(merlonScript, join(folder, 'node_modules', '.bin', 'merlon'))
    symlinkSync(dirname(merlonScript), join(folder, 'dist'))
    // The script of this package, less the build.
    const scripts = { start: manifest.scripts.start.replace('npm run --silent build && ', ''), build: 'true' }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', scripts }))
    const words = ['--dev', '--port', '0', '--json']
    const command =
      how === 'npm start' ? ['npm', 'start', '--silent', '--', ...words] : ['npx', '--no', 'merlon', 'start', ...words]
    const { parent, url } = await startedBy(command[0]!, command.slice(1), folder)
    expect(await answers(url)).toBe(true)

    parent.kill(signal)

    await expect.poll(() => answers(url)).toBe(false)
  })
})

describe('merlon start', () => {
  test('makes the installation on the first start and finds everything on the second, killed in between', async () => {
    const data = join(temporaryFolder(), 'data')
    const first = await start(['--data', data])
    const [root] = first.accounts
    await clientOf(first, root!).query('iam', 'CreateUser', { UserName: 'ann' })
    await first.stop('SIGKILL')

    const second = await start(['--data', data])

    expect(second.accounts).toEqual([])
    expect(element(await clientOf(second, root!).query('iam', 'GetUser', { UserName: 'ann' }), 'UserName')).toBe('ann')
  })

  test('answers the requests in progress before it ends', async () => {
    const server = await start(['--data', join(temporaryFolder(), 'data')])
    const root = clientOf(server, server.accounts[0]!)
    const asked = Array.from({ length: 50 }, (_, i) => root.query('iam', 'CreateUser', { UserName: `user-${i}` }))
    await Promise.race(asked)

    const status = await server.stop('SIGTERM')
    const answers = await Promise.allSettled(asked)

    expect(status).toBe(0)
    const refused = answers.filter(({ status: how }) => how === 'rejected')
    // What had not reached the server is a refused connection, never half an answer.
    for (const each of refused) expect(String((each as PromiseRejectedResult).reason)).toContain('cannot be reached')
  })

  test('a lame duck sends its load balancer elsewhere, and answers until it has', async () => {
    const server = await start(['--data', join(temporaryFolder(), 'data'), '--lame-duck', '4'])
    const root = clientOf(server, server.accounts[0]!)
    const health = () => fetch(`${server.url}/health`)
    expect((await health()).status).toBe(200)

    const ended = server.stop('SIGTERM')

    await expect.poll(async () => (await health()).status).toBe(503)
    const told = await health()
    expect(await told.json()).toMatchObject({ status: 'leaving' })
    expect(told.headers.get('connection')).toBe('close')
    await root.query('iam', 'CreateUser', { UserName: 'last' })
    expect(await ended).toBe(0)
    await expect(health()).rejects.toThrow('fetch failed')
  })

  test('refuses a lame duck of no number of seconds', async () => {
    const ended = await merlon(['start', '--data', join(temporaryFolder(), 'data'), '--lame-duck', 'soon'])

    expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining("a number of seconds, not 'soon'") })
  })

  test.each(['0.0.0.0', '::', '192.0.2.1'])(
    'refuses to listen on %s with its root key beside the data',
    async (host) => {
      const ended = await merlon(['start', '--data', join(temporaryFolder(), 'data'), '--host', host, '--port', '0'])

      expect(ended.status).toBe(1)
      expect(ended.stderr).toContain(`will not listen on ${host}`)
    },
  )

  test('refuses a root key that others can read', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])
    chmodSync(join(data, 'root.key'), 0o644)

    const ended = await merlon(['start', '--data', data, '--port', '0'])

    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain('chmod 600')
  })

  test('says that the root key is missing rather than making another', async () => {
    const data = join(temporaryFolder(), 'data')
    await merlon(['init', '--data', data])
    unlinkSync(join(data, 'root.key'))

    const ended = await merlon(['start', '--data', data, '--port', '0'])

    expect(ended.status).toBe(1)
    expect(ended.stderr).toContain('root.key is missing')
  })

  test('refuses a second server on the same data', async () => {
    const data = join(temporaryFolder(), 'data')
    await start(['--data', data])

    const second = await merlon(['start', '--data', data, '--port', '0'])

    expect(second.status).toBe(1)
    expect(second.stderr).toMatch(/^merlon: MERLON_DATA_IN_USE: Another Merlon is using this data .* Stop it first/)
  })

  test('says which port is taken', async () => {
    const server = await start(['--dev'])

    const second = await merlon(['start', '--dev', '--port', new URL(server.url).port])

    expect(second.status).toBe(1)
    expect(second.stderr).toContain('choose another --port')
  })

  test.each([
    [['start', '--port', 'x'], '--port is a number'],
    [['start', '--nonsense'], '--nonsense'],
    [['start', '--seed', 'x.yaml'], '--seed belongs to --dev'],
    [['start', '--dev', '--data', 'x'], 'takes no --data'],
    [['start', '--log', 'loud'], '--log is'],
    [['start', '--limits', 'acount=5'], "--limits: there is no limit 'acount'"],
    [['start', '--limits', 'account=fast'], "'account=fast' says no number"],
    [['init'], 'merlon init --data DIR'],
    [['dance'], "Unknown command: 'dance'"],
    [['help', 'dance'], "Unknown command: 'dance'"],
    [['completion', 'fish'], 'merlon completion bash'],
  ])('answers %j with what is wrong, and exit status 2', async (words, complaint) => {
    const ended = await merlon(words)

    expect(ended.status).toBe(2)
    expect(ended.stderr).toContain(complaint)
  })
})

describe('what watches a server', () => {
  test.each(['GET', 'HEAD'])('health by %s is three answers, without a signature', async (method) => {
    const server = await start(['--dev'])
    const ask = async (path: string) => {
      const answer = await fetch(server.url + path, { method })
      return [answer.status, await answer.text()] as const
    }

    const told = await Promise.all(['/health', '/health/ready', '/health/live'].map(ask))

    expect(told.map(([status]) => status)).toEqual([200, 200, 200])
    for (const [, text] of told)
      if (method === 'HEAD') expect(text).toBe('')
      else expect(JSON.parse(text)).toMatchObject({ status: 'ok', version: expect.any(String) })
  })

  test('merlon status reports whether one answers', async () => {
    const server = await start(['--dev'])
    const port = new URL(server.url).port

    const up = await merlon(['status', '--port', port])
    await server.stop()
    const down = await merlon(['status', '--port', port, '--json'])

    expect([up.status, up.stdout]).toEqual([0, expect.stringContaining('answers on')])
    expect([down.status, JSON.parse(down.stdout).status]).toEqual([1, 'down'])
  })

  test('metrics count responses by service, operation and status, and invent no label for names that clients choose', async () => {
    const server = await start(['--dev'])
    const root = clientOf(server, server.accounts[0]!)
    await root.query('iam', 'ListUsers')
    await root.query('iam', 'GetUser', { UserName: 'nobody' }).catch(() => undefined)
    await root.query('iam', 'StealEverything').catch(() => undefined)

    const text = await (await fetch(`${server.url}/metrics`)).text()

    expect(text).toContain('merlon_requests_total{service="iam",operation="ListUsers",status="200"} 1')
    expect(text).toContain('merlon_requests_total{service="iam",operation="GetUser",status="404"} 1')
    expect(text).not.toContain('StealEverything')
  })

  test('a body beyond the cap is refused before it is read', async () => {
    const server = await start(['--dev'])

    const answer = await fetch(server.url, { method: 'POST', body: Buffer.alloc(7 * 1024 * 1024) }).catch(
      () => undefined,
    )

    // Refused, or cut off while still sending: both are refusals.
    expect(answer?.status ?? 413).toBe(413)
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })

  test('logs are JSON lines, with every response on request', async () => {
    const server = await start(['--dev', '--access-log'])
    await clientOf(server, server.accounts[0]!).query('sts', 'GetCallerIdentity')
    await server.stop()

    const lines = server
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'answered', operation: 'GetCallerIdentity', status: 200 }),
    )
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'stopped' })
  })
})
