/**
 * The condition keys of identity stores. What operations act on supplies the same keys (`target.ts`).
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentitystore.html
 */

import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { ConditionKeyTable, KeySource } from '../../kernel/resource/condition-keys.ts'

const issuers = ({ row }: KeySource): readonly string[] | undefined => {
  const ids = row?.row?.externalIds as readonly { readonly Issuer: string }[] | undefined
  return Array.isArray(ids) && ids.length > 0 ? ids.map(({ Issuer }) => Issuer) : undefined
}

export const conditionKeys: ConditionKeyTable = {
  'identitystore:PrimaryRegion': ({ row }) => row?.store?.region,
  'identitystore:UserExternalIdIssuers': issuers,
  'identitystore:GroupExternalIdIssuers': issuers,
}

export const absentKeys: AbsentKeys = {
  'identitystore:ReservedUserId': 'no operation reserves the ID of a user',
}
