/** The condition keys of certificates. */

import type { AbsentKeys } from '../../src/kernel/resource/absent-keys.ts'
import type { ConditionKeyTable } from '../../src/kernel/resource/condition-keys.ts'

export const conditionKeys: ConditionKeyTable = {
  'acm:DomainNames': ({ input, row }) => row?.row?.domain ?? input.DomainName,
  'acm:ValidationMethod': ({ input }) => input.ValidationMethod ?? 'EMAIL',
}

export const absentKeys: AbsentKeys = {
  'acm:CertificateAuthority': 'There are no private authorities.',
}
