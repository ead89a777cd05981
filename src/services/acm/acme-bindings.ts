/** External account bindings: a key ID and a MAC key for a client, and the role whose permissions its orders have. */
import { randomBytes } from 'node:crypto'
import type { AcmeExternalAccountBinding } from '@aws-sdk/client-acm'
import { pageOf } from '../../kernel/service/page.ts'
import { type BindingRow, binding, bindingsOf, endpoint, macKeyPlace } from './acme-resources.ts'
import { taggingOf } from './acme-tagging.ts'
import { acm, badToken } from './resources.ts'

const UNIT_MS = { DAYS: 24 * 60 * 60 * 1000, HOURS: 60 * 60 * 1000, MINUTES: 60 * 1000 } as const
const MAC_KEY_BYTES = 32
const PAGE_DEFAULT = 50
const ROLE = /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/

const created = taggingOf(endpoint, binding)

export const createAcmeExternalAccountBinding = acm
  .operation('CreateAcmeExternalAccountBinding')
  .on(created('AcmeEndpointArn'))
  .run(async (call, { RoleArn, Expiration }, { row: owner, tags }) => {
    if (!ROLE.test(RoleArn)) throw acm.fail('ValidationException', `${RoleArn} is not the ARN of a role.`)
    // The creator of a binding delegates the permissions of the role.
    await call.authorize('iam:PassRole', RoleArn, { 'iam:PassedToService': 'acm.amazonaws.com' })
    const id = call.newId()
    const row: BindingRow = {
      id,
      endpointId: owner.id,
      account: owner.account,
      region: owner.region,
      partition: owner.partition,
      roleArn: RoleArn,
      macKey: call.vault.seal(macKeyPlace({ id, account: owner.account }), randomBytes(MAC_KEY_BYTES)),
      ...(Expiration && { expiresAt: call.now + Expiration.Value * UNIT_MS[Expiration.Type] }),
      createdAt: call.now,
      updatedAt: call.now,
      tags,
    }
    binding.put(call.unit, owner, row)
    return { ExternalAccountBinding: described(row) }
  })

export const describeAcmeExternalAccountBinding = acm
  .operation('DescribeAcmeExternalAccountBinding')
  .on(binding.named('AcmeExternalAccountBindingArn'))
  .run((_call, _input, { row }) => ({ ExternalAccountBinding: described(row) }))

/** The MAC key is not in answers that the audit log shows: its member is sensitive. */
export const getAcmeExternalAccountBindingCredentials = acm
  .operation('GetAcmeExternalAccountBindingCredentials')
  .on(binding.named('AcmeExternalAccountBindingArn'))
  .run((call, _input, { row, arn }) => {
    if (row.revokedAt !== undefined) throw acm.fail('ConflictException', `${arn} is revoked.`)
    return { KeyId: row.id, MacKey: call.vault.open(macKeyPlace(row), row.macKey).toString('base64url') }
  })

export const listAcmeExternalAccountBindings = acm
  .operation('ListAcmeExternalAccountBindings')
  .on(endpoint.named('AcmeEndpointArn'))
  .run(async (call, input, { row }) => {
    const rows = (await call.unit.range<BindingRow>(bindingsOf(row, row.id))).map(({ document }) => document)
    const { items, next } = await pageOf(call, rows, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? PAGE_DEFAULT,
      query: row.id,
      bad: badToken,
    })
    return { ExternalAccountBindings: items.map(described), ...(next !== undefined && { NextToken: next }) }
  })

export const revokeAcmeExternalAccountBinding = acm
  .operation('RevokeAcmeExternalAccountBinding')
  .on(binding.named('AcmeExternalAccountBindingArn'))
  .run((call, _input, { row, save }) => {
    save({ ...row, revokedAt: row.revokedAt ?? call.now, updatedAt: call.now })
    return {}
  })

export const deleteAcmeExternalAccountBinding = acm
  .operation('DeleteAcmeExternalAccountBinding')
  .on(binding.named('AcmeExternalAccountBindingArn'))
  .run((_call, _input, { remove }) => {
    remove()
    return {}
  })

function described(row: BindingRow): AcmeExternalAccountBinding {
  const { expiresAt, revokedAt, lastUsedAt } = row
  return {
    AcmeExternalAccountBindingArn: binding.arnOf(row, row),
    AcmeEndpointArn: endpoint.arn(row, { AcmeEndpointId: row.endpointId }),
    RoleArn: row.roleArn,
    ...(expiresAt !== undefined && { ExpiresAt: new Date(expiresAt) }),
    ...(revokedAt !== undefined && { RevokedAt: new Date(revokedAt) }),
    ...(lastUsedAt !== undefined && { LastUsedAt: new Date(lastUsedAt) }),
    CreatedAt: new Date(row.createdAt),
    UpdatedAt: new Date(row.updatedAt),
  }
}
