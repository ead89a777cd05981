/** Trusts of Microsoft AD directories: recorded, and shown as failed, because the domain's own servers make trusts. */
import { randomBytes } from 'node:crypto'
import { type DirectoryRow, directory, ds, type TrustRow } from './resources.ts'

const REASON =
  'Merlon does not change directories. Create the trust with the tools of Active Directory: people of trusted domains can then sign in.'

export const createTrust = ds
  .operation('CreateTrust')
  .on(directory.named('DirectoryId'))
  .run((call, input, { row, save }) => {
    if (row.type !== 'MicrosoftAD')
      throw ds.fail('UnsupportedOperationException', `Directories of type ${row.type} have no trusts.`)
    const remoteDomain = input.RemoteDomainName.toLowerCase()
    if (row.trusts.some((trust) => trust.remoteDomain === remoteDomain))
      throw ds.fail('EntityAlreadyExistsException', `Directory ${row.id} has a trust with ${remoteDomain} already.`)
    const trust: TrustRow = {
      id: `t-${randomBytes(5).toString('hex')}`,
      remoteDomain,
      direction: input.TrustDirection,
      type: input.TrustType ?? 'Forest',
      createdAt: call.now,
    }
    save({ ...row, trusts: [...row.trusts, trust] })
    return { TrustId: trust.id }
  })

export const describeTrusts = ds
  .operation('DescribeTrusts')
  .on(directory.collection())
  .run(async (_call, input, directories) => {
    const rows = (await directories.all()).filter(
      ({ id }) => input.DirectoryId === undefined || id === input.DirectoryId,
    )
    if (input.DirectoryId !== undefined && rows.length === 0)
      throw ds.fail('EntityDoesNotExistException', `Directory ${input.DirectoryId} does not exist.`)
    const all = rows.flatMap((row) => row.trusts.map((trust) => described(row, trust)))
    const wanted = input.TrustIds ?? []
    const missing = wanted.find((id) => !all.some(({ TrustId }) => TrustId === id))
    if (missing !== undefined) throw ds.fail('EntityDoesNotExistException', `Trust ${missing} does not exist.`)
    return { Trusts: all.filter(({ TrustId }) => wanted.length === 0 || wanted.includes(TrustId)) }
  })

export const deleteTrust = ds
  .operation('DeleteTrust')
  .on(directory.collection())
  .run(async (call, input, directories) => {
    const row = (await directories.all()).find(({ trusts }) => trusts.some(({ id }) => id === input.TrustId))
    if (!row) throw ds.fail('EntityDoesNotExistException', `Trust ${input.TrustId} does not exist.`)
    const trusts = row.trusts.filter(({ id }) => id !== input.TrustId)
    call.unit.put(directory.key(call, { DirectoryId: row.id }), { ...row, trusts } satisfies DirectoryRow)
    return { TrustId: input.TrustId }
  })

const described = (row: DirectoryRow, trust: TrustRow) => ({
  DirectoryId: row.id,
  TrustId: trust.id,
  RemoteDomainName: trust.remoteDomain,
  TrustType: trust.type,
  TrustDirection: trust.direction,
  TrustState: 'Failed' as const,
  TrustStateReason: REASON,
  CreatedDateTime: new Date(trust.createdAt),
  LastUpdatedDateTime: new Date(trust.createdAt),
  StateLastUpdatedDateTime: new Date(trust.createdAt),
})
