/** IP sets: addresses and ranges that rules refer to. */
import { isIP } from 'node:net'
import { addressBytes, addressRange } from '../../engines/waf/ip-set.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { associated, invalidParameter, limitExceeded, wafv2 } from './faults.ts'
import { listed } from './lists.ts'
import {
  assertRoom,
  assertUnchanged,
  entity,
  type IpSetRow,
  ipSet,
  isReferenced,
  newEntity,
  newRow,
  summaryOf,
} from './resources.ts'

/** Throws for a text that is no address or range of this version; returns each as AWS WAF shows it, with its prefix. */
function ranges(call: Call, version: IpSetRow['version'], addresses: readonly string[]): readonly string[] {
  const quota = 'AddressesPerIPSet'
  if (addresses.length > call.quotas[`wafv2/${quota}`]!) throw limitExceeded(quota)
  return [...new Set(addresses.map((address) => rangeOf(version, address)))]
}

function rangeOf(version: IpSetRow['version'], address: string): string {
  const [base = '', length] = address.split('/')
  const family = isIP(base) === 4 ? 'IPV4' : 'IPV6'
  const bits = family === 'IPV4' ? 32 : 128
  const range = addressRange(length === undefined ? `${base}/${bits}` : address)
  if (!range || !addressBytes(base) || family !== version || Number(length ?? bits) === 0)
    throw invalidParameter(
      'IP_ADDRESS',
      address,
      'The parameter contains formatting that is not valid. Use CIDR notation, with a prefix of at least 1.',
    )
  return length === undefined ? `${base}/${bits}` : address
}

export const createIpSet = wafv2
  .operation('CreateIPSet')
  .on(newEntity(ipSet))
  .run(async (call, input, target) => {
    const addresses = ranges(call, input.IPAddressVersion, input.Addresses)
    await assertRoom(call, ipSet, target, 'IPSetsPerAccount')
    const row: IpSetRow = {
      ...newRow(call, target, input.Description),
      version: input.IPAddressVersion,
      addresses,
      tags: target.tags,
    }
    target.create(row)
    return { Summary: summaryOf(row, target.arn) }
  })

export const getIpSet = wafv2
  .operation('GetIPSet')
  .on(entity(ipSet))
  .run((_call, _input, { row, arn }) => ({
    IPSet: {
      Name: row.name,
      Id: row.id,
      ARN: arn,
      ...(row.description !== undefined && { Description: row.description }),
      IPAddressVersion: row.version,
      Addresses: [...row.addresses],
    },
    LockToken: row.lockToken,
  }))

export const listIpSets = wafv2
  .operation('ListIPSets')
  .on(ipSet.collection())
  .run(async (call, input, sets) => {
    const { items, next } = await listed(call, input, sets)
    return { IPSets: items.map((row) => summaryOf(row, ipSet.arnOf(row, row))), ...next }
  })

export const updateIpSet = wafv2
  .operation('UpdateIPSet')
  .on(entity(ipSet))
  .run((call, input, { row, save }) => {
    assertUnchanged(row, input.LockToken)
    const addresses = ranges(call, row.version, input.Addresses)
    const lockToken = call.newId()
    save({ ...row, addresses, description: input.Description, lockToken })
    return { NextLockToken: lockToken }
  })

export const deleteIpSet = wafv2
  .operation('DeleteIPSet')
  .on(entity(ipSet))
  .run(async (call, input, { row, arn, remove }) => {
    assertUnchanged(row, input.LockToken)
    if (await isReferenced(call.unit, arn)) throw associated()
    remove()
    return {}
  })
