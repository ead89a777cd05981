/**
 * The condition keys of IAM Identity Center. What operations act on supplies the same keys (`target.ts`).
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
 */
import type { ConditionKeyTable } from '../../kernel/resource/condition-keys.ts'

export const conditionKeys: ConditionKeyTable = {
  'sso:PrimaryRegion': ({ row }) => row?.instance?.region,
  'sso:ApplicationAccount': ({ row }) => (row?.row?.providerArn === undefined ? undefined : row.row.account),
}
