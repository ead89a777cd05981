/** Grants: authority over a key, delegated to one principal for named operations. */
import { randomBytes } from 'node:crypto'
import type * as KMS from '@aws-sdk/client-kms'
import type { Call } from '../../kernel/gate/call.ts'
import { parseArn } from '../../kernel/resource/arn.ts'
import { anything, type ResolvedTarget, type Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { Fault } from '../../wire/fault.ts'
import type { Input } from '../../wire/typed.ts'
import { callerConditions, grantConditions } from './conditions.ts'
import { GrantUse, rootOf } from './grant-authority.ts'
import { checkedConstraints, meantBy } from './grant-constraints.ts'
import { countGrant, countGrants, removeGrant, sameness, saveGrant } from './grant-rows.ts'
import { makeGrantToken, openGrantToken } from './grant-tokens.ts'
import { saveKey } from './key-materials.ts'
import { isAsymmetric, isSymmetric } from './key-specs.ts'
import { listBelow, SMALL } from './lists.ts'
import { readReference } from './references.ts'
import { type KeyId, key, keyArn } from './resources.ts'
import { at, type GrantConstraints, type GrantRow, type KeyRow } from './rows.ts'
import { requireState } from './states.ts'
import { byIdOrArn, factsOf, managedKey } from './targets.ts'
import { endDryRun, requireTokens } from './uses.ts'
import { date, invalid, kms } from './words.ts'

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const PER_KEY_MAX = 50_000

type GrantInput = Input<typeof KMS, 'CreateGrant'>
type RetireInput = Input<typeof KMS, 'RetireGrant'>
type GrantOperation = KMS.GrantOperation

const ALWAYS: readonly GrantOperation[] = ['CreateGrant', 'DescribeKey', 'RetireGrant']
const WITH_SYMMETRIC: readonly GrantOperation[] = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
]
/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations */
const BY_USAGE: Readonly<Record<KMS.KeyUsageType, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Decapsulate', 'Encapsulate'],
}

function grantable(row: Pick<KeyRow, 'spec' | 'usage'>): readonly GrantOperation[] {
  if (isSymmetric(row)) return [...ALWAYS, ...WITH_SYMMETRIC]
  return [...ALWAYS, ...BY_USAGE[row.usage], ...(isAsymmetric(row) ? (['GetPublicKey'] as const) : [])]
}

const granted: Target<GrantInput, ExistingResource<KeyId, KeyRow>> = {
  about: { type: key, how: 'named', member: 'KeyId' },
  find: (call, { KeyId, Operations: operations, Constraints: constraints }) => {
    const created = { operations, constraints: meantBy(constraints as GrantConstraints | undefined) }
    return key.find(call, KeyId, new GrantUse({ created }), byIdOrArn)
  },
}

export const createGrant = kms
  .operation('CreateGrant')
  .on(granted)
  .conditions(grantConditions)
  .run(async (call, input, { row }) => {
    requireState(row, 'CreateGrant')
    requireTokens(call, input.GrantTokens)
    requireOperations(row, input.Operations)
    const constraints = checkedConstraints(row, input.Constraints as GrantConstraints | undefined)
    const grantee = await principalOf(call, 'Grantee', input.GranteePrincipal, input.GranteeServicePrincipal)
    if (!grantee) throw invalid('Either GranteePrincipal or GranteeServicePrincipal must be given.')
    const retirer = await principalOf(call, 'Retiring', input.RetiringPrincipal, input.RetiringServicePrincipal)
    const wanted = {
      grantee,
      ...(retirer && { retirer }),
      operations: [...new Set(input.Operations)],
      ...(constraints && { constraints }),
      issuer: rootOf(call.account),
    }

    const repeated = input.Name === undefined ? undefined : at.namedGrant(row, input.Name, sameness(wanted))
    const earlier = repeated && (await call.unit.get<{ grantId: string }>(repeated))
    const standing = earlier && (await call.unit.get<GrantRow>(at.grant(row, earlier.grantId)))
    endDryRun(input.DryRun)
    if (standing) return { GrantId: standing.id, GrantToken: makeGrantToken(call, standing) }

    if ((await countGrants(call.unit, row)) >= PER_KEY_MAX) {
      throw kms.fail('LimitExceededException', `Key ${row.id} has the maximum of ${PER_KEY_MAX} grants.`)
    }
    const grant: GrantRow = {
      id: randomBytes(32).toString('hex'),
      account: row.account,
      region: row.region,
      keyId: row.id,
      createdAt: call.now,
      ...(input.Name !== undefined && { name: input.Name }),
      ...wanted,
    }
    saveGrant(call.unit, row, grant)
    await countGrant(call.unit, row, 1)
    if (!row.granted) saveKey(call.unit, { ...row, granted: true })
    if (repeated) call.unit.put(repeated, { grantId: grant.id })
    return { GrantId: grant.id, GrantToken: makeGrantToken(call, grant) }
  })

function requireOperations(row: KeyRow, operations: readonly GrantOperation[]): void {
  const possible = grantable(row)
  const impossible = operations.find((operation) => !possible.includes(operation))
  if (impossible)
    throw invalid(`Grant operation ${impossible} is not supported for key spec ${row.spec} and usage ${row.usage}.`)
  if (operations.length === 0) throw invalid('Operations must name at least one operation.')
}

const PRINCIPAL =
  /^arn:aws:(iam::\d{12}:(root|user\/.+|role\/.+)|sts::\d{12}:(assumed-role\/[^/]+\/[^/]+|federated-user\/.+))$/

/** An account may be named by its number alone. */
const wholeArn = (principal: string): string => (/^\d{12}$/.test(principal) ? rootOf(principal) : principal)

async function principalOf(
  call: Call,
  kind: 'Grantee' | 'Retiring',
  arn: string | undefined,
  servicePrincipal: string | undefined,
): Promise<GrantRow['grantee'] | undefined> {
  if (arn !== undefined && servicePrincipal !== undefined) {
    throw invalid(`Only one of ${kind}Principal and ${kind}ServicePrincipal can be given.`)
  }
  if (servicePrincipal !== undefined) return { as: servicePrincipal, by: servicePrincipal, service: true }
  if (arn === undefined) return undefined
  const whole = wholeArn(arn)
  const id = PRINCIPAL.test(whole) ? await call.ports.identity.pin(call.unit, whole) : 'missing'
  if (id === 'missing') throw kms.fail('InvalidArnException', `The provided principal is not valid: ${arn}`)
  return { as: whole, by: id ?? whole }
}

/** As AWS shows it: by its ARN today, and by its unique ID once it is deleted. */
async function shownPrincipal(call: Call, { as, by }: GrantRow['grantee']): Promise<string> {
  return by === as ? as : call.ports.identity.unpin(call.unit, as, by)
}

/** What grants to this principal are kept by: its unique ID, so that a later role of the same name has none of them. */
async function decidedBy(call: Call, arn: string): Promise<string> {
  const id = await call.ports.identity.pin(call.unit, arn)
  return id === undefined || id === 'missing' ? arn : id
}

async function shown(call: Call, row: GrantRow) {
  const { constraints } = row
  const { service: granteeIsService } = row.grantee
  const grantee = await shownPrincipal(call, row.grantee)
  const retirer = row.retirer && (await shownPrincipal(call, row.retirer))
  return {
    KeyId: keyArn(row, row.keyId),
    GrantId: row.id,
    Name: row.name ?? '',
    CreationDate: date(row.createdAt),
    ...(granteeIsService ? { GranteeServicePrincipal: grantee } : { GranteePrincipal: grantee }),
    ...(retirer && (row.retirer?.service ? { RetiringServicePrincipal: retirer } : { RetiringPrincipal: retirer })),
    IssuingAccount: row.issuer,
    Operations: [...row.operations],
    ...(constraints && { Constraints: constraints as KMS.GrantConstraints }),
  } satisfies KMS.GrantListEntry
}

export const listGrants = kms
  .operation('ListGrants')
  .on(managedKey)
  .run(async (call, input, { row }) => {
    requireState(row, 'ListGrants')
    const { GrantId: id, GranteePrincipal: grantee, GranteeServicePrincipal: granteeService } = input
    if (id !== undefined) requireGrantId(id)
    const named = grantee === undefined ? granteeService : await decidedBy(call, wholeArn(grantee))
    const keep = (grant: GrantRow) =>
      (id === undefined || grant.id === id) && (named === undefined || grant.grantee.by === named)
    const query = [row.id, id ?? null, named ?? null]
    const { items, rest } = await listBelow<GrantRow>(call, at.grants(row), input, SMALL, query, keep)
    return { Grants: await Promise.all(items.map((grant) => shown(call, grant))), ...rest }
  })

/** Of the caller's account alone: other accounts' retiring principals are not public. */
export const listRetirableGrants = kms
  .operation('ListRetirableGrants')
  .on(anything)
  .conditions(callerConditions)
  .run(async (call, input) => {
    const retirer = input.RetiringPrincipal ?? input.RetiringServicePrincipal ?? ''
    const arn = wholeArn(retirer)
    if (input.RetiringPrincipal !== undefined && !PRINCIPAL.test(arn)) {
      throw kms.fail('InvalidArnException', `The provided principal is not valid: ${retirer}`)
    }
    if (input.RetiringPrincipal !== undefined && parseArn(arn)?.account !== call.account) {
      throw new Fault('AccessDenied', 'The retiring principal must be in your account.')
    }
    const id = await decidedBy(call, arn)
    const keep = (grant: GrantRow) => grant.retirer?.by === id
    const { items, rest } = await listBelow<GrantRow>(call, at.retirables(call.region, arn), input, SMALL, arn, keep)
    return { Grants: await Promise.all(items.map((grant) => shown(call, grant))), ...rest }
  })

const GRANT_ID = /^[0-9a-f]{64}$/

function requireGrantId(id: string): void {
  if (!GRANT_ID.test(id)) throw kms.fail('InvalidGrantIdException', `Invalid grant id: ${id}`)
}

const grantNotFound = (id: string) => kms.fail('NotFoundException', `Grant ID ${id} not found`)

async function endGrant(call: Call, row: KeyRow, grant: GrantRow): Promise<void> {
  removeGrant(call.unit, row, grant)
  await countGrant(call.unit, row, -1)
}

export const revokeGrant = kms
  .operation('RevokeGrant')
  .on(managedKey)
  .run(async (call, { GrantId: id, DryRun }, { row }) => {
    requireState(row, 'RevokeGrant')
    requireGrantId(id)
    const grant = await call.unit.get<GrantRow>(at.grant(row, id))
    if (!grant) throw grantNotFound(id)
    endDryRun(DryRun)
    await endGrant(call, row, grant)
    return {}
  })

interface Retired {
  readonly row: KeyRow
  readonly grant: GrantRow
}

/** By its token, or by its key and id. The retiring principal's right comes from the grant itself. */
const retired: Target<RetireInput, Retired> = {
  about: { type: key, how: 'named', member: 'KeyId' },
  find: async (call, input): Promise<ResolvedTarget<Retired>> => {
    const named = await grantNamed(call, input)
    const { acted, row: found, missing } = await key.find(call, named.key, {}, byIdOrArn)
    if (!found) return { acted, row: undefined, ...(missing && { missing }) }
    const { row } = found
    const grant = await call.unit.get<GrantRow>(at.grant(row, named.id))
    return {
      acted: grant ? await factsOf(call, row, new GrantUse({ retired: grant })) : acted,
      row: grant && { row, grant },
      missing: () => grantNotFound(named.id),
    }
  },
}

/** Texts: which key, and which grant of it. */
interface GrantReference {
  readonly key: string
  readonly id: string
}

async function grantNamed(call: Call, { GrantToken, KeyId, GrantId }: RetireInput): Promise<GrantReference> {
  if (GrantToken !== undefined) {
    const name = openGrantToken(call, GrantToken)
    if (!name || name.region !== call.region) throw kms.fail('InvalidGrantTokenException', 'Invalid grant token.')
    return { key: keyArn(name, name.keyId), id: name.id }
  }
  if (KeyId === undefined || GrantId === undefined) {
    throw invalid('Either GrantToken, or both KeyId and GrantId must be given.')
  }
  requireGrantId(GrantId)
  // Such a text names no key, whatever exists: the answer is the same for every caller.
  const at = await readReference(call, KeyId, { aliases: false })
  if ('arn' in at) throw at.absent()
  return { key: KeyId, id: GrantId }
}

export const retireGrant = kms
  .operation('RetireGrant')
  .on(retired)
  .run(async (call, { DryRun }, { row, grant }) => {
    requireState(row, 'RetireGrant')
    // A token in the request does not show which grant it names.
    call.event.additionalEventData = { grantId: grant.id }
    endDryRun(DryRun)
    await endGrant(call, row, grant)
    return {}
  })
