/** Principals that may use an authority besides its account: services by permissions, other accounts by its policy. */
import { pinPolicy, shownPolicy } from '../../kernel/resource/pinned.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { PolicyError } from '../../policy/index.ts'
import { arnOf, authority, type PermissionRow, pca, wrongState } from './resources.ts'

const PAGE_DEFAULT = 100

const isOf = (principal: string, account: string) => (each: PermissionRow) =>
  each.principal === principal && each.sourceAccount === account

export const createPermission = pca
  .operation('CreatePermission')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, { Principal, SourceAccount = call.account, Actions }, { row, save }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    if (Principal !== 'acm.amazonaws.com')
      throw pca.fail(
        'InvalidArgsException' as never,
        `The principal ${Principal} is not a service that can use authorities.`,
      )
    if (row.permissions.some(isOf(Principal, SourceAccount)))
      throw pca.fail('PermissionAlreadyExistsException', `${Principal} has permissions on the authority already.`)
    const permission = { principal: Principal, sourceAccount: SourceAccount, actions: Actions, createdAt: call.now }
    save({ ...row, permissions: [...row.permissions, permission] })
    return {}
  })

export const deletePermission = pca
  .operation('DeletePermission')
  .on(authority.named('CertificateAuthorityArn'))
  .run((call, { Principal, SourceAccount = call.account }, { row, save }) => {
    const isThis = isOf(Principal, SourceAccount)
    if (!row.permissions.some(isThis))
      throw pca.fail('ResourceNotFoundException', `${Principal} has no permissions on the authority.`)
    save({ ...row, permissions: row.permissions.filter((each) => !isThis(each)) })
    return {}
  })

export const listPermissions = pca
  .operation('ListPermissions')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { NextToken: token, MaxResults }, { row }) => {
    const { items, next } = await pageOf(
      call,
      row.permissions,
      ({ principal, sourceAccount }) => `${principal} ${sourceAccount}`,
      {
        token,
        size: MaxResults ?? PAGE_DEFAULT,
        query: row.id,
        bad: () => pca.fail('InvalidNextTokenException', 'The NextToken is not one of this list.'),
      },
    )
    return {
      Permissions: items.map((each) => ({
        CertificateAuthorityArn: arnOf(row),
        CreatedAt: new Date(each.createdAt),
        Principal: each.principal,
        SourceAccount: each.sourceAccount,
        Actions: [...each.actions],
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const putPolicy = pca
  .operation('PutPolicy')
  .on(authority.named('ResourceArn', { ownAccount: true }))
  .run(async (call, { Policy: text }, { row, save }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    try {
      const { pins, missing } = await pinPolicy(call, text)
      if (missing.length > 0)
        throw pca.fail('InvalidPolicyException', `The policy names ${missing[0]}, which does not exist.`)
      save({ ...row, policy: { text, pins } })
      return {}
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      throw pca.fail('InvalidPolicyException', `The policy is not valid: ${error.message}`)
    }
  })

export const getPolicy = pca
  .operation('GetPolicy')
  .on(authority.named('ResourceArn'))
  .run(async (call, _input, { row, arn }) => {
    if (!row.policy) throw pca.fail('ResourceNotFoundException', `The authority ${arn} has no policy.`)
    return { Policy: await shownPolicy(call, row.policy.text, row.policy.pins) }
  })

export const deletePolicy = pca
  .operation('DeletePolicy')
  .on(authority.named('ResourceArn', { ownAccount: true }))
  .run((_call, _input, { row, save }) => {
    const { policy: _, ...rest } = row
    save(rest)
    return {}
  })
