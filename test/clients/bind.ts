/** BIND 9 as a domain's real DNS server: one zone on a free port, changed by `nsupdate` as administrators do. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../process.ts'
import { freePort } from '../rotation/databases.ts'

export const hasBind = existsSync('/usr/sbin/named') && existsSync('/usr/bin/nsupdate')

export interface Bind {
  /** `127.0.0.1:5353` */
  readonly address: string
  /** Lines of nsupdate: `update add NAME TTL TYPE VALUE`. */
  update(...lines: readonly string[]): void
  stop(): Promise<void>
}

export async function bind(zone: string): Promise<Bind> {
  const folder = temporaryFolder()
  chmodSync(folder, 0o777)
  const port = await freePort()
  writeFileSync(
    join(folder, 'zone.db'),
    `$TTL 5\n@ IN SOA ns.${zone}. admin.${zone}. 1 60 60 60 5\n@ IN NS ns.${zone}.\nns IN A 127.0.0.1\n`,
  )
  writeFileSync(
    join(folder, 'named.conf'),
    `options {
  directory "${folder}"; pid-file none; session-keyfile "${folder}/session.key"; managed-keys-directory "${folder}";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no;
};
controls { };
zone "${zone}" { type master; file "${folder}/zone.db"; allow-update { 127.0.0.1; }; };
zone "test" { type master; file "${folder}/top.db"; };
`,
  )
  // The domain above, so that the climb for CAA records is answered here, too.
  writeFileSync(
    join(folder, 'top.db'),
    `$TTL 5\n@ IN SOA ns.test. admin.test. 1 60 60 60 5\n@ IN NS ns.test.\nns.test. IN A 127.0.0.1\n${zone}. IN NS ns.${zone}.\nns.${zone}. IN A 127.0.0.1\n`,
  )
  const child = spawn('/usr/sbin/named', ['-f', '-c', join(folder, 'named.conf')], { stdio: 'ignore' })
  const update = (...lines: readonly string[]) =>
    void execFileSync('nsupdate', {
      input: `server 127.0.0.1 ${port}\nzone ${zone}\n${lines.join('\n')}\nsend\n`,
      stdio: 'pipe',
    })
  for (let tries = 0; ; tries++) {
    try {
      update(`update add ready.${zone} 5 TXT "ready"`)
      break
    } catch (error) {
      if (tries > 150) throw error
      await new Promise((done) => setTimeout(done, 200))
    }
  }
  return {
    address: `127.0.0.1:${port}`,
    update,
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
