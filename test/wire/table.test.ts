/** The table of services against what the official clients and botocore say of themselves. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ServiceRow, services } from '../../src/wire/services.ts'
import type { Shape } from '../../src/wire/shape.ts'
import { loadService } from '../../src/wire/wire.ts'
import { botocorePython } from './botocore.ts'
import { sdkCodecs } from './sdk.ts'

const models = (path: string) => new URL(`../../models/${path}`, import.meta.url)

describe('the official client agrees', () => {
  for (const service of services) {
    const local = existsSync(models(`schemas/${service.id}.json`))
    it.skipIf(local)(service.id, async () => {
      const [own] = await sdkCodecs(service)

      expect(own!.protocol).toBe(service.protocol)
      expect(service.signingNames).toContain(own!.config.defaultSigningName)
      if (service.apiVersion) expect(own!.config.apiVersion).toBe(service.apiVersion)
      if (service.xmlns)
        expect(withoutSlash(service.xmlns)).toBe(withoutSlash(own!.config.protocolSettings.xmlNamespace))
      if (service.targets.length > 0) expect(service.targets).toContain(own!.config.protocolSettings.serviceTarget)
    })
  }
})

/** What botocore's models say; `signing` falls back to the endpoint's prefix. */
interface BotocoreFacts {
  readonly protocols: readonly string[]
  readonly signing: string
  readonly host: string
  readonly target: string | null
  readonly version: string
}

const FACTS = `
import json, sys, botocore.session
session = botocore.session.get_session()
facts = {}
for service in sys.argv[1:]:
    meta = session.get_service_model({'monitoring': 'cloudwatch'}.get(service, service)).metadata
    facts[service] = dict(protocols=meta.get('protocols', [meta['protocol']]), signing=meta.get('signingName', meta['endpointPrefix']),
                          host=meta['endpointPrefix'].split('.')[0], target=meta.get('targetPrefix'), version=meta['apiVersion'])
print(json.dumps(facts))
`

const spoken: Readonly<Record<string, (row: ServiceRow) => boolean>> = {
  query: (row) => row.protocol === 'query' || row.also.includes('query'),
  ec2: (row) => row.protocol === 'ec2',
  json: (row) => row.protocol === 'json10' || row.protocol === 'json11',
  'rest-json': (row) => row.protocol === 'restjson',
  'rest-xml': (row) => row.protocol === 'restxml',
  'smithy-rpc-v2-cbor': (row) => row.protocol === 'cbor' || row.also.includes('cbor'),
}

describe.skipIf(!botocorePython)('botocore agrees', () => {
  const { stdout } = spawnSync(botocorePython ?? '', ['-c', FACTS, ...services.map(({ id }) => id)], {
    encoding: 'utf8',
  })
  const facts = JSON.parse(stdout || '{}') as Readonly<Record<string, BotocoreFacts>>
  for (const service of services) {
    it(service.id, () => {
      const { protocols, signing, host, target, version } = facts[service.id]!

      for (const protocol of protocols) expect(spoken[protocol]!(service), protocol).toBe(true)
      expect(service.signingNames).toContain(signing)
      expect(service.hosts).toContain(host)
      if (target !== null && service.protocol.startsWith('json')) expect(service.targets).toContain(target)
      if (service.apiVersion) expect(service.apiVersion).toBe(version)
    })
  }
})

describe('the generated tables fit', () => {
  const actions = JSON.parse(readFileSync(models('iam-actions.json'), 'utf8')).services as Record<string, object>

  for (const service of services) {
    it(`${service.id} has constraints of shapes that exist, and an IAM prefix with actions`, async () => {
      const { constraints, operations, errors } = await loadService(service)
      const known = new Set<string>()
      const visit = (shape: Shape) => {
        if (known.has(shape.name) && shape.members.length > 0) return
        known.add(shape.name)
        if (shape.kind === 'list' || shape.kind === 'map') visit(shape.value.shape)
        for (const member of shape.members) visit(member.shape)
      }
      for (const { input } of operations.values()) visit(input)
      const constrained = [...operations.values()].filter(
        ({ input }) => constraints[input.name] && known.has(input.name),
      )

      expect(operations.size).toBeGreaterThan(0)
      expect(errors.size + (service.protocol === 'ec2' ? 1 : 0)).toBeGreaterThan(0)
      if (operations.size > 4) expect(constrained.length / operations.size).toBeGreaterThan(0.25)
      expect(actions).toHaveProperty([service.iamPrefix])
    })
  }

  it('no two services answer to one name', () => {
    for (const names of ['signingNames', 'hosts', 'targets'] as const) {
      const all = services.flatMap((service) => service[names])
      expect(
        all.filter((name, i) => all.indexOf(name) !== i),
        names,
      ).toEqual([])
    }
  })
})

function withoutSlash(uri: string): string {
  return uri.replace(/\/$/, '')
}
